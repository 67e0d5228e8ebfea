//! What every command that traces shares, so that each is only what it does with the checks.

mod args;
mod command;
mod resolve;
pub mod signals;
mod stop;
pub mod told;
mod wanted;

use std::future::Future;

use anyhow::{Context as _, Result};
pub use args::{BufferArgs, FilterArgs, TracingArgs, duration};
pub use command::{Running, exit_code, tell_signal};
pub use stop::{Deadline, Stop, Stopped};
pub use wanted::Wanted;

/// Runs a command's future on the one thread that it takes.
///
/// # Errors
///
/// Those of the future, or the runtime cannot be made.
pub fn block_on<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot create the runtime")?
        .block_on(future)
}
