//! Whose credentials a task has, and its name, with a single read.

use core::mem::MaybeUninit;

use aya_ebpf::helpers::bpf_get_current_uid_gid;
use capable_common::{COMM_LENGTH, Flags, NO_OFFSET};

use super::{member, name};
use crate::{
    config,
    memory::{read, read_some, word_of},
    typed,
};

/// Whose credentials a task has, and its name.
pub struct Identity {
    /// Its own credentials, and those that it uses. They differ while they are overridden, as by
    /// access(2) and overlayfs.
    credentials: Option<(u64, u64)>,
    /// Its name, as it is in the kernel: there may be anything after its end.
    pub comm: Option<[u64; COMM_LENGTH / 8]>,
}

/// The number of words from `real_cred` through `cred` to the end of `comm`, on kernels whose
/// `task_struct` has them this close together.
const WINDOW: usize = 6;

/// Whose credentials the current task has, and its name.
#[inline(always)]
pub fn identity(task: u64) -> Identity {
    if config!(typed_task) != 0 {
        let pointer = |offset| typed::word(task, offset);
        return Identity {
            credentials: Some((
                pointer(config!(offsets.task_real_cred)),
                pointer(config!(offsets.task_cred)),
            )),
            comm: Some(name::typed(task)),
        };
    }
    let (real, current) = (config!(offsets.task_real_cred), config!(offsets.task_cred));
    let name = config!(offsets.task_comm).wrapping_sub(real);
    let close = real != NO_OFFSET
        && current.wrapping_sub(real) == 8
        && name.is_multiple_of(8)
        && (16..=(WINDOW - 2) as u32 * 8).contains(&name);
    if !close {
        return Identity {
            credentials: credentials(task),
            comm: None,
        };
    }
    let mut window = MaybeUninit::<[u64; WINDOW]>::uninit();
    let address = task.wrapping_add(u64::from(real));
    if !read_some(address, name + COMM_LENGTH as u32, &mut window) {
        return Identity {
            credentials: None,
            comm: None,
        };
    }
    // SAFETY: the window was read up to the end of the name.
    unsafe {
        Identity {
            credentials: Some((word_of(&window, 0), word_of(&window, 8))),
            comm: Some([word_of(&window, name), word_of(&window, name + 8)]),
        }
    }
}

impl Identity {
    /// The real user id of the task, and its real group id. The helper returns those of the
    /// credentials that the task uses, which may be another task's while they are overridden
    /// (kernel/bpf/helpers.c, `bpf_get_current_uid_gid`).
    #[inline(always)]
    pub fn user_and_group(&self) -> (u32, u32) {
        self.credentials
            .and_then(|(real, _)| user_and_group(real))
            .unwrap_or_else(|| {
                let ids = bpf_get_current_uid_gid();
                (ids as u32, (ids >> 32) as u32)
            })
    }

    /// Whose credentials these are.
    #[inline(always)]
    pub fn owner(&self, checked: u64) -> u32 {
        match self.credentials {
            Some((real, _)) if checked == real => Flags::OWNER_KNOWN,
            Some((_, current)) if checked == current => {
                Flags::OWNER_KNOWN | Flags::CREDENTIALS_OVERRIDDEN
            }
            Some(_) => Flags::OWNER_KNOWN | Flags::CREDENTIALS_FOREIGN,
            None => 0,
        }
    }
}

/// A task's own credentials, and those that it uses.
#[inline(always)]
fn credentials(task: u64) -> Option<(u64, u64)> {
    let (real, current) = (config!(offsets.task_real_cred), config!(offsets.task_cred));
    if current.wrapping_sub(real) == 8 && real != NO_OFFSET {
        let [real, current] = read::<[u64; 2]>(task, real)?;
        return Some((real, current));
    }
    Some((read(task, real)?, read(task, current)?))
}

/// The real user id and the real group id of credentials, with one read if they are adjacent, as
/// they are on every kernel so far (include/linux/cred.h).
#[inline(always)]
fn user_and_group(credentials: u64) -> Option<(u32, u32)> {
    let (user, group) = (config!(offsets.cred_uid), config!(offsets.cred_gid));
    if config!(typed_task) == 0 && user != NO_OFFSET && group == user.wrapping_add(4) {
        let [user, group] = read::<[u32; 2]>(credentials, user)?;
        return Some((user, group));
    }
    Some((member(credentials, user)?, member(credentials, group)?))
}
