//! The `dbtop` binary: parse the command line, run, map the error to an exit code.

use std::{io::Write, process::ExitCode};

fn main() -> ExitCode {
    let cli = match dbtop::cli::parse() {
        Ok(cli) => cli,
        Err(e) => {
            let _ = e.print();
            // 2, which clap takes, means critical to whoever reads the codes of `once` and `healthcheck`.
            return ExitCode::from(if e.use_stderr() { 3 } else { 0 });
        }
    };
    match dbtop::command::run(cli) {
        Ok(code) => code,
        Err(e) => {
            // The terminal may be gone; there is nothing left to tell it then.
            let _ = writeln!(std::io::stderr(), "dbtop: {}", dbtop::model::base::error::with_causes(&*e));
            ExitCode::from(3)
        }
    }
}
