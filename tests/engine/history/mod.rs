//! History as the library writes and reads it; how the program shows and exports it is in `tests/program/history`.

mod clock;
mod days;
mod fail;
mod gone;
mod incident;
mod keep;
mod kill;
mod lasting;
mod reading;
mod released;
mod spent;
mod transfer;
