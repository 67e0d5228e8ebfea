//! The tracer's own checks, which tell it what its hook sees and which arguments are passed.

use crate::{
    config,
    maps::{self, add},
};

/// Whether a process is the tracer.
#[inline(always)]
pub fn is_tracer(pid: u32) -> bool {
    pid == config!(own_pid)
}

/// Records one of the tracer's own checks.
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
