//! The terminal while a secret is typed. It stops echoing before the first question is printed and
//! until the last answer is there, so that text typed ahead is not shown either. Text typed before is kept. The
//! terminal is given back as it was on every way out: an answer, Ctrl-C, an error, SIGTERM, and while the program is stopped.

#[cfg(not(unix))]
pub use other::Quiet;
#[cfg(unix)]
pub use unix::Quiet;

#[cfg(unix)]
mod unix {
    use crate::{
        app::signals::{self, Break, Breaks},
        model::base::secret::Secret,
        protocol::Job,
    };
    use anyhow::{Context, bail};
    use rustix::termios::{
        LocalModes, OptionalActions, QueueSelector, SpecialCodeIndex, Termios, tcflush, tcgetattr, tcsetattr,
    };
    use std::{
        fs::{File, OpenOptions},
        io::{ErrorKind, Read, Write},
        time::Duration,
    };
    use zeroize::Zeroizing;

    /// The longest answer, bytes: a bearer token can be pasted.
    const LONGEST: usize = 16 * 1024;
    /// Time that a read waits before it checks for signals, tenths of a second.
    const WAIT_DS: u8 = 1;

    const CTRL_C: u8 = 0x03;
    const CTRL_D: u8 = 0x04;
    const BACKSPACE: u8 = 0x08;
    const TAB: u8 = 0x09;
    const CTRL_U: u8 = 0x15;
    const CTRL_BACKSLASH: u8 = 0x1c;
    const DELETE: u8 = 0x7f;

    /// The terminal without echo, until it is dropped.
    pub struct Quiet {
        terminal: File,
        before: Termios,
        breaks: Breaks,
    }

    impl Quiet {
        /// Stops the echo. Called within the async runtime.
        ///
        /// # Errors
        /// There is no terminal.
        pub fn begin() -> anyhow::Result<Self> {
            let opened = OpenOptions::new().read(true).write(true).open("/dev/tty");
            let read = opened.and_then(|terminal| Ok((tcgetattr(&terminal)?, terminal)));
            let Ok((before, terminal)) = read else {
                bail!(
                    "a passphrase is needed and there is no terminal to ask on: give --key-file FILE or set DBTOP_KEY_FILE"
                );
            };
            let quiet = Self { terminal, breaks: Breaks::listen()?, before };
            quiet.be_quiet()?;
            Ok(quiet)
        }

        fn be_quiet(&self) -> anyhow::Result<()> {
            let mut modes = self.before.clone();
            // Keys that end or stop a program come as bytes: a stopped program would leave the echo off.
            modes.local_modes.remove(
                LocalModes::ECHO
                    | LocalModes::ECHOE
                    | LocalModes::ECHOK
                    | LocalModes::ECHONL
                    | LocalModes::ICANON
                    | LocalModes::ISIG
                    | LocalModes::IEXTEN,
            );
            modes.special_codes[SpecialCodeIndex::VMIN] = 0;
            modes.special_codes[SpecialCodeIndex::VTIME] = WAIT_DS;
            // At once, and without discarding text typed ahead.
            tcsetattr(&self.terminal, OptionalActions::Now, &modes).context("stopping the terminal's echo")
        }

        /// As it was before.
        fn give_back(&self) {
            // If it fails there is no terminal left to restore.
            let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
        }

        /// Prints a question and reads a line.
        ///
        /// # Errors
        /// It was broken off, the terminal is gone, or the answer is too long or no text.
        pub fn ask(&mut self, question: &str) -> anyhow::Result<Secret> {
            self.terminal.write_all(question.as_bytes()).context("asking on the terminal")?;
            let read = self.line(question);
            // The typed line end was not shown, so print one. The answer is valid even if that fails.
            let _ = self.terminal.write_all(b"\n");
            if read.is_err() {
                // The rest of a too long answer must not reach another reader.
                let _ = tcflush(&self.terminal, QueueSelector::IFlush);
            }
            read
        }

        fn line(&mut self, question: &str) -> anyhow::Result<Secret> {
            // Allocated in full: growing would leave copies of the secret behind.
            let mut text = Zeroizing::new(Vec::with_capacity(LONGEST));
            let mut is_too_long = false;
            loop {
                match self.byte(question)? {
                    b'\r' | b'\n' => break,
                    CTRL_D if text.is_empty() => bail!("no passphrase was given: nothing was changed"),
                    CTRL_D => break,
                    CTRL_C | CTRL_BACKSLASH => bail!("broken off: nothing was changed"),
                    CTRL_U => text.clear(),
                    BACKSPACE | DELETE => erase(&mut text),
                    byte if byte < b' ' && byte != TAB => {}
                    _ if text.len() == LONGEST => is_too_long = true,
                    byte => text.push(byte),
                }
            }
            if is_too_long {
                bail!("the answer is longer than {LONGEST} bytes: nothing was changed");
            }
            match String::from_utf8(std::mem::take(&mut *text)) {
                Ok(text) => Ok(Secret::new(text)),
                Err(error) => {
                    drop(Zeroizing::new(error.into_bytes()));
                    bail!("the answer is no UTF-8 text: nothing was changed")
                }
            }
        }

        /// Stops until the program is continued, and puts the question again.
        fn be_stopped(&mut self, mut job: Job, question: &str) -> anyhow::Result<()> {
            if job == Job::Stop {
                self.give_back();
                signals::stop();
            }
            // The stop takes hold of this thread a moment later, and a line typed for the shell is none of ours.
            while job == Job::Stop {
                match self.breaks.came() {
                    Some(Break::End) => bail!("broken off: nothing was changed"),
                    Some(Break::Job(next)) => job = next,
                    None => std::thread::sleep(Duration::from_millis(10)),
                }
            }
            self.be_quiet()?;
            self.terminal.write_all(question.as_bytes()).context("asking on the terminal")
        }

        /// The next byte, one at a time: text typed ahead stays for the next question. After a stop the question is put again.
        fn byte(&mut self, question: &str) -> anyhow::Result<u8> {
            let mut byte = Zeroizing::new([0]);
            loop {
                match self.terminal.read(&mut *byte) {
                    Ok(1..) => return Ok(byte[0]),
                    // Nothing yet, or a hang-up, which reads the same.
                    Ok(0) => {
                        tcgetattr(&self.terminal).context("the terminal is gone: nothing was changed")?;
                    }
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => return Err(error).context("reading from the terminal"),
                }
                match self.breaks.came() {
                    None => {}
                    Some(Break::End) => bail!("broken off: nothing was changed"),
                    Some(Break::Job(job)) => self.be_stopped(job, question)?,
                }
            }
        }
    }

    impl Drop for Quiet {
        fn drop(&mut self) {
            self.give_back();
        }
    }

    /// Removes the last character, of however many bytes.
    fn erase(text: &mut Vec<u8>) {
        while let Some(byte) = text.pop() {
            if byte & 0b1100_0000 != 0b1000_0000 {
                break;
            }
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_character_is_erased_with_all_its_bytes() {
            let mut text = "aß€".as_bytes().to_vec();
            erase(&mut text);
            assert_eq!(text, "aß".as_bytes());
            erase(&mut text);
            assert_eq!(text, b"a");
            erase(&mut text);
            erase(&mut text);
            assert!(text.is_empty());
        }
    }
}

#[cfg(not(unix))]
mod other {
    use crate::model::base::secret::Secret;
    use anyhow::bail;
    use std::io::ErrorKind;

    /// The console without echo, a question at a time.
    pub struct Quiet;

    impl Quiet {
        /// Nothing to prepare.
        ///
        /// # Errors
        /// None.
        pub fn begin() -> anyhow::Result<Self> {
            Ok(Self)
        }

        /// Prints a question and reads a line.
        ///
        /// # Errors
        /// It was broken off, or there is no console.
        pub fn ask(&mut self, question: &str) -> anyhow::Result<Secret> {
            match rpassword::prompt_password(question) {
                Ok(text) => Ok(Secret::new(text)),
                Err(e) if e.kind() == ErrorKind::Interrupted => bail!("broken off: nothing was changed"),
                Err(e) if e.kind() == ErrorKind::UnexpectedEof => {
                    bail!("no passphrase was given: nothing was changed")
                }
                Err(_) => bail!(
                    "a passphrase is needed and there is no console to ask on: give --key-file FILE or set DBTOP_KEY_FILE"
                ),
            }
        }
    }
}
