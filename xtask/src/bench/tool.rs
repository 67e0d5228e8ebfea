//! A tracer that is measured: started, waited for until it traces, observed, and stopped.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::load;

/// How long a tracer may take to start tracing, on the guest's clock.
const START_LIMIT: Duration = Duration::from_secs(180);
/// How long it may take to end.
const STOP_LIMIT: Duration = Duration::from_secs(60);

/// Where its rows go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// `/dev/null`
    Null,
    /// A file in memory
    File,
}

/// A running tracer, ended when it is dropped.
pub struct Tool {
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
    /// The time of its start, by [`load::monotonic`].
    pub started: u64,
}

/// What a tracer left behind.
pub struct Left {
    /// What it printed, if that went to a file.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
}

impl Tool {
    /// Starts it.
    pub fn spawn(line: &[String], output: Output) -> Result<Self> {
        let stdout = PathBuf::from("/tmp/bench-stdout");
        let stderr = PathBuf::from("/tmp/bench-stderr");
        let to = match output {
            Output::Null => Path::new("/dev/null"),
            Output::File => &stdout,
        };
        let (program, arguments) = line.split_first().context("no program")?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            // bpftrace parses types from the headers it finds; and all of them should write for a
            // user's eyes.
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::null())
            .stdout(File::create(to)?)
            .stderr(File::create(&stderr)?);
        let started = load::monotonic();
        let child = command
            .spawn()
            .with_context(|| format!("cannot run {program}"))?;
        Ok(Self {
            child,
            stdout,
            stderr,
            started,
        })
    }

    /// Waits until it has nothing left to do, that is, until it has used little CPU time for a
    /// while. `meanwhile` is called repeatedly; between the calls this sleeps.
    pub fn settle(&mut self, mut meanwhile: impl FnMut()) -> Result<()> {
        const WINDOW: Duration = Duration::from_millis(500);
        const STEP: Duration = Duration::from_micros(500);
        let start = load::monotonic();
        let mut used = self.used()?;
        let mut quiet = 0;
        while quiet < 3 {
            let window = load::monotonic();
            while load::monotonic() - window < WINDOW.as_nanos() as u64 {
                meanwhile();
                sleep(STEP);
            }
            if let Some(status) = self.child.try_wait()? {
                let said = fs::read_to_string(&self.stderr)?;
                bail!("it ended with {status}: {}", said.trim());
            }
            let now = self.used()?;
            let share = (now - used) as f64 / (load::monotonic() - window) as f64;
            quiet = if share < 0.2 { quiet + 1 } else { 0 };
            used = now;
            if load::monotonic() - start > START_LIMIT.as_nanos() as u64 {
                bail!("it is still busy after {} s", START_LIMIT.as_secs());
            }
        }
        Ok(())
    }

    /// CPU time of its threads in nanoseconds (fs/proc/base.c, `proc_pid_schedstat`).
    pub fn used(&self) -> Result<u64> {
        let mut sum = 0;
        for task in self.tasks()? {
            let text = fs::read_to_string(task.join("schedstat")).unwrap_or_default();
            let number = text.split_whitespace().next().and_then(|n| n.parse().ok());
            sum += number.unwrap_or(0_u64);
        }
        Ok(sum)
    }

    /// Nanoseconds that its eBPF programs have run, while the kernel counts that
    /// (kernel/bpf/syscall.c, `bpf_prog_show_fdinfo`).
    pub fn programs_ran(&self) -> Result<u64> {
        let mut sum = 0;
        for descriptor in fs::read_dir(self.folder().join("fdinfo"))? {
            let text = fs::read_to_string(descriptor?.path()).unwrap_or_default();
            let number = text
                .lines()
                .find_map(|line| line.strip_prefix("run_time_ns:"))
                .and_then(|rest| rest.trim().parse::<u64>().ok());
            sum += number.unwrap_or(0);
        }
        Ok(sum)
    }

    /// How often its threads were switched to.
    pub fn switches(&self) -> Result<u64> {
        let mut sum = 0;
        for task in self.tasks()? {
            let text = fs::read_to_string(task.join("status")).unwrap_or_default();
            sum += text
                .lines()
                .filter(|line| line.contains("ctxt_switches:"))
                .filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok())
                .sum::<u64>();
        }
        Ok(sum)
    }

    /// The most memory that it had at once, in KiB.
    pub fn peak_memory(&self) -> Result<u64> {
        let text = fs::read_to_string(self.folder().join("status"))?;
        text.lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
            .context("no VmHWM")
    }

    /// The size of the program and of the libraries that it has loaded, in bytes.
    pub fn size(&self) -> Result<u64> {
        let maps = fs::read_to_string(self.folder().join("maps"))?;
        let mut files: Vec<&str> = maps
            .lines()
            .filter_map(|line| line.split_whitespace().nth(5))
            .filter(|path| {
                path.starts_with("/usr")
                    && (path.contains("/bin/") || path.contains("/sbin/") || path.contains(".so"))
            })
            .collect();
        files.sort_unstable();
        files.dedup();
        let sizes = files.iter().filter_map(|path| fs::metadata(path).ok());
        Ok(sizes.map(|metadata| metadata.len()).sum())
    }

    /// Ends it as Ctrl-C does.
    pub fn stop(mut self) -> Result<Left> {
        // SAFETY: two numbers; the process is our child, not yet waited for.
        unsafe { libc::kill(self.child.id() as i32, libc::SIGINT) };
        let start = load::monotonic();
        while self.child.try_wait()?.is_none() {
            if load::monotonic() - start > STOP_LIMIT.as_nanos() as u64 {
                bail!("it does not end");
            }
            sleep(Duration::from_millis(10));
        }
        let text = |path: &Path| -> Result<String> {
            Ok(String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned())
        };
        let left = Left {
            stdout: text(&self.stdout)?,
            stderr: text(&self.stderr)?,
        };
        // The next tracer's output must not be mistaken for this one's.
        let _ = fs::remove_file(&self.stdout);
        Ok(left)
    }

    fn folder(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}", self.child.id()))
    }

    fn tasks(&self) -> Result<Vec<PathBuf>> {
        let mut tasks = Vec::new();
        for task in fs::read_dir(self.folder().join("task"))? {
            tasks.push(task?.path());
        }
        Ok(tasks)
    }
}

impl Drop for Tool {
    fn drop(&mut self) {
        // Usually it has ended already; otherwise there is nothing more to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Left {
    /// The rows of processes of this name.
    pub fn rows(&self, comm: &str) -> u64 {
        let rows = self.stdout.lines().filter(|line| line.contains(comm));
        rows.count() as u64
    }

    /// How many losses it reports, all its messages added up: `Lost 12 events` of bpftrace,
    /// `Possibly lost 12 samples` of bcc, `lost 12 events on CPU #0` of libbpf-tools, `12 lost` of
    /// capable.
    pub fn lost(&self) -> u64 {
        let lines = self.stdout.lines().chain(self.stderr.lines());
        lines
            .filter(|line| !line.contains("bench-"))
            .filter_map(lost_in)
            .sum()
    }
}

fn lost_in(line: &str) -> Option<u64> {
    let words: Vec<&str> = line
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let at = words
        .iter()
        .position(|word| word.eq_ignore_ascii_case("lost"))?;
    let number = |at: usize| words.get(at)?.parse().ok();
    if line.starts_with("capable: ") {
        number(at.checked_sub(1)?)
    } else {
        number(at + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tracer_says_in_its_own_words_what_it_lost() {
        assert_eq!(lost_in("Lost 12 events"), Some(12));
        assert_eq!(lost_in("Possibly lost 7 samples"), Some(7));
        assert_eq!(lost_in("lost 3 events on CPU #0"), Some(3));
        assert_eq!(lost_in("capable: 9 checks seen, 5 shown, 4 lost"), Some(4));
        assert_eq!(lost_in("Attaching 2 probes..."), None);
    }
}
