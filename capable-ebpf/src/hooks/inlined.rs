//! The functions into which some builds of the kernel have `cap_capable` inlined. What each of them
//! asks for follows from its arguments and from the current task, so a hook on its entry is enough.

use aya_ebpf::EbpfContext;

use crate::{
    audit, check, config,
    hooked::{HookedCheck, HookedFunction, TargetNamespace},
    memory::read,
    task,
    transport::Transport,
};

/// `CAP_SETPCAP`, `CAP_SYS_RAWIO` and `CAP_SYS_ADMIN` (include/uapi/linux/capability.h).
const SETPCAP: i32 = 8;
const SYS_RAWIO: i32 = 17;
const SYS_ADMIN: i32 = 21;

/// `PR_SET_SECUREBITS` (include/uapi/linux/prctl.h).
const PR_SET_SECUREBITS: i32 = 28;

/// The locks among the securebits: every second bit (include/uapi/linux/securebits.h).
const SECURE_LOCKS: u64 = 0xAAAA_AAAA;

/// The entry of `cap_vm_enough_memory`. It always asks for `CAP_SYS_ADMIN` over the initial
/// namespace, without audit (security/commoncap.c).
#[inline(always)]
pub fn overcommit<T: Transport, C: EbpfContext>(context: &C) {
    let check = HookedCheck::inlined(
        HookedFunction::Overcommit,
        used_credentials().unwrap_or(0),
        TargetNamespace::Initial,
        SYS_ADMIN,
        audit::NOAUDIT,
    );
    check::observe::<false, T, C>(context, || check);
}

/// The entry of `cap_capset`. It first asks for `CAP_SETPCAP` over the namespace of the current
/// credentials (security/commoncap.c, `cap_inh_is_capped`).
#[inline(always)]
pub fn capset<T: Transport, C: EbpfContext>(context: &C) {
    let check = HookedCheck::inlined(
        HookedFunction::Capset,
        used_credentials().unwrap_or(0),
        TargetNamespace::Own,
        SETPCAP,
        0,
    );
    check::observe::<false, T, C>(context, || check);
}

/// The entry of `cap_task_prctl`. To set the securebits it asks for `CAP_SETPCAP` over the
/// namespace of the current credentials, unless a locked bit would change, a lock would be taken
/// away, or a bit is unknown (security/commoncap.c).
///
/// ```c
/// int cap_task_prctl(int option, unsigned long arg2, unsigned long arg3, unsigned long arg4,
///                    unsigned long arg5);
/// ```
#[inline(always)]
pub fn prctl<T: Transport, C: EbpfContext>(context: &C, option: i32, wanted: u64) {
    if option != PR_SET_SECUREBITS {
        return;
    }
    let Some(credentials) = used_credentials() else {
        return;
    };
    let Some(bits) = read::<u32>(credentials, config!(offsets.cred_securebits)) else {
        return;
    };
    let (bits, known) = (u64::from(bits), u64::from(config!(securebits)));
    let locks = bits & known & SECURE_LOCKS;
    if (locks >> 1) & (bits ^ wanted) == 0 && locks & !wanted == 0 && wanted & !known == 0 {
        let check = HookedCheck::inlined(
            HookedFunction::Prctl,
            credentials,
            TargetNamespace::Own,
            SETPCAP,
            0,
        );
        check::observe::<false, T, C>(context, || check);
    }
}

/// The entry of `cap_mmap_addr`. For an address below `vm.mmap_min_addr` it asks for
/// `CAP_SYS_RAWIO` over the initial namespace (security/commoncap.c).
#[inline(always)]
pub fn low_mapping<T: Transport, C: EbpfContext>(context: &C, address: u64) {
    if address < config!(lowest_mapping) {
        let check = HookedCheck::inlined(
            HookedFunction::LowMapping,
            used_credentials().unwrap_or(0),
            TargetNamespace::Initial,
            SYS_RAWIO,
            0,
        );
        check::observe::<false, T, C>(context, || check);
    }
}

/// The credentials that the current task uses, which are the ones that all functions with an
/// inlined check ask about.
#[inline(always)]
fn used_credentials() -> Option<u64> {
    read(task::current(), config!(offsets.task_cred))
}
