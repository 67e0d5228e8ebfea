//! Why type information could not be read.

use std::io;

/// Type information could not be read.
#[derive(Debug, thiserror::Error)]
pub enum BtfError {
    /// The file could not be opened or read.
    #[error("cannot read the kernel's type information (BTF): {0}")]
    Io(#[from] io::Error),
    /// It does not begin like BTF.
    #[error("not BTF: it begins with {0:#06x} instead of 0xeb9f")]
    Magic(u16),
    /// It was written on a machine with the other byte order.
    #[error("big-endian BTF is not supported")]
    BigEndian,
    /// It has a version or a header that this reader does not know.
    #[error("BTF of version {version} with a header of {header_length} bytes is not supported")]
    Version {
        /// The version it gives.
        version: u8,
        /// The length of its header in bytes.
        header_length: u32,
    },
    /// It is shorter than its header says.
    #[error("the kernel's type information (BTF) is cut off")]
    Truncated,
    /// A type has a kind whose size is not known, so nothing after it can be read.
    #[error("BTF type {id} is of the unknown kind {kind}")]
    Kind {
        /// The type's number.
        id: u32,
        /// The kind.
        kind: u32,
    },
    /// A type refers to one that does not exist, or to itself through others.
    #[error("BTF type {0} cannot be resolved")]
    Reference(u32),
}
