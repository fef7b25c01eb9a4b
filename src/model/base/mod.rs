//! The units and words of every part of the program. Uses nothing else of the model.

pub mod age;
pub mod ascii;
pub(crate) mod code;
pub mod error;
pub mod failure;
pub mod figure;
pub mod filter;
pub(crate) mod leb128;
pub mod secret;
pub mod text;
pub mod time;
pub mod zone;
