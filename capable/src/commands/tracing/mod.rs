//! What all commands that trace share, so that each one contains only what it does with the checks.

mod args;
mod cgroups;
mod command;
mod named;
mod number;
mod resolve;
pub mod signals;
mod stop;
pub mod told;
mod wanted;

use std::future::Future;

use anyhow::{Context as _, Result};
pub use args::{BufferArgs, FilterArgs, TracingArgs, duration, pid};
pub use cgroups::tell_names;
pub use command::{Running, exit_code, tell_signal};
pub use named::Named;
pub use number::number;
pub use resolve::{failure_or_usage, keeps_only, process_refused};
pub use stop::{Deadline, Stop, Stopped};
pub use wanted::Wanted;

/// Runs a command's future on a single thread.
///
/// # Errors
///
/// Those of the future, or if the runtime cannot be created.
pub fn block_on<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot create the runtime")?
        .block_on(future)
}
