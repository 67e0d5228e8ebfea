//! Whether a hook or a transport works here.

use capable_common::{NO_OFFSET, Offsets};

use crate::kernel::{
    hook::{Hook, Transport},
    probe::features::{Features, Support},
};

impl Hook {
    /// Whether it works here.
    pub(crate) fn support(self, features: &Features) -> Support {
        let f = features;
        match self {
            Self::Kprobe => Support::all([
                &f.bpf,
                &f.kprobe,
                &f.btf,
                &f.kernel_reads,
                &f.perf_events,
                &evaluates(&f.layout.offsets, &f.btf),
            ]),
            Self::KprobePair => Support::all([&f.bpf, &f.kprobe, &f.kretprobe, &f.perf_events]),
            Self::Fexit => Support::all([&f.bpf, &f.btf, &f.fexit]),
            Self::Tracepoint => Support::all([&f.bpf, &f.btf, &f.tracepoint]),
        }
    }
}

impl Transport {
    /// Whether it works here.
    pub(crate) fn support(self, features: &Features) -> Support {
        match self {
            Self::Ring => Support::all([&features.bpf, &features.ring_buffer]),
            Self::Perf => Support::all([&features.bpf, &features.perf_events]),
        }
    }
}

/// Everything that is needed to evaluate a result must be found in the kernel's structures.
fn evaluates(offsets: &Offsets, btf: &Support) -> Support {
    let needed = [
        offsets.cred_euid,
        offsets.cred_effective,
        offsets.cred_user_ns,
        offsets.user_ns_parent,
        offsets.user_ns_level,
        offsets.user_ns_owner,
    ];
    if btf.is_yes() && needed.contains(&NO_OFFSET) {
        return Support::no("this kernel's BTF does not describe struct cred and user_namespace");
    }
    Support::Yes
}
