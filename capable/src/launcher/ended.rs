//! How a command ended, in the terms of a shell.

use std::{os::unix::process::ExitStatusExt as _, process::ExitStatus};

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended(pub i32);

impl Ended {
    /// The exit code that a shell reports: the command's own, or 128 plus the signal.
    pub fn exit_code(self) -> u8 {
        let status = ExitStatus::from_raw(self.0);
        let code = match (status.code(), status.signal()) {
            (Some(code), _) => code,
            (None, Some(signal)) => 128 + signal,
            (None, None) => super::error::FAILED.into(),
        };
        code as u8
    }

    /// The signal that ended it, in words: `signal 2 (SIGINT)`.
    pub fn signal(self) -> Option<String> {
        let status = ExitStatus::from_raw(self.0);
        let words = status.to_string().replace("signal: ", "signal ");
        status.signal().map(|_| words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_is_the_commands_or_says_its_signal() {
        assert_eq!(Ended(0).exit_code(), 0);
        assert_eq!(Ended(7 << 8).exit_code(), 7);
        assert_eq!(Ended(255 << 8).exit_code(), 255);
        assert_eq!(Ended(libc::SIGKILL).exit_code(), 137);
        assert_eq!(Ended(libc::SIGSEGV | 0x80).exit_code(), 139);
        assert_eq!(Ended(7 << 8).signal(), None);
        let signal = Ended(libc::SIGKILL).signal();
        assert_eq!(signal.as_deref(), Some("signal 9 (SIGKILL)"));
    }
}
