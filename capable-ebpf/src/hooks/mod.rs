//! What each hook gives. The three here see `cap_capable` once for each check. The pair of probes
//! and the functions that have it inlined have modules of their own.

pub mod inlined;
pub mod pair;

use aya_ebpf::programs::{BtfTracePointContext, FExitContext, ProbeContext};

use crate::{check, hooked::HookedCheck, transport::Transport};

/// The entry of `cap_capable`. The result is evaluated. Its four arguments are in registers, which
/// are always known.
///
/// ```c
/// int cap_capable(const struct cred *cred, struct user_namespace *ns, int cap, int audit); // to 5.0
/// int cap_capable(const struct cred *cred, struct user_namespace *ns, int cap, unsigned int opts);
/// ```
#[inline(always)]
pub fn entry<T: Transport>(context: &ProbeContext) {
    check::observe::<false, T, _>(context, || HookedCheck {
        exclusive: true,
        ..HookedCheck::of_call(
            context.arg(0).unwrap_or(0),
            context.arg(1).unwrap_or(0),
            context.arg(2).unwrap_or(0),
            context.arg(3).unwrap_or(0),
        )
    });
}

/// The exit of `cap_capable`: its arguments, and in the slot after them its result.
#[inline(always)]
pub fn exit<T: Transport>(context: &FExitContext) {
    check::observe::<false, T, _>(context, || HookedCheck {
        result: Some(context.arg(4)),
        ..HookedCheck::of_call(
            context.arg(0),
            context.arg(1),
            context.arg(2),
            context.arg(3),
        )
    });
}

/// The tracepoint `capability:cap_capable` (6.14 and later, include/trace/events/capability.h).
///
/// ```c
/// TP_PROTO(const struct cred *cred, struct user_namespace *target_ns,
///          const struct user_namespace *capable_ns, int cap, int ret)
/// ```
#[inline(always)]
pub fn tracepoint<T: Transport>(context: &BtfTracePointContext) {
    check::observe::<true, T, _>(context, || HookedCheck {
        result: Some(context.arg(4)),
        ..HookedCheck::of_call(context.arg(0), context.arg(1), context.arg(3), 0)
    });
}
