//! What every command that traces shares, so that each is only what it does with the checks.

mod args;
pub mod resolve;
pub mod signals;
mod stop;

use std::future::Future;

use anyhow::{Context as _, Result};
pub use args::{BufferArgs, FilterArgs, TracingArgs, duration};
pub use stop::{Stop, Stopped};

/// Runs a command's future on the one thread that it takes.
///
/// # Errors
///
/// Those of the future, or the runtime cannot be made.
pub fn block_on<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot make a runtime")?
        .block_on(future)
}
