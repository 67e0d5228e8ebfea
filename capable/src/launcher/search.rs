//! The candidates for execve(2): the files that a command may be.

use std::{
    env,
    ffi::{CString, NulError, OsStr},
    os::unix::ffi::OsStrExt as _,
};

/// The search path if `$PATH` is not set, as in glibc (`_CS_PATH`).
const DEFAULT: &[u8] = b"/bin:/usr/bin";

/// The files to try, in order: the command itself if it contains a slash, or else one in each
/// directory of `$PATH`, where an empty entry is the current directory.
///
/// # Errors
///
/// If the command contains a NUL byte.
pub(super) fn candidates(command: &OsStr) -> Result<Vec<CString>, NulError> {
    let path = env::var_os("PATH");
    in_path(
        command.as_bytes(),
        path.as_deref().map_or(DEFAULT, OsStr::as_bytes),
    )
}

fn in_path(command: &[u8], path: &[u8]) -> Result<Vec<CString>, NulError> {
    if command.contains(&b'/') {
        return Ok(vec![CString::new(command)?]);
    }
    if command.is_empty() {
        return Ok(Vec::new());
    }
    path.split(|&byte| byte == b':')
        .map(|folder| {
            let folder = if folder.is_empty() { &b"."[..] } else { folder };
            CString::new([folder, b"/", command].concat())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(command: &str, path: &str) -> Vec<String> {
        in_path(command.as_bytes(), path.as_bytes())
            .unwrap()
            .into_iter()
            .map(|file| file.into_string().unwrap())
            .collect()
    }

    #[test]
    fn a_name_is_searched_for_and_a_path_is_not() {
        assert_eq!(
            found("ls", "/bin::/usr/bin"),
            ["/bin/ls", "./ls", "/usr/bin/ls"]
        );
        assert_eq!(found("./ls", "/bin"), ["./ls"]);
        assert_eq!(found("bin/ls", "/bin"), ["bin/ls"]);
        assert!(found("", "/bin").is_empty());
    }
}
