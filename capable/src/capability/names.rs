//! The names of the capabilities.

use std::fmt;

use super::Capability;

/// The fixed properties of a capability.
struct Named {
    name: &'static str,
    since: &'static str,
}

/// Numbers and names from include/uapi/linux/capability.h (6.12). Versions are those of
/// capabilities(7); capabilities for which it gives none came with Linux 2.2.
macro_rules! named {
    ($($number:literal $constant:ident $since:literal)*) => {
        impl Capability {
            $(
                #[doc = concat!("`CAP_", stringify!($constant), "`.")]
                pub const $constant: Self = Self($number);
            )*
        }

        /// The index is the number, which a test checks.
        static NAMED: &[Named] = &[
            $(Named { name: concat!("CAP_", stringify!($constant)), since: $since },)*
        ];
    };
}

named! {
    0 CHOWN "2.2"
    1 DAC_OVERRIDE "2.2"
    2 DAC_READ_SEARCH "2.2"
    3 FOWNER "2.2"
    4 FSETID "2.2"
    5 KILL "2.2"
    6 SETGID "2.2"
    7 SETUID "2.2"
    8 SETPCAP "2.2"
    9 LINUX_IMMUTABLE "2.2"
    10 NET_BIND_SERVICE "2.2"
    11 NET_BROADCAST "2.2"
    12 NET_ADMIN "2.2"
    13 NET_RAW "2.2"
    14 IPC_LOCK "2.2"
    15 IPC_OWNER "2.2"
    16 SYS_MODULE "2.2"
    17 SYS_RAWIO "2.2"
    18 SYS_CHROOT "2.2"
    19 SYS_PTRACE "2.2"
    20 SYS_PACCT "2.2"
    21 SYS_ADMIN "2.2"
    22 SYS_BOOT "2.2"
    23 SYS_NICE "2.2"
    24 SYS_RESOURCE "2.2"
    25 SYS_TIME "2.2"
    26 SYS_TTY_CONFIG "2.2"
    27 MKNOD "2.4"
    28 LEASE "2.4"
    29 AUDIT_WRITE "2.6.11"
    30 AUDIT_CONTROL "2.6.11"
    31 SETFCAP "2.6.24"
    32 MAC_OVERRIDE "2.6.25"
    33 MAC_ADMIN "2.6.25"
    34 SYSLOG "2.6.37"
    35 WAKE_ALARM "3.0"
    36 BLOCK_SUSPEND "3.5"
    37 AUDIT_READ "3.16"
    38 PERFMON "5.8"
    39 BPF "5.8"
    40 CHECKPOINT_RESTORE "5.9"
}

impl Capability {
    fn named(self) -> Option<&'static Named> {
        usize::try_from(self.0)
            .ok()
            .and_then(|number| NAMED.get(number))
    }

    /// The name, `CAP_CHOWN`; `None` for a number that has none here.
    pub fn name(self) -> Option<&'static str> {
        self.named().map(|named| named.name)
    }

    /// The kernel version that introduced it, `5.8`; `None` for a number that has no name here.
    pub fn since(self) -> Option<&'static str> {
        self.named().map(|named| named.since)
    }

    /// The name as people type it: `chown`, or `cap_41`. Its `Display` honours width and alignment.
    pub fn short_name(self) -> ShortName {
        ShortName(self)
    }
}

/// A capability's name in lower case and without `cap_`: `net_bind_service`.
///
/// A number without a name prints as `cap_41`, which parses as the same capability.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShortName(Capability);

impl fmt::Display for ShortName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let full = self.0.to_string().to_ascii_lowercase();
        match (self.0.name(), full.strip_prefix("cap_")) {
            (Some(_), Some(short)) => f.pad(short),
            _ => f.pad(&full),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_has_the_name_of_its_constant() {
        assert_eq!(Capability::all().len(), NAMED.len());
        assert_eq!(Capability::CHOWN.name(), Some("CAP_CHOWN"));
        assert_eq!(Capability::SYS_ADMIN.number(), 21);
        assert_eq!(Capability::SYS_ADMIN.name(), Some("CAP_SYS_ADMIN"));
        assert_eq!(Capability::BPF.since(), Some("5.8"));
        assert_eq!(
            Capability::LAST_NAMED.name(),
            Some("CAP_CHECKPOINT_RESTORE")
        );
    }

    #[test]
    fn a_number_without_a_name_prints_and_reads_back() {
        let unknown = Capability::from_number(41);
        assert_eq!(unknown.to_string(), "CAP_41");
        assert_eq!(unknown.short_name().to_string(), "cap_41");
        assert_eq!("cap_41".parse(), Ok(unknown));
        assert_eq!(unknown.name(), None);
        assert_eq!(unknown.since(), None);
        assert_eq!(Capability::from_number(-3).to_string(), "CAP_-3");
        assert_eq!(Capability::from_number(i32::MAX).name(), None);
    }

    #[test]
    fn names_take_the_width_they_are_given() {
        assert_eq!(format!("{:12}|", Capability::KILL), "CAP_KILL    |");
        assert_eq!(format!("{:>8}|", Capability::from_number(41)), "  CAP_41|");
        assert_eq!(format!("{:6}|", Capability::KILL.short_name()), "kill  |");
    }
}
