//! The securebits of a thread, which limit the special role of user 0.

use serde::{Serialize, Serializer};

/// Securebits, as prctl(2) `PR_GET_SECUREBITS` returns them.
///
/// Only the thread itself can ask for them: /proc does not show them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SecureBits(u32);

/// The bits in order, each followed by its lock (include/uapi/linux/securebits.h, Linux 6.14 for
/// the last two).
const NAMES: [&str; 6] = [
    "noroot",
    "no-setuid-fixup",
    "keep-caps",
    "no-cap-ambient-raise",
    "exec-restrict-file",
    "exec-deny-interactive",
];

impl SecureBits {
    /// `SECBIT_NOROOT`: execve gives user 0 no capabilities.
    const NOROOT: u32 = 1;

    /// The bits as the kernel numbers them.
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// Those of the calling thread; `None` if the kernel does not tell.
    pub fn of_this_thread() -> Option<Self> {
        let bits = rustix::thread::capabilities_secure_bits().ok()?;
        Some(Self(bits.bits()))
    }

    /// The bits as prctl(2) takes them.
    pub fn bits(self) -> u32 {
        self.0
    }

    /// Whether execve gives user 0 no capabilities.
    pub fn is_noroot(self) -> bool {
        self.0 & Self::NOROOT != 0
    }

    /// The names of the bits, as capsh(1) and systemd.exec(5) use them.
    pub fn names(self) -> Vec<String> {
        (0..u32::BITS)
            .filter(|bit| self.0 & (1 << bit) != 0)
            .map(|bit| match NAMES.get(bit as usize / 2) {
                Some(name) if bit % 2 == 0 => (*name).to_owned(),
                Some(name) => format!("{name}-locked"),
                None => format!("bit-{bit}"),
            })
            .collect()
    }

    /// Parses `SecureBits=` of a unit, names separated by spaces. Unknown names are ignored, as
    /// systemd does.
    pub fn from_names(words: &str) -> Self {
        let mut bits = 0;
        for word in words.split_whitespace() {
            let (name, locked) = match word.strip_suffix("-locked") {
                Some(name) => (name, 1),
                None => (word, 0),
            };
            if let Some(position) = NAMES.iter().position(|known| *known == name) {
                bits |= 1 << (2 * position + locked);
            }
        }
        Self(bits)
    }
}

impl Serialize for SecureBits {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.names().serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_read_are_the_names_that_are_shown() {
        let bits = SecureBits::from_names("keep-caps noroot-locked noroot made-up");
        assert_eq!(bits, SecureBits(0x13));
        assert!(bits.is_noroot());
        assert_eq!(bits.names(), ["noroot", "noroot-locked", "keep-caps"]);
        assert_eq!(SecureBits(1 << 30).names(), ["bit-30"]);
    }

    #[test]
    fn a_thread_knows_its_own() {
        assert!(SecureBits::of_this_thread().is_some());
    }
}
