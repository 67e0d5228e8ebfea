//! The limit on locked memory, which kernels before 5.11 charge all programs and maps of root's to.

use std::io;
use std::os::fd::{FromRawFd as _, OwnedFd};

use anyhow::{Context as _, Result, ensure};

use super::shell::{root, try_root};
use crate::guest::syscall::{Argument, call};

/// The limit of a shell that no manager gave another, in KiB.
const LIMIT: u32 = 64;
/// What another program of root's holds, in bytes.
const HELD: u32 = 1 << 20;

/// A map of another program of root's, and the limit as it was before.
struct Other {
    _map: OwnedFd,
    before: libc::rlimit,
}

impl Other {
    /// Makes the map, as bpftrace does: with the limit lifted.
    fn make() -> Result<Self> {
        const BPF_MAP_CREATE: i32 = 0;
        const BPF_MAP_TYPE_ARRAY: u32 = 2;
        let failed = io::Error::from_raw_os_error;
        let mut before = libc::rlimit {
            rlim_cur: 0,
            rlim_max: 0,
        };
        let lifted = libc::rlimit {
            rlim_cur: libc::RLIM_INFINITY,
            rlim_max: libc::RLIM_INFINITY,
        };
        call!(
            SYS_getrlimit,
            libc::RLIMIT_MEMLOCK as i32,
            Argument::write(&mut before)
        )
        .map_err(failed)?;
        limit(&lifted)?;
        let (key, value, entries) = (4, HELD, 1);
        let attributes = [BPF_MAP_TYPE_ARRAY, key, value, entries];
        let map = call!(
            SYS_bpf,
            BPF_MAP_CREATE,
            Argument::read(&attributes),
            size_of_val(&attributes)
        )
        .map_err(failed)
        .context("cannot make a map")?;
        // SAFETY: the kernel has just created the descriptor, and nothing else uses it.
        let map = unsafe { OwnedFd::from_raw_fd(i32::try_from(map)?) };
        Ok(Self { _map: map, before })
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        // A limit can always be lowered.
        let _ = limit(&self.before);
    }
}

fn limit(limit: &libc::rlimit) -> Result<()> {
    call!(
        SYS_setrlimit,
        libc::RLIMIT_MEMLOCK as i32,
        Argument::read(limit)
    )
    .map_err(io::Error::from_raw_os_error)
    .context("cannot set the limit on locked memory")?;
    Ok(())
}

/// It traces, and `doctor` says that it can.
pub fn beside_others() -> Result<()> {
    let _other = Other::make()?;
    root(&format!("ulimit -l {LIMIT}; capable trace -d 1s"))?;
    root(&format!("ulimit -l {LIMIT}; capable doctor"))?;
    Ok(())
}

/// Without CAP_SYS_RESOURCE it says what is missing, on the kernels that have this limit.
pub fn not_lifted() -> Result<()> {
    let _other = Other::make()?;
    let said = try_root(&format!(
        "ulimit -l {LIMIT}; setpriv --bounding-set=-sys_resource capable doctor"
    ))?;
    if said.success {
        let charged = said.stdout.contains("before 5.11");
        ensure!(!charged, "it works without memory: {}", said.stdout);
        return Ok(());
    }
    for part in ["limit on locked memory is 64 KiB", "ulimit -l unlimited"] {
        ensure!(said.stdout.contains(part), "no {part:?}: {}", said.stdout);
    }
    Ok(())
}

/// A command under `run` and under `trace` finds the soft and the hard limit of before.
pub fn given_back() -> Result<()> {
    for subcommand in ["run --report /dev/null", "trace -o json"] {
        let printed = root(&format!(
            "ulimit -l {LIMIT}; capable {subcommand} -- \
             sh -c 'ulimit -Sl >/run/limits; ulimit -Hl >>/run/limits'; cat /run/limits"
        ))?;
        let limits = printed.lines().rev().take(2);
        ensure!(
            limits.eq([LIMIT.to_string(), LIMIT.to_string()]),
            "{subcommand}: {printed}"
        );
    }
    Ok(())
}
