//! The `dbtop` binary: parse the command line, run, map the error to an exit code.

use dbtop::model::{base::error::with_causes, inventory::address::without_passwords};
use std::{io::Write, process::ExitCode};

fn main() -> ExitCode {
    let cli = match dbtop::cli::parse() {
        Ok(cli) => cli,
        Err(e) if e.use_stderr() => {
            let plain = e.to_string();
            let harmless = without_passwords(plain.clone(), typed());
            // As it is it has the colours of a terminal.
            let _ = if harmless == plain { e.print() } else { write!(std::io::stderr(), "{harmless}") };
            // 2, which clap takes, means critical to whoever reads the codes of `once` and `healthcheck`.
            return ExitCode::from(3);
        }
        Err(e) => {
            let _ = e.print();
            return ExitCode::SUCCESS;
        }
    };
    match dbtop::command::run(cli) {
        Ok(code) => code,
        Err(e) => {
            let message = without_passwords(with_causes(&*e), typed());
            // The terminal may be gone; there is nothing left to tell it then.
            let _ = writeln!(std::io::stderr(), "dbtop: {message}");
            ExitCode::from(3)
        }
    }
}

/// The words of the command line. One that is no text cannot be quoted either.
fn typed() -> impl Iterator<Item = String> {
    std::env::args_os().skip(1).filter_map(|word| word.into_string().ok())
}
