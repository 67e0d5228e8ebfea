//! Memory: locked, mapped, and promised.

use crate::guest::capabilities::{IPC_LOCK, SYS_ADMIN, SYS_RAWIO};
use crate::guest::syscall::{Argument, call};
use crate::guest::trigger::Verdict::{Denied, Granted};
use crate::guest::trigger::{Trigger, check};

/// How many mappings the trigger `mmap` makes.
pub const MAPPINGS: usize = 1000;

/// Triggers about memory.
pub const TRIGGERS: &[Trigger] = &[
    Trigger::new(
        "mlock",
        "locks a page over the limit",
        &[check(
            IPC_LOCK,
            [Granted, Denied, Denied],
            &["can_do_mlock", "do_mlock", "sys_mlock"],
        )],
        |_| {
            let page = [0_u8; 64];
            call!(SYS_mlock, &page[..], page.len())
        },
    )
    .staged(|_| {
        let limit = libc::rlimit {
            rlim_cur: 0,
            rlim_max: 0,
        };
        call!(SYS_setrlimit, libc::RLIMIT_MEMLOCK, Argument::read(&limit))
            .map_err(std::io::Error::from_raw_os_error)?;
        Ok(-1)
    }),
    Trigger::new(
        "mmap-low",
        "maps address zero, where nobody may read",
        &[check(
            SYS_RAWIO,
            [Granted, Denied, Denied],
            &["cap_mmap_addr"],
        )],
        |_| {
            let page = call!(
                SYS_mmap,
                0,
                4096,
                libc::PROT_NONE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED,
                -1,
                0,
            )?;
            call!(SYS_munmap, page, 4096)
        },
    ),
    Trigger::new(
        "mmap",
        "maps a writable page a thousand times, each of which asks for overcommit",
        &[check(SYS_ADMIN, [Granted, Denied, Denied], &[])
            .unaudited()
            .times(MAPPINGS)],
        |_| {
            for _ in 0..MAPPINGS {
                let page = call!(
                    SYS_mmap,
                    0,
                    4096,
                    libc::PROT_READ | libc::PROT_WRITE,
                    libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                    -1,
                    0,
                )?;
                call!(SYS_munmap, page, 4096)?;
            }
            Ok(0)
        },
    ),
];
