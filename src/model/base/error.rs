//! An error in words: the one sentence that a person reads about it, on a terminal or on the screen.

use std::{error::Error, io, iter::successors};

/// An error and its causes in one line. A cause that the line says already is not repeated, and the numbers of the operating
/// system are left out.
pub fn with_causes(error: &(dyn Error + 'static)) -> String {
    let causes = successors(Some(error), |error| (*error).source()).map(ToString::to_string);
    let causes = causes.map(|cause| without_numbers(&cause));
    causes.fold(String::new(), |said, cause| match said.as_str() {
        "" => cause,
        _ if said.contains(&cause) => said,
        _ => format!("{said}: {cause}"),
    })
}

/// An error about a temporary file without that file's name: the message around it names the file, or the folder, that was asked for.
pub fn without_temporary(error: io::Error) -> io::Error {
    match error.to_string().rsplit_once(" at path ") {
        Some((said, _)) => io::Error::new(error.kind(), said),
        None => error,
    }
}

/// `File exists (os error 17)` without what is in brackets: the words say it.
fn without_numbers(text: &str) -> String {
    const BEFORE: &str = " (os error ";
    let mut parts = text.split(BEFORE);
    let mut said = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once(')') {
            Some((number, rest)) if number.parse::<i32>().is_ok() => said.push_str(rest),
            _ => said.extend([BEFORE, part]),
        }
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context as _;

    #[test]
    fn a_cause_is_said_once() {
        let error = io::Error::other("the disk is full");
        let error =
            Err::<(), _>(error).context("writing x").context("writing x: the disk is full").unwrap_err();
        assert_eq!(with_causes(&*error), "writing x: the disk is full");
        let error = anyhow::anyhow!("no such file").context("opening x").context("backing up");
        assert_eq!(with_causes(&*error), "backing up: opening x: no such file");
        let error = io::Error::from_raw_os_error(17);
        let error = Err::<(), _>(error).context("making x (os error or not)").unwrap_err();
        assert_eq!(with_causes(&*error), "making x (os error or not): File exists");
        let Err(temporary) = tempfile::NamedTempFile::new_in("/no/such") else { panic!() };
        let error = Err::<(), _>(without_temporary(temporary)).context("writing /no/such/x").unwrap_err();
        assert_eq!(with_causes(&*error), "writing /no/such/x: No such file or directory");
    }
}
