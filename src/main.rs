//! The `dbtop` binary: parse the command line, run, map the error to an exit code.

use std::{io::Write, process::ExitCode};

fn main() -> ExitCode {
    match dbtop::command::run(dbtop::cli::parse()) {
        Ok(code) => code,
        Err(e) => {
            // The terminal may be gone; there is nothing left to tell it then.
            let _ = writeln!(std::io::stderr(), "dbtop: {}", dbtop::model::base::error::with_causes(&*e));
            ExitCode::from(3)
        }
    }
}
