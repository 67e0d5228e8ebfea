//! The credentials of a thread, as /proc/PID/status shows them.

use std::collections::HashMap;

use serde::Serialize;

use super::json;
use crate::capability::CapabilitySet;

/// The five capability sets of a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Sets {
    /// The effective set, which checks look at.
    #[serde(serialize_with = "json::names")]
    pub effective: CapabilitySet,
    /// The permitted set: what the thread can make effective.
    #[serde(serialize_with = "json::names")]
    pub permitted: CapabilitySet,
    /// The inheritable set: execve grants of it what the file's inheritable set has too.
    #[serde(serialize_with = "json::names")]
    pub inheritable: CapabilitySet,
    /// The bounding set: execve grants no more than this.
    #[serde(serialize_with = "json::names")]
    pub bounding: CapabilitySet,
    /// The ambient set: execve of an ordinary file keeps it.
    #[serde(serialize_with = "json::names")]
    pub ambient: CapabilitySet,
}

impl Sets {
    /// The sets with their names, in the order in which they are shown.
    pub fn named(&self) -> [(&'static str, CapabilitySet); 5] {
        let Self {
            effective,
            permitted,
            inheritable,
            bounding,
            ambient,
        } = *self;
        [
            ("effective", effective),
            ("permitted", permitted),
            ("inheritable", inheritable),
            ("bounding", bounding),
            ("ambient", ambient),
        ]
    }
}

/// The four user ids, or the four group ids, of a thread, as the reader's user namespace sees
/// them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Ids {
    /// The real id.
    pub real: u32,
    /// The effective id.
    pub effective: u32,
    /// The saved id.
    pub saved: u32,
    /// The filesystem id.
    pub filesystem: u32,
}

/// How seccomp confines a thread (`Seccomp:` in proc_pid_status(5)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Seccomp {
    /// Not at all.
    Disabled,
    /// Strict mode: only read, write, exit and sigreturn are allowed.
    Strict,
    /// By filters.
    Filter,
}

/// The credentials of a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Credentials {
    /// The five capability sets.
    #[serde(flatten)]
    pub sets: Sets,
    /// The user ids.
    pub uid: Ids,
    /// The group ids.
    pub gid: Ids,
    /// Whether execve can never add privileges (`no_new_privs`); `None` if the kernel does not
    /// tell.
    pub no_new_privs: Option<bool>,
    /// How seccomp confines it; `None` if the kernel is built without seccomp.
    pub seccomp: Option<Seccomp>,
}

/// The name of a line of /proc/PID/status that is missing or not as expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadLine(pub &'static str);

impl Credentials {
    /// Parses the text of /proc/PID/status (`proc_pid_status`, fs/proc/array.c).
    ///
    /// # Errors
    ///
    /// The name of a line that is missing or not as expected.
    pub fn from_status(status: &str) -> Result<Self, BadLine> {
        let lines: HashMap<&str, &str> = status
            .lines()
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name, value.trim()))
            .collect();
        let set = |name: &'static str| {
            lines
                .get(name)
                .and_then(|value| u64::from_str_radix(value, 16).ok())
                .map(CapabilitySet::from_bits)
                .ok_or(BadLine(name))
        };
        let ids = |name: &'static str| {
            let numbers: Vec<u32> = lines
                .get(name)
                .into_iter()
                .flat_map(|value| value.split_whitespace())
                .filter_map(|number| number.parse().ok())
                .collect();
            match numbers[..] {
                [real, effective, saved, filesystem] => Ok(Ids {
                    real,
                    effective,
                    saved,
                    filesystem,
                }),
                _ => Err(BadLine(name)),
            }
        };
        Ok(Self {
            sets: Sets {
                effective: set("CapEff")?,
                permitted: set("CapPrm")?,
                inheritable: set("CapInh")?,
                bounding: set("CapBnd")?,
                ambient: set("CapAmb")?,
            },
            uid: ids("Uid")?,
            gid: ids("Gid")?,
            no_new_privs: lines.get("NoNewPrivs").map(|&value| value != "0"),
            seccomp: match lines.get("Seccomp") {
                Some(&"0") => Some(Seccomp::Disabled),
                Some(&"1") => Some(Seccomp::Strict),
                Some(&"2") => Some(Seccomp::Filter),
                _ => None,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capability::Capability;

    const STATUS: &str = "Name:\tCapEff: x\n\
        Tgid:\t1\nUid:\t1000\t0\t0\t0\nGid:\t1000\t1000\t1000\t1000\n\
        CapInh:\t0000000000000000\nCapPrm:\t0000000000003000\nCapEff:\t0000000000002000\n\
        CapBnd:\t000001ffffffffff\nCapAmb:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n";

    #[test]
    fn each_line_of_status_reaches_its_field() {
        let read = Credentials::from_status(STATUS).unwrap();
        assert_eq!(read.sets.effective, Capability::NET_RAW.into());
        assert_eq!(read.sets.permitted, CapabilitySet::from_bits(0x3000));
        assert_eq!(read.sets.bounding, CapabilitySet::ALL_NAMED);
        assert_eq!((read.uid.real, read.uid.effective), (1000, 0));
        assert_eq!(read.no_new_privs, Some(true));
        assert_eq!(read.seccomp, Some(Seccomp::Filter));
    }

    #[test]
    fn what_the_kernel_leaves_out_is_unknown_and_a_missing_set_is_an_error() {
        let without = |name: &str| -> String {
            STATUS
                .lines()
                .filter(|line| !line.starts_with(name))
                .map(|line| format!("{line}\n"))
                .collect()
        };
        let read = Credentials::from_status(&without("Seccomp")).unwrap();
        assert_eq!(read.seccomp, None);
        let read = Credentials::from_status(&without("NoNewPrivs")).unwrap();
        assert_eq!(read.no_new_privs, None);
        let error = Credentials::from_status(&without("CapAmb")).unwrap_err();
        assert_eq!(error, BadLine("CapAmb"));
    }
}
