//! Programs that gain privileges when they are executed.

use std::ffi::CStr;
use std::io;

use crate::guest::capabilities::{CHOWN, NET_RAW, SETUID};
use crate::guest::fork::sleep_forever;
use crate::guest::identity::{Identity, THIRD};
use crate::guest::scene::{FILE_CAPABILITIES, OTHERS_FILE, SET_USER_ID};
use crate::guest::syscall::{Answer, call};
use crate::guest::trigger::Verdict::{Absent, Denied, Granted};
use crate::guest::trigger::{Given, Trigger, check};

/// Triggers about execve(2). They run as an ordinary user: root has nothing to gain, and a child
/// namespace cannot map the owner of these files.
pub const TRIGGERS: &[Trigger] = &[
    Trigger::new(
        "exec-setuid",
        "executes a set-user-ID program that changes a file's owner",
        &[check(
            CHOWN,
            [Absent, Granted, Absent],
            &["chown_ok", "setattr_prepare"],
        )
        .euid(0)],
        |given| execute(SET_USER_ID, c"exec-setuid", given),
    )
    .then(|| call!(SYS_chown, OTHERS_FILE, THIRD, THIRD))
    .only_as(&[Identity::User])
    .harmful(),
    Trigger::new(
        "exec-filecaps",
        "executes a program with the file capability net_raw that opens a raw socket",
        &[check(NET_RAW, [Absent, Granted, Absent], &["inet_create"]).euid(1000)],
        |given| execute(FILE_CAPABILITIES, c"exec-filecaps", given),
    )
    .then(|| {
        call!(
            SYS_socket,
            libc::AF_INET,
            libc::SOCK_RAW,
            libc::IPPROTO_ICMP
        )
    })
    .only_as(&[Identity::User])
    .harmful(),
    Trigger::new(
        "exec-unsafe",
        "executes a set-user-ID program while another process shares its current folder",
        &[check(
            SETUID,
            [Absent, Denied, Absent],
            &["cap_bprm_creds_from_file", "bprm_creds_from_file"],
        )],
        |given| execute(SET_USER_ID, c"exec-unsafe", given),
    )
    .then(|| Ok(0))
    .staged(|_| share_folder())
    .only_as(&[Identity::User])
    .harmful(),
];

/// Executes a copy of this program, which then acts for the trigger. Returns only on failure.
fn execute(program: &CStr, name: &CStr, given: Given<'_>) -> Answer {
    let mut digits = [0_u8; 12];
    let report = decimal(given.report, &mut digits);
    let arguments = [
        program.as_ptr(),
        c"guest".as_ptr(),
        c"after-exec".as_ptr(),
        name.as_ptr(),
        report.as_ptr(),
        std::ptr::null(),
    ];
    let environment: [*const libc::c_char; 1] = [std::ptr::null()];
    call!(
        SYS_execve,
        program,
        crate::guest::syscall::Argument::read(&arguments),
        crate::guest::syscall::Argument::read(&environment),
    )
}

/// Writes a number with its NUL without allocating memory, which would make a check of its own.
fn decimal(number: i32, digits: &mut [u8; 12]) -> &CStr {
    let mut rest = number.unsigned_abs();
    let mut at = digits.len() - 1;
    digits[at] = 0;
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    CStr::from_bytes_until_nul(&digits[at..]).unwrap_or(c"0")
}

/// Starts a process that shares the current directory and root (`CLONE_FS`), which makes gaining
/// privileges unsafe (fs/exec.c, `check_unsafe_exec`).
fn share_folder() -> io::Result<i32> {
    let child = call!(SYS_clone, libc::CLONE_FS | libc::SIGCHLD, 0, 0, 0, 0)
        .map_err(io::Error::from_raw_os_error)?;
    if child == 0 {
        call!(SYS_prctl, libc::PR_SET_PDEATHSIG, libc::SIGKILL, 0, 0, 0)
            .map_err(io::Error::from_raw_os_error)?;
        sleep_forever();
    }
    i32::try_from(child).map_err(io::Error::other)
}
