//! Why numbers cannot be translated.

use std::io;

use thiserror::Error;

use crate::kernel::btf::BtfError;

/// Numbers cannot be translated.
#[derive(Debug, Error)]
pub enum NumbersError {
    /// This process's own namespace is not known.
    #[error("cannot read /proc/self/ns/pid: {0}")]
    OwnNamespace(io::Error),
    /// The type information cannot be read.
    #[error(transparent)]
    Btf(#[from] BtfError),
    /// A structure is not as expected.
    #[error("this kernel's BTF does not describe {0}.{1}")]
    Layout(&'static str, &'static str),
    /// The kernel does not run the programs.
    #[error("the kernel does not let programs look up the numbers of processes: {0}")]
    Run(#[from] io::Error),
    /// The list kept changing, or does not have the expected form.
    #[error("cannot walk the kernel's list of processes")]
    List,
    /// A process is not in it.
    #[error("process {0} is not in the kernel's list")]
    NoProcess(u32),
}
