//! Traces Linux capability checks: which happen, why, and which capabilities a program needs.
//!
//! A [`session::Builder`] is where everything begins: it takes what to trace, and finds out how on
//! this kernel. From there, checks are streamed, counted, or a command is learned from. All three
//! need root, or CAP_BPF and CAP_PERFMON.
//!
//! # Stream the checks of a process
//!
//! A record of each check, in order of time, within a tokio runtime:
//!
//! ```no_run
//! use capable::filter::Condition;
//! use capable::session::{Builder, Record, Records};
//!
//! # async fn stream(pid: u32) -> Result<(), Box<dyn std::error::Error>> {
//! let mut session = Builder::new()
//!     .filter(Condition::Process(pid))?
//!     .records(Records::default())?;
//! loop {
//!     session
//!         .next_batch(|record| {
//!             if let Record::Check(check) = record {
//!                 println!("{} {:?}", check.capability(), check.verdict());
//!             }
//!         })
//!         .await?;
//! }
//! # }
//! ```
//!
//! # Learn the needed set of a command
//!
//! Not each check is a need: a [`profile::Report`] says of every capability which it was, and why.
//!
//! ```no_run
//! use capable::launcher::Command;
//! use capable::profile::emit::Consumer;
//! use capable::session::Builder;
//!
//! # async fn learn() -> Result<(), Box<dyn std::error::Error>> {
//! let command = Command::new("ping").args(["-c1", "127.0.0.1"]);
//! let learned = Builder::new().learn(command)?.run().await?;
//! println!("needed: {}", learned.report.needed);
//! print!("{}", Consumer::Systemd.emit(&learned.needs));
//! # Ok(())
//! # }
//! ```
//!
//! # Count by capability
//!
//! The kernel counts and sends nothing, so that this costs least. It needs no runtime:
//!
//! ```no_run
//! use capable::session::{Builder, CountBy};
//!
//! # fn count() -> Result<(), Box<dyn std::error::Error>> {
//! let session = Builder::new().unaudited().counts(CountBy::CAPABILITY)?;
//! std::thread::sleep(std::time::Duration::from_secs(10));
//! for row in session.finish()?.counts {
//!     println!("{:>8} {}", row.checks, row.facts.capability);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! The folder `examples` has each of them as a program, and [`learn`] a fourth thing: to learn what
//! processes, units and containers need that run already.
//!
//! # The rest
//!
//! [`event`] is what is known of a check, [`filter`] which checks are wanted, and [`context`] what
//! the rest of the system knows about them: names of users, units and functions. [`capability`] has
//! sets and explanations, [`launcher`] starts commands with exactly given privileges, and
//! [`inspect`] reads which capabilities processes, files and units have.
//!
//! # Features
//!
//! `cli`, on by default, is the program `capable`. The library does not need it: depend on it with
//! `default-features = false`.

mod arch;
pub mod atlas;
pub mod capability;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "cli")]
mod commands;
pub mod context;
pub mod document;
pub mod escape;
pub mod event;
mod files;
pub mod filter;
#[cfg(any(fuzzing, test))]
#[doc(hidden)]
pub mod fuzzing;
pub mod inspect;
mod kernel;
pub mod launcher;
pub mod learn;
#[cfg(feature = "cli")]
mod output;
pub mod profile;
pub mod session;

#[cfg(test)]
#[path = "../tests/common/schema.rs"]
mod schema;
