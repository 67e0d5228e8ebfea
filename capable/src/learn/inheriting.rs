//! Whether capset(2) makes anything inheritable.

use capable_common::UNKNOWN_SET;

use crate::event::Event;

/// Whether capset(2) asks for an inheritable set that is not empty; `None` for every other system
/// call, and if it could not be read.
pub fn inherits(event: &Event<'_>) -> Option<bool> {
    let syscall = event.syscall().filter(|syscall| !syscall.compat)?;
    of_call(i64::from(syscall.number), syscall.arguments[2])
}

fn of_call(number: i64, inheritable: u64) -> Option<bool> {
    (number == libc::SYS_capset && inheritable != UNKNOWN_SET).then_some(inheritable != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_capset_says_what_is_to_be_inherited() {
        assert_eq!(of_call(libc::SYS_capset, 0), Some(false));
        assert_eq!(of_call(libc::SYS_capset, 1 << 40), Some(true));
        assert_eq!(of_call(libc::SYS_capset, UNKNOWN_SET), None);
        assert_eq!(of_call(libc::SYS_prctl, 0), None);
    }
}
