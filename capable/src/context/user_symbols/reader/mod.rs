//! Reads symbols in a process of its own.
//!
//! A traced process maps the file that it likes, and the file says what it likes: sections of 2^63
//! bytes, symbols in a sparse file of a tebibyte, a name of a hundred bytes that stands for
//! gigabytes, and perhaps whatever makes a parser do something worse. The tracer is privileged, and
//! others depend on its rows. So it reads no symbols itself. It starts a reader, which gives up
//! everything before it reads anything (`confine.rs`): all capabilities, most of its memory and
//! time, every file, and every system call that it does not need. The reader gets opened files
//! through a socket and answers with names.
//!
//! The reader may die or take too long. Then it is replaced, the file is not read again, and the
//! tracer tells why there are no names. Nobody waits long: each file has a deadline, and all of them
//! together have an allowance (`client.rs`).
//!
//! | file | runs in |
//! |---|---|
//! | `client.rs` | the tracer |
//! | `wire.rs` | both |
//! | `serve.rs`, `confine.rs`, `landlock.rs`, `seccomp.rs`, `symbols.rs`, `debug.rs`, `names.rs` | the reader |

mod client;
mod confine;
mod debug;
#[cfg(any(fuzzing, test))]
pub(super) mod fuzzing;
mod landlock;
mod names;
mod seccomp;
mod serve;
mod symbols;
mod wire;

use std::time::Duration;

pub(super) use client::Reader;
pub use serve::serve_if_reader;
pub(super) use wire::{Answer, Refusal, Request};

/// The name under which the reader is started: what its first argument is.
const NAME: &str = "capable-reader";
/// The most files that come with a request: the program, and its debug information.
const FILES: usize = 2;
/// How long an answer may take.
const DEADLINE: Duration = Duration::from_secs(5);
