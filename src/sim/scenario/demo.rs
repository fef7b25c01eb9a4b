//! The script of the demo. To be filled.
