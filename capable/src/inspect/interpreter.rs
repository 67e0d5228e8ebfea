//! What executes a script.

use std::io::{self, Read as _};
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use crate::files::open_regular;

/// The interpreter of a script, from the line after its `#!`; `None` if the file is not a script.
///
/// The kernel reads 256 bytes (`BINPRM_BUF_SIZE`, include/uapi/linux/binfmts.h) and takes the
/// path up to the first blank (`load_script`, fs/binfmt_script.c).
///
/// # Errors
///
/// The file cannot be read, or is no regular file: a FIFO would make us wait.
pub fn interpreter_of(file: &Path) -> io::Result<Option<PathBuf>> {
    let mut start = Vec::new();
    open_regular(file)?.take(256).read_to_end(&mut start)?;
    let Some(rest) = start.strip_prefix(b"#!") else {
        return Ok(None);
    };
    let path: Vec<u8> = rest
        .iter()
        .copied()
        .skip_while(|byte| matches!(byte, b' ' | b'\t'))
        .take_while(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | 0))
        .collect();
    Ok((!path.is_empty()).then(|| std::ffi::OsString::from_vec(path).into()))
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
