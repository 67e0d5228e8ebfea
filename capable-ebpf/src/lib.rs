//! The kernel side of `capable`: one check in, at most one record out.
//!
//! [`hooks`] turns what a hook gives into a [`hooked::HookedCheck`]. [`check::observe`] gives an
//! overview of the rest: it filters the check, makes a [`settled::SettledCheck`] of it, and counts
//! and sends it. What was not asked for is not computed: the configuration is frozen before the
//! programs load, so the verifier knows each setting and removes the code that it turns off.
//!
//! The maps that both transports share are in [`maps`]; the one that carries the records is
//! declared by each transport's binary, because every map of an object is created when it loads
//! and kernels before 5.8 have no ring buffer.
#![no_std]
#![expect(
    clippy::needless_borrows_for_generic_args,
    reason = "a key or value that is passed by value is copied on a stack of 512 bytes"
)]
#![expect(
    clippy::macro_metavars_in_unsafe,
    reason = "the variables of `config!` are names of fields, which cannot hold unsafe code"
)]
#![cfg_attr(target_arch = "bpf", feature(asm_experimental_arch))]

pub mod arch;
pub mod audit;
pub mod cgroups;
pub mod check;
pub mod clock;
pub mod config;
pub mod count;
pub mod filter;
pub mod hooked;
pub mod hooks;
pub mod life;
pub mod maps;
pub mod memory;
pub mod names;
pub mod operation;
pub mod own;
pub mod programs;
pub mod record;
pub mod settled;
pub mod stack;
pub mod task;
pub mod transport;
pub mod typed;
pub mod unique;
pub mod verdict;
