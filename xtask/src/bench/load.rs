//! The load that makes the checks: `xtask guest load`, a loop of system calls that ask for a
//! capability.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

/// The name of the process, by which its rows are found.
pub const COMM: &str = "bench-load";

/// How long a tracer may take to write what is still in its buffers after the load has ended.
const DRAIN: Duration = Duration::from_secs(1);

/// Checks before those that are counted: the first iterations fault in pages.
pub const WARM_UP: u64 = 100;

/// What a turn of the loop does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LoadKind {
    /// `setuid(0)`: one audited check of CAP_SETUID (kernel/sys.c, `__sys_setuid`).
    Audited,
    /// The kernel's symbol table opened and closed: one check of CAP_SYSLOG that is not audited
    /// (kernel/kallsyms.c, `kallsyms_show_value`). The commoner one, of each new mapping, is
    /// compiled into its caller on some kernels, where no hook sees it.
    Unaudited,
}

impl LoadKind {
    /// In the form of the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Audited => "audited",
            Self::Unaudited => "unaudited",
        }
    }
}

/// Options of `xtask guest load`.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Options {
    /// How many checks
    #[arg(long, default_value_t = 20_000)]
    pub checks: u64,
    /// How many of them without a pause
    #[arg(long, default_value_t = u64::MAX)]
    pub burst: u64,
    /// Milliseconds of a pause
    #[arg(long, default_value_t = 100)]
    pub pause: u64,
    /// Which checks
    #[arg(long, value_enum, default_value = "audited")]
    pub kind: LoadKind,
}

/// What a load took, in nanoseconds; in a guest that counts instructions, in instructions.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Taken {
    /// By all CPUs while they were not idle, until the last buffer was drained.
    pub busy: u64,
    /// From the first check to the last.
    pub span: u64,
}

/// Runs the subcommand.
pub fn run(options: Options) -> Result<()> {
    set_comm(COMM);
    for _ in 0..WARM_UP {
        check(options.kind);
    }
    sleep(DRAIN);
    let busy = busy_time()?;
    let start = monotonic();
    let mut left = options.checks;
    loop {
        let burst = left.min(options.burst);
        for _ in 0..burst {
            check(options.kind);
        }
        left -= burst;
        if left == 0 {
            break;
        }
        sleep(Duration::from_millis(options.pause));
    }
    let last = monotonic();
    sleep(DRAIN);
    let taken = Taken {
        busy: busy_time()?.saturating_sub(busy),
        span: last - start,
    };
    println!("{}", serde_json::to_string(&taken)?);
    Ok(())
}

/// Makes one check.
pub fn check(kind: LoadKind) {
    match kind {
        LoadKind::Audited => {
            // SAFETY: the call takes a number, and root stays root.
            unsafe { libc::syscall(libc::SYS_setuid, 0) };
        }
        LoadKind::Unaudited => {
            // SAFETY: the path is static, and the descriptor is ours.
            unsafe {
                let file = libc::open(c"/proc/kallsyms".as_ptr(), libc::O_RDONLY);
                libc::close(file);
            }
        }
    }
}

/// Names the process, with up to 15 bytes.
pub fn set_comm(comm: &str) {
    let mut name = [0_u8; 16];
    for (to, from) in name.iter_mut().zip(comm.bytes().take(15)) {
        *to = from;
    }
    // SAFETY: the kernel reads 16 bytes (kernel/sys.c, PR_SET_NAME).
    unsafe { libc::prctl(libc::PR_SET_NAME, name.as_ptr()) };
}

/// CLOCK_MONOTONIC, in nanoseconds, which is the clock that idle time is measured with.
pub fn monotonic() -> u64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the clock exists on every Linux, and the structure is ours.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// How long the CPUs have not been idle so far, in nanoseconds.
fn busy_time() -> Result<u64> {
    if let Some(idle) = idle_time()? {
        return Ok(monotonic().saturating_sub(idle));
    }
    time_of_tasks()
}

/// The time that the CPU was idle, in nanoseconds (kernel/time/timer_list.c prints `idle_sleeptime`
/// of each `tick_sched`); `None` if the kernel does not print it, as in 7.3.
fn idle_time() -> Result<Option<u64>> {
    let path = "/proc/timer_list";
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?;
    let times = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix(".idle_sleeptime"))
        .filter_map(|rest| rest.split_whitespace().nth(1))
        .filter_map(|number| number.parse::<u64>().ok());
    Ok(times.fold(None, |sum, time| Some(sum.unwrap_or(0) + time)))
}

/// The time that the CPUs ran tasks: all time that is not idle, except interrupts during idle time
/// (the seventh number of a CPU, Documentation/scheduler/sched-stats.rst).
fn time_of_tasks() -> Result<u64> {
    let path = "/proc/schedstat";
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?;
    let times = text
        .lines()
        .filter(|line| line.starts_with("cpu"))
        .filter_map(|line| line.split_whitespace().nth(7)?.parse::<u64>().ok());
    Ok(times.sum())
}
