//! The program `capable`.

use std::process::ExitCode;

fn main() -> ExitCode {
    capable::cli::main()
}
