//! The hooks and transports that this kernel must offer.

use std::path::Path;

use super::kernel::Version;

/// One way to trace: a hook with a transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    /// As `--hook` names it.
    pub hook: &'static str,
    /// As `--transport` names it.
    pub transport: &'static str,
}

impl Way {
    /// The options that choose it.
    pub fn options(self) -> [&'static str; 4] {
        ["--hook", self.hook, "--transport", self.transport]
    }
}

/// All hooks, as `--hook` names them.
pub const HOOKS: [&str; 4] = ["kprobe", "kretprobe", "fexit", "tracepoint"];

/// Both transports, as `--transport` names them.
pub const TRANSPORTS: [&str; 2] = ["ring", "perf"];

/// Whether this kernel must offer a hook: if the kernel has it, it is a failure if the program
/// cannot use it.
pub fn must_work(hook: &str, kernel: Version) -> bool {
    match hook {
        // include/trace/events/capability.h came with 6.14.
        "tracepoint" => kernel >= Version(6, 14),
        // kernel/events/core.c registers the PMU only with CONFIG_KPROBE_EVENTS. This machine's
        // kernel, which lacks it, refuses fexit too.
        _ => Path::new("/sys/bus/event_source/devices/kprobe").exists(),
    }
}

/// All ways to trace that must work.
pub fn ways(kernel: Version) -> Vec<Way> {
    let mut ways = Vec::new();
    for hook in HOOKS.into_iter().filter(|hook| must_work(hook, kernel)) {
        for transport in TRANSPORTS {
            ways.push(Way { hook, transport });
        }
    }
    ways
}
