//! What becomes of this program when nobody reads what it prints.

use std::{
    io,
    os::unix::process::ExitStatusExt as _,
    process::{Command, Stdio},
};

#[test]
fn a_closed_pipe_ends_the_program_as_it_ends_others() {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(["guest", "trigger", "list"])
        .stdout(writer)
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    assert_eq!(output.status.signal(), Some(libc::SIGPIPE), "{output:?}");
    assert_eq!(output.stderr, b"", "{output:?}");
}
