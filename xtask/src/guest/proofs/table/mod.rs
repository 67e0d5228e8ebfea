//! The proofs, by subject. Each is a site, its capability and what asks for it.

mod access;
mod bpf;
mod devices;
mod ext4;
mod files;
mod identity;
mod memory;
mod mounts;
mod names;
mod network;
mod permission;
mod processes;
mod settings;
mod sockets;
mod system;

/// What every table uses.
mod prelude {
    pub use crate::guest::identity::{OTHER, THIRD};
    pub use crate::guest::proofs::acts::*;
    pub(in crate::guest::proofs) use crate::guest::proofs::{Proof, Staged, proof};
    pub use crate::guest::scene::{
        CLOSED_FILE, NEW_NAME, OTHERS_FILE, OTHERS_READABLE, OWN_FILE, STICKY_FILE, Scene,
    };
    pub(in crate::guest::proofs) use crate::guest::syscall::call;
    pub use crate::guest::syscall::{Answer, Argument};
}

use super::Proof;

/// All of them.
pub fn all() -> impl Iterator<Item = &'static Proof> {
    [
        access::PROOFS,
        bpf::PROOFS,
        devices::PROOFS,
        ext4::PROOFS,
        files::PROOFS,
        identity::PROOFS,
        memory::PROOFS,
        mounts::PROOFS,
        names::ENTERING,
        names::PROOFS,
        network::BRIDGES,
        network::PROOFS,
        permission::PROOFS,
        processes::PROOFS,
        settings::PROOFS,
        sockets::PROOFS,
        system::PROOFS,
    ]
    .into_iter()
    .flatten()
}
