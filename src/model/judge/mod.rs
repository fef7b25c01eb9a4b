//! Judgement: how well an instance is, and why.

pub mod health;
pub mod limits;
pub mod score;
pub mod trend;
pub mod why;
