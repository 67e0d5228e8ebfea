//! The kernel side of `capable`: one check in, at most one record out.
//!
//! [`hooks`] turns what a hook gives into an [`check::Asked`]; [`check::observe`] filters it,
//! settles the verdict, counts and sends. What was not asked for is not computed: the
//! configuration is frozen before the programs load, so the verifier knows each answer and removes
//! the code behind it.
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
pub mod check;
pub mod config;
pub mod count;
pub mod filter;
pub mod hooks;
pub mod life;
pub mod maps;
pub mod memory;
pub mod pair;
pub mod task;
pub mod transport;
pub mod typed;
pub mod verdict;
