//! What executes a script.

use std::io::{self, Read as _};
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use crate::files::open_regular;

/// The interpreter of a script, from the line after its `#!`; `None` if the file is not a script.
///
/// # Errors
///
/// The file cannot be read, or is no regular file: a FIFO would make us wait.
pub fn interpreter_of(file: &Path) -> io::Result<Option<PathBuf>> {
    let named = named_in(&start_of(file)?);
    Ok(named.map(|path| std::ffi::OsString::from_vec(path).into()))
}

/// The bytes of a file that execve looks at: 256 (`BINPRM_BUF_SIZE`, include/uapi/linux/binfmts.h).
pub(super) fn start_of(file: &Path) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    open_regular(file)?.take(256).read_to_end(&mut start)?;
    Ok(start)
}

/// The interpreter that these bytes name: the path after `#!`, up to the first blank (`load_script`,
/// fs/binfmt_script.c).
pub(super) fn named_in(start: &[u8]) -> Option<Vec<u8>> {
    let path: Vec<u8> = start
        .strip_prefix(b"#!")?
        .iter()
        .copied()
        .skip_while(|byte| matches!(byte, b' ' | b'\t'))
        .take_while(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | 0))
        .collect();
    (!path.is_empty()).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interpreter_of_a_script_is_found_and_a_program_has_none() {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("script");
        std::fs::write(&script, "#! /usr/bin/env python3\nprint()\n").unwrap();
        assert_eq!(
            interpreter_of(&script).unwrap(),
            Some("/usr/bin/env".into())
        );
        std::fs::write(&script, "\x7fELF").unwrap();
        assert_eq!(interpreter_of(&script).unwrap(), None);
        assert!(interpreter_of(&folder.path().join("none")).is_err());
    }
}
