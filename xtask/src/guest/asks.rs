//! Programs that make one system call each, for which Debian has none.

use std::io;
use std::process::ExitCode;

use anyhow::{Context as _, Result};

use super::syscall::{Answer, Argument, call};

/// What such a program does.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum Asks {
    /// Raises its own priority.
    Priority,
    /// Makes a BPF array.
    BpfArray,
    /// Makes a message queue that is larger than /proc/sys/fs/mqueue/msg_max allows.
    Queue,
}

impl Asks {
    /// Does it.
    ///
    /// # Errors
    /// What the kernel answers.
    pub fn run(self) -> Result<ExitCode> {
        let answer = match self {
            Self::Priority => call!(SYS_setpriority, libc::PRIO_PROCESS, 0, -5),
            Self::BpfArray => bpf_array(),
            Self::Queue => queue(),
        };
        answer
            .map_err(io::Error::from_raw_os_error)
            .with_context(|| format!("refused: {self:?}"))?;
        Ok(ExitCode::SUCCESS)
    }
}

fn bpf_array() -> Answer {
    // BPF_MAP_CREATE of BPF_MAP_TYPE_ARRAY: type, sizes of key and value, entries
    // (include/uapi/linux/bpf.h).
    let array = [2_u32, 4, 4, 1];
    call!(SYS_bpf, 0, Argument::read(&array), size_of_val(&array))
}

fn queue() -> Answer {
    let name = c"capable";
    let size: [i64; 8] = [0, 100, 64, 0, 0, 0, 0, 0];
    let flags = libc::O_CREAT | libc::O_RDWR;
    let queue = call!(SYS_mq_open, name, flags, 0o600, Argument::read(&size))?;
    call!(SYS_mq_unlink, name)?;
    Ok(queue)
}
