//! Or-chains: which capability the kernel accepts in place of another.

use super::Capability;

/// Two capabilities: the kernel asks for the first and, if it is not held, for the second.
///
/// A process that holds the first is never asked for the second; otherwise both checks appear. The
/// facts are from Linux 6.12 unless another version is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrChain {
    /// The capability to name in a profile, because it allows less.
    pub narrow: Capability,
    /// The capability that the kernel accepts as well.
    pub wide: Capability,
    /// Where it is accepted: the rest of "the wide one is accepted ...".
    pub place: &'static str,
    /// The kernel functions that ask.
    pub functions: &'static [&'static str],
    /// Whether the chain holds wherever the kernel commonly asks for the narrow one, and not just
    /// in a few functions.
    pub general: bool,
}

/// Every chain, the general ones first.
pub const OR_CHAINS: &[OrChain] = &[
    // include/linux/capability.h; kernel/bpf/token.c for the second.
    OrChain {
        narrow: Capability::PERFMON,
        wide: Capability::SYS_ADMIN,
        place: "wherever it is asked",
        functions: &["perfmon_capable", "bpf_token_capable"],
        general: true,
    },
    OrChain {
        narrow: Capability::BPF,
        wide: Capability::SYS_ADMIN,
        place: "wherever it is asked",
        functions: &["bpf_capable", "bpf_token_capable"],
        general: true,
    },
    OrChain {
        narrow: Capability::CHECKPOINT_RESTORE,
        wide: Capability::SYS_ADMIN,
        place: "wherever it is asked",
        functions: &["checkpoint_restore_ns_capable"],
        general: true,
    },
    // fs/namei.c. Old kernels ask in the other order.
    OrChain {
        narrow: Capability::DAC_READ_SEARCH,
        wide: Capability::DAC_OVERRIDE,
        place: "for the permissions of files and directories, but not for opening by handle or \
         linking an open file",
        functions: &["generic_permission"],
        general: true,
    },
    // kernel/printk/printk.c: there in 6.1, gone in 6.12.
    OrChain {
        narrow: Capability::SYSLOG,
        wide: Capability::SYS_ADMIN,
        place: "for the kernel log, with a warning, by old kernels (6.1 still accepts it, 6.12 \
         does not)",
        functions: &["check_syslog_permissions"],
        general: true,
    },
    // net/core/sock.c, net/ipv4/ip_sockglue.c, net/ipv6/ipv6_sockglue.c.
    OrChain {
        narrow: Capability::NET_RAW,
        wide: Capability::NET_ADMIN,
        place: "for the socket options SO_MARK, SO_PRIORITY and IP_TRANSPARENT, and for SO_MARK in a \
                control message",
        functions: &[
            "sk_setsockopt",
            "__sock_cmsg_send",
            "do_ip_setsockopt",
            "do_ipv6_setsockopt",
        ],
        general: false,
    },
    // kernel/bpf/token.c, include/linux/bpf.h.
    OrChain {
        narrow: Capability::NET_ADMIN,
        wide: Capability::SYS_ADMIN,
        place: "for networking BPF programs only",
        functions: &["bpf_token_capable", "bpf_net_capable"],
        general: false,
    },
    // kernel/fork.c, fs/pipe.c, net/unix/af_unix.c.
    OrChain {
        narrow: Capability::SYS_RESOURCE,
        wide: Capability::SYS_ADMIN,
        place: "for the number of processes, the size of pipes and descriptors in flight over Unix \
                sockets",
        functions: &[
            "copy_process",
            "pipe_is_unprivileged_user",
            "too_many_unix_fds",
        ],
        general: false,
    },
    // block/ioprio.c, which asks for CAP_SYS_ADMIN first.
    OrChain {
        narrow: Capability::SYS_NICE,
        wide: Capability::SYS_ADMIN,
        place: "for the real-time class of I/O, where the kernel asks for it first",
        functions: &["ioprio_check_cap"],
        general: false,
    },
    // kernel/events/core.c: ptrace access to the measured process does too.
    OrChain {
        narrow: Capability::PERFMON,
        wide: Capability::SYS_PTRACE,
        place: "for perf_event_open on a single process of another user",
        functions: &["perf_check_permission"],
        general: false,
    },
];

impl Capability {
    /// The wider capability that the kernel accepts when it asks for this one.
    ///
    /// Only if this holds in general. For `SYSLOG` it depends on the kernel's version: a kernel
    /// that still falls back also asks for the wide one.
    pub fn wider(self) -> Option<Self> {
        OR_CHAINS
            .iter()
            .find(|chain| chain.general && chain.narrow == self)
            .map(|chain| chain.wide)
    }

    /// The capabilities that are accepted in place of this one, and where.
    pub fn accepted_instead(self) -> impl Iterator<Item = &'static OrChain> {
        OR_CHAINS.iter().filter(move |chain| chain.narrow == self)
    }

    /// The capabilities in place of which this one is accepted, and where.
    pub fn stands_in_for(self) -> impl Iterator<Item = &'static OrChain> {
        OR_CHAINS.iter().filter(move |chain| chain.wide == self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_narrow_capabilities_of_5_8_name_the_one_they_were_cut_from() {
        for narrow in [
            Capability::BPF,
            Capability::PERFMON,
            Capability::CHECKPOINT_RESTORE,
        ] {
            assert_eq!(narrow.wider(), Some(Capability::SYS_ADMIN), "{narrow}");
        }
        assert_eq!(
            Capability::DAC_READ_SEARCH.wider(),
            Some(Capability::DAC_OVERRIDE)
        );
    }

    #[test]
    fn what_is_accepted_in_a_few_places_only_is_no_wider_capability() {
        assert_eq!(Capability::NET_RAW.wider(), None);
        assert_eq!(Capability::SYS_ADMIN.wider(), None);
        assert_eq!(Capability::NET_RAW.accepted_instead().count(), 1);
    }

    #[test]
    fn no_chain_leads_back_to_where_it_began() {
        for first in Capability::all() {
            let mut next = first.wider();
            while let Some(capability) = next {
                assert_ne!(capability, first);
                next = capability.wider();
            }
        }
    }
}
