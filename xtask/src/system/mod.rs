//! Debian as it is installed, with systemd as its first process, in a guest.
//!
//! The other guests ([`crate::guest_root`]) have a shell as their first process and nothing else
//! that runs. Here there are what a tracer meets on a server: services, sessions of users without
//! privileges, delegated cgroups, PAM and limits. A small initramfs puts this run's programs on the
//! disk, which forgets what is written to it, and hands over to systemd; a unit of ours runs the
//! command and ends the machine.

mod image;
mod suite;

use std::path::PathBuf;

use anyhow::Result;

use crate::initramfs::Archive;
use crate::{guest_root, vm};

pub use image::image;
pub use suite::{BOOKWORM, BULLSEYE, Role, Suite, TRIXIE};

impl Role {
    /// What such a guest runs if nothing else is requested.
    pub fn tests(self) -> &'static str {
        match self {
            Self::Server => "xtask guest system-tests",
            Self::Containers => "xtask guest container-tests",
        }
    }

    /// The memory in MiB that is enough for it.
    pub fn memory(self) -> u32 {
        match self {
            Self::Server => vm::MEMORY,
            Self::Containers => 2048,
        }
    }
}

/// What is unpacked to memory before the disk is there, with these programs.
pub fn base(programs: &[PathBuf]) -> Result<Archive> {
    let mut archive = guest_root::base(programs)?;
    archive.file("init", 0o755, include_str!("boot.sh"));
    archive.file("vm/guest.service", 0o644, include_str!("guest.service"));
    archive.file("vm/guest.target", 0o644, include_str!("guest.target"));
    archive.file("vm/guest.sh", 0o755, include_str!("guest.sh"));
    Ok(archive)
}
