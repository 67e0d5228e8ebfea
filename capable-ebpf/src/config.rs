//! The configuration, which is constant by the time the verifier sees it.

use aya_ebpf::Global;
use capable_common::{Config, Wanted};

/// What user space sets before it loads a program.
///
/// The verifier of 5.5 and later reads frozen read-only maps as constants and drops the branches
/// that cannot be taken (kernel/bpf/verifier.c, `check_mem_access` with `bpf_map_is_rdonly`).
#[unsafe(no_mangle)]
pub static CONFIG: Global<Config> = Global::new(Config::PLAIN);

/// Reads one field of [`CONFIG`]: a load that the verifier folds, not a copy of the whole.
#[macro_export]
macro_rules! config {
    ($($field:tt)+) => {{
        let config = (&raw const $crate::config::CONFIG).cast::<::capable_common::Config>();
        // SAFETY: `Global<T>` is a transparent wrapper of an initialised `T`, and a static is
        // valid for reads; volatile, because user space writes it after compilation.
        unsafe { ::core::ptr::read_volatile(&raw const (*config).$($field)+) }
    }};
}

/// Whether something is asked for besides the plain check.
#[inline(always)]
pub fn wants(what: Wanted) -> bool {
    crate::config!(wanted).contains(what)
}
