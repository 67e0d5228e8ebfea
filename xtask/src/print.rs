//! Printing that ends this program as a closed pipe ends others, in place of the panic of the
//! standard macros: `cargo xtask sites | head`.

use std::fmt::Arguments;
use std::io::{self, Write as _};

/// Prints a line to standard output.
macro_rules! println {
    ($($text:tt)+) => {
        $crate::print::line(::std::format_args!($($text)+))
    };
}

/// Prints a line to standard error.
macro_rules! eprintln {
    ($($text:tt)+) => {
        $crate::print::error_line(::std::format_args!($($text)+))
    };
}

/// A line to standard output. If nobody reads it any more, this process ends by SIGPIPE, which the
/// start-up code of the standard library had set to be ignored.
pub fn line(text: Arguments<'_>) {
    if cfg!(test) {
        // Tests capture what the standard macro prints.
        return std::println!("{text}");
    }
    let mut line = text.to_string();
    line.push('\n');
    match io::stdout().lock().write_all(line.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => end(),
        // As the standard macro does.
        Err(error) => panic!("cannot write to stdout: {error}"),
        Ok(()) => {}
    }
}

/// A line to standard error. If that fails there is nobody to tell.
pub fn error_line(text: Arguments<'_>) {
    let _ = io::stderr().lock().write_fmt(format_args!("{text}\n"));
}

/// Ends this process as the kernel ends those that do not ignore SIGPIPE.
fn end() -> ! {
    // SAFETY: the default action is no function, and raising a signal touches no memory of ours.
    unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
        libc::raise(libc::SIGPIPE);
    }
    // Only if the signal is blocked.
    std::process::exit(128 + libc::SIGPIPE)
}
