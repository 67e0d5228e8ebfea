//! Checks of the tracer's own, by which it learns what its hook sees and passes.

use crate::{
    config,
    maps::{self, add},
};

/// Whether a process is the tracer.
#[inline(always)]
pub fn is_tracer(pid: u32) -> bool {
    pid == config!(own_pid)
}

/// Remembers a check of the tracer's own.
#[inline(always)]
pub fn remember(capability: i32, options: u32) {
    if let Some(own) = maps::OWN_CHECKS.get_ptr_mut(capability as u32) {
        // SAFETY: the entry lives as long as the map, and only the tracer's single checking
        // thread changes it.
        unsafe {
            add(&mut (*own).checks);
            (*own).options = u64::from(options);
        }
    }
}
