//! The extended attribute `security.capability`.

use serde::Serialize;
use thiserror::Error;

use super::json;
use crate::capability::CapabilitySet;

/// The capabilities of a file (`struct vfs_ns_cap_data`, include/uapi/linux/capability.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct FileCapabilities {
    /// The version of the attribute: 1, 2 or 3.
    pub version: u8,
    /// The permitted set, which the caller's bounding set limits.
    #[serde(serialize_with = "json::names")]
    pub permitted: CapabilitySet,
    /// The inheritable set, which the caller's inheritable set limits.
    #[serde(serialize_with = "json::names")]
    pub inheritable: CapabilitySet,
    /// The effective bit: whether the new permitted set is effective from the start.
    pub effective: bool,
    /// In version 3: they apply only in user namespaces whose root is this user, and in those
    /// below.
    pub root_uid: Option<u32>,
}

/// The attribute is malformed, so that execve fails with EINVAL.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Malformed {
    /// Shorter than its first word.
    #[error("{0} bytes, which is too short")]
    Short(usize),
    /// A version that the kernel does not know.
    #[error("version {0:#04x}, but only 1, 2 and 3 exist")]
    Version(u8),
    /// Its length does not match its version.
    #[error("{found} bytes, but version {version} has {expected}")]
    Length {
        /// The version that the attribute names.
        version: u8,
        /// Its length in bytes.
        found: usize,
        /// The length that it should have, in bytes.
        expected: usize,
    },
}

/// `VFS_CAP_FLAGS_EFFECTIVE`.
const EFFECTIVE: u32 = 1;

impl FileCapabilities {
    /// Parses the value of the attribute (`get_vfs_caps_from_disk`, security/commoncap.c).
    ///
    /// # Errors
    ///
    /// If the kernel would refuse it.
    pub fn from_attribute(value: &[u8]) -> Result<Self, Malformed> {
        let (words, rest) = value.as_chunks::<4>();
        let word = |index: usize| words.get(index).map_or(0, |word| u32::from_le_bytes(*word));
        if words.is_empty() {
            return Err(Malformed::Short(value.len()));
        }
        let magic = word(0);
        let version = (magic >> 24) as u8;
        let expected = match version {
            1 => 3,
            2 => 5,
            3 => 6,
            _ => return Err(Malformed::Version(version)),
        };
        if words.len() != expected || !rest.is_empty() {
            return Err(Malformed::Length {
                version,
                found: value.len(),
                expected: expected * 4,
            });
        }
        // Version 1 holds one pair of 32-bit words; the others hold two pairs, the low one first.
        let high = |index: usize| if version == 1 { 0 } else { word(index) };
        let set = |low: u32, high: u32| {
            CapabilitySet::from_bits(u64::from(low) | (u64::from(high) << 32))
        };
        Ok(Self {
            version,
            permitted: set(word(1), high(3)),
            inheritable: set(word(2), high(4)),
            effective: magic & EFFECTIVE != 0,
            root_uid: (version == 3).then(|| word(5)),
        })
    }

    /// Whether they apply to a process in the reader's own user namespace. The kernel returns a
    /// version 3 attribute as version 2 if its root user is the reader's own
    /// (`cap_inode_getsecurity`).
    pub fn applies_here(&self) -> bool {
        self.root_uid.is_none_or(|uid| uid == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    #[test]
    fn each_version_is_read_as_the_kernel_reads_it() {
        let read = |words: &[u32]| FileCapabilities::from_attribute(&value(words)).unwrap();
        let one = read(&[0x0100_0001, 0x2000, 0x20]);
        assert_eq!((one.version, one.effective, one.root_uid), (1, true, None));
        assert_eq!(one.permitted.to_string(), "CAP_NET_RAW");
        assert_eq!(one.inheritable.to_string(), "CAP_KILL");

        let two = read(&[0x0200_0000, 0x2000, 0, 0x100, 0x80]);
        assert_eq!((two.version, two.effective), (2, false));
        assert_eq!(
            two.permitted.to_string(),
            "CAP_NET_RAW,CAP_CHECKPOINT_RESTORE"
        );
        assert_eq!(two.inheritable.to_string(), "CAP_BPF");

        let three = read(&[0x0300_0001, 0x400, 0, 0, 0, 100_000]);
        assert_eq!((three.version, three.root_uid), (3, Some(100_000)));
        assert!(!three.applies_here());
        assert_eq!(three.permitted.to_string(), "CAP_NET_BIND_SERVICE");
    }

    #[test]
    fn what_the_kernel_would_refuse_is_refused_with_the_reason() {
        let message = |value: &[u8]| {
            FileCapabilities::from_attribute(value)
                .unwrap_err()
                .to_string()
        };
        assert_eq!(message(&[1, 2]), "2 bytes, which is too short");
        assert!(message(&value(&[0x0400_0000, 0, 0])).contains("version 0x04"));
        assert_eq!(
            message(&value(&[0x0200_0000, 0, 0])),
            "12 bytes, but version 2 has 20"
        );
    }
}
