//! Whether a set*id call changes any user id: the kernel asks for CAP_SETUID before it looks.

use crate::event::{Event, INITIAL_USER_NAMESPACE};

/// Whether setuid(2) or setresuid(2) sets the ids that the task already has; `None` for other
/// system calls, and if it cannot be determined.
///
/// The record has the real and the effective user id. It does not have the group ids, and within a
/// user namespace the arguments are not the numbers that the kernel uses.
pub fn unchanged(event: &Event<'_>) -> Option<bool> {
    const SETUID: i32 = libc::SYS_setuid as i32;
    const SETRESUID: i32 = libc::SYS_setresuid as i32;
    /// "Leave this id as it is" (setresuid(2)).
    const SAME: u32 = u32::MAX;

    let syscall = event.syscall().filter(|syscall| !syscall.compat)?;
    let credentials = event.credentials()?;
    if credentials.namespace != INITIAL_USER_NAMESPACE {
        return None;
    }
    let (real, effective) = (event.uid(), credentials.euid);
    let [first, second, third, ..] = syscall.arguments.map(|argument| argument as u32);
    match syscall.number {
        SETUID => Some(first == real && first == effective),
        SETRESUID => {
            let kept = |asked: u32, id: u32| asked == SAME || asked == id;
            // The saved id is not in the record: only if the call leaves it alone is it known to
            // stay the same.
            if kept(first, real) && kept(second, effective) {
                (third == SAME).then_some(true)
            } else {
                Some(false)
            }
        }
        _ => None,
    }
}
