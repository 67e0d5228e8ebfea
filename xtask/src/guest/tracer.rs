//! Starts the real program, waits until it traces, and reads what it printed.

use std::fs::{self, File};
use std::io;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use serde::de::DeserializeOwned;

use super::folder;
use super::processors::leave_the_first;
use super::rows::Row;
use super::syscall::call;

/// How long loading and attaching may take in an emulated machine.
const START_LIMIT: Duration = Duration::from_secs(60);
/// How long the program may take to end.
const STOP_LIMIT: Duration = Duration::from_secs(60);
/// How often files are looked at.
const PAUSE: Duration = Duration::from_millis(20);

/// A running `capable`. Ended when it is dropped.
#[derive(Debug)]
pub struct Tracer {
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
}

/// What is done in the new process before it executes `capable`.
#[derive(Clone, Copy, Debug)]
pub enum Prepare {
    /// Nothing.
    Nothing,
    /// This.
    Child(fn() -> io::Result<()>),
}

/// What a run of `capable` left behind.
#[derive(Debug)]
pub struct Finished {
    /// How it ended.
    pub status: ExitStatus,
    /// What it printed.
    pub stdout: String,
    /// What it said.
    pub stderr: String,
    /// From the signal to the end.
    pub took: Duration,
}

impl Tracer {
    /// Starts `capable` with these arguments and waits until it says that it traces.
    ///
    /// # Errors
    /// If it ends before that, or reports nothing for a minute.
    pub fn start(arguments: &[&str]) -> Result<Self> {
        Self::start_after(arguments, Prepare::Nothing)
    }

    /// The same, in a process that was prepared.
    ///
    /// # Errors
    /// As [`Self::start`], and when it cannot be prepared.
    pub fn start_after(arguments: &[&str], prepare: Prepare) -> Result<Self> {
        Self::start_program("capable", arguments, prepare)
    }

    /// The same, with a copy of the program.
    ///
    /// # Errors
    /// As [`Self::start_after`].
    pub fn start_program(program: &str, arguments: &[&str], prepare: Prepare) -> Result<Self> {
        let mut tracer = Self::spawn(program, arguments, prepare)?;
        let start = Instant::now();
        loop {
            let said = fs::read_to_string(&tracer.stderr)?;
            if said.lines().any(says_that_it_traces) {
                return Ok(tracer);
            }
            if let Some(status) = tracer.child.try_wait()? {
                bail!("capable {arguments:?} ended with {status}: {}", said.trim());
            }
            if start.elapsed() > START_LIMIT {
                bail!("capable {arguments:?} does not say that it traces: {said:?}");
            }
            sleep(PAUSE);
        }
    }

    /// Starts `capable` and does not wait.
    fn spawn(program: &str, arguments: &[&str], prepare: Prepare) -> Result<Self> {
        let stdout = folder::file("stdout");
        let stderr = folder::file("stderr");
        let mut command = Command::new(program);
        command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(File::create(&stdout)?)
            .stderr(File::create(&stderr)?);
        // SAFETY: the closure makes one system call.
        unsafe { command.pre_exec(leave_the_first) };
        if let Prepare::Child(prepare) = prepare {
            command.current_dir("/");
            // SAFETY: this process has one thread, so the child finds no lock held by another.
            unsafe { command.pre_exec(prepare) };
        }
        let child = command
            .spawn()
            .context("cannot start capable: is it on the PATH?")?;
        Ok(Self {
            child,
            stdout,
            stderr,
        })
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has printed so far.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn printed(&self) -> Result<String> {
        Ok(String::from_utf8_lossy(&fs::read(&self.stdout)?).into_owned())
    }

    /// Waits until it ends by itself.
    ///
    /// # Errors
    /// When it does not end within a minute.
    pub fn wait(mut self) -> Result<Finished> {
        let start = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait()? {
                break status;
            }
            if start.elapsed() > STOP_LIMIT {
                bail!(
                    "capable does not end: {}",
                    fs::read_to_string(&self.stderr)?
                );
            }
            sleep(PAUSE);
        };
        let text = |path| -> Result<String> {
            let bytes = fs::read(path).context("cannot read what capable wrote")?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        Ok(Finished {
            status,
            stdout: text(&self.stdout)?,
            stderr: text(&self.stderr)?,
            took: start.elapsed(),
        })
    }

    /// Ends it with a signal, as Ctrl-C does.
    ///
    /// # Errors
    /// When it does not end within a minute.
    pub fn stop(self, signal: i32) -> Result<Finished> {
        call!(SYS_kill, self.pid(), signal)
            .map_err(io::Error::from_raw_os_error)
            .context("capable had ended before it was asked to")?;
        self.wait()
    }

    /// Ends it with SIGINT and reads its rows, which must all parse.
    ///
    /// # Errors
    /// When it does not end well, or a line is not what the schema says.
    pub fn rows(self) -> Result<(Vec<Row>, Summary)> {
        self.stop(libc::SIGINT)?.rows()
    }
}

impl Drop for Tracer {
    fn drop(&mut self) {
        // Usually it has ended already; otherwise there is nothing more to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Finished {
    /// The rows and the counts of a run that ended well.
    ///
    /// # Errors
    /// When it ended with an error, or a line is not what the schema says.
    pub fn rows(&self) -> Result<(Vec<Row>, Summary)> {
        self.parse()
    }

    /// The same, for a caller that reads a part of each row.
    ///
    /// # Errors
    /// As [`Self::rows`].
    pub fn parse<R: DeserializeOwned>(&self) -> Result<(Vec<R>, Summary)> {
        if !self.status.success() {
            bail!("capable ended with {}: {}", self.status, self.stderr.trim());
        }
        let rows = self
            .stdout
            .lines()
            // What --summary adds is no row.
            .filter(|line| !line.starts_with(r#"{"schema":"capable.summary/1""#))
            .map(|line| serde_json::from_str(line).with_context(|| format!("not a row: {line}")))
            .collect::<Result<Vec<R>>>()?;
        let summary = Summary::find(&self.stderr)
            .with_context(|| format!("no summary on stderr: {:?}", self.stderr))?;
        Ok((rows, summary))
    }

    /// The signal that ended it, if one did.
    pub fn signal(&self) -> Option<i32> {
        self.status.signal()
    }
}

/// The closing line: `1234 checks seen, 1200 shown, 34 lost`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Checks that reached the hook.
    pub seen: u64,
    /// Checks printed.
    pub shown: u64,
    /// Checks lost, for whatever reason.
    pub lost: u64,
}

impl Summary {
    /// Finds it in what the program said.
    pub fn find(stderr: &str) -> Option<Self> {
        stderr.lines().rev().find_map(|line| {
            Some(Self {
                seen: number_before(line, "seen")?,
                shown: number_before(line, "shown")?,
                lost: number_before(line, "lost")?,
            })
        })
    }
}

/// The number before a word, with or without words in between and thousands separators.
fn number_before(line: &str, word: &str) -> Option<u64> {
    let before = line.split(word).next().filter(|before| *before != line)?;
    let number = before
        .split(|c: char| !(c.is_ascii_digit() || c == ',' || c == '_'))
        .map(|piece| piece.trim_matches(','))
        .rfind(|piece| !piece.is_empty())?;
    number.replace([',', '_'], "").parse().ok()
}

/// The line that names hook and transport, printed once both work.
fn says_that_it_traces(line: &str) -> bool {
    let hook = ["kprobe", "fexit", "tracepoint"];
    hook.iter().any(|hook| line.contains(hook)) && line.contains("buffer")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_is_found_among_other_lines() {
        let stderr = "tracing\n1,234 checks seen, 1,200 shown, 34 lost (buffer full: 34)\n";
        let expected = Summary {
            seen: 1234,
            shown: 1200,
            lost: 34,
        };
        assert_eq!(Summary::find(stderr), Some(expected));
        assert_eq!(Summary::find("tracing\n"), None);
    }
}
