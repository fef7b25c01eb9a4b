//! The simulator: names that a version lacks ([`bind`]), what instances answer ([`fleet`]), the protocol ([`wire`]), and state
//! as a function of time ([`world`]).

mod bind;
mod fleet;
mod wire;
mod world;
