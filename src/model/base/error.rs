//! An error in words: the one sentence that a person reads about it, on a terminal or on the screen.

use std::{error::Error, iter::successors};

/// An error and its causes in one line. A cause that the line says already is not repeated.
pub fn with_causes(error: &(dyn Error + 'static)) -> String {
    let causes = successors(Some(error), |error| (*error).source()).map(ToString::to_string);
    causes.fold(String::new(), |said, cause| match said.as_str() {
        "" => cause,
        _ if said.contains(&cause) => said,
        _ => format!("{said}: {cause}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context as _;

    #[test]
    fn a_cause_is_said_once() {
        let error = std::io::Error::other("the disk is full");
        let error =
            Err::<(), _>(error).context("writing x").context("writing x: the disk is full").unwrap_err();
        assert_eq!(with_causes(&*error), "writing x: the disk is full");
        let error = anyhow::anyhow!("no such file").context("opening x").context("backing up");
        assert_eq!(with_causes(&*error), "backing up: opening x: no such file");
    }
}
