//! A single run of a program in the table.

use std::fs::{self, File};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use super::table::{FOLDER, Program, Ready, Works};
use crate::guest::syscall::call;

/// How long a program, or the script that asks it, may take in an emulated machine.
const LIMIT: Duration = Duration::from_secs(20);
/// How often its state is checked.
const PAUSE: Duration = Duration::from_millis(10);

/// Prepares a program and runs it behind these words, which are those of another program that
/// executes it. Returns whether it works and, if not, what went wrong.
///
/// # Errors
/// If it cannot be prepared or started, or does not end.
pub fn play(program: &Program, before: &[String]) -> Result<Played> {
    let prepared = shell(program.prepare)?;
    ensure!(
        prepared.is_empty(),
        "it cannot be prepared: {}",
        prepared.join("; ")
    );

    let mut running = Running::start(before, program.command, "program")?;
    let failed = match &program.works {
        Works::Ends(script) => match running.end()? {
            status if status.success() => shell(script)?,
            status => vec![status.to_string()],
        },
        Works::Serves(ready, script) => {
            let failed = if running.becomes(ready)? {
                running.asked_by(script)?
            } else {
                vec!["it did not begin to serve".to_owned()]
            };
            running.terminate()?;
            failed
        }
    };

    Ok(if failed.is_empty() {
        Played::Works
    } else {
        let mut said = failed;
        said.push(running.said()?);
        Played::Fails(said.join("; "))
    })
}

/// Whether a program worked.
#[derive(Debug)]
pub enum Played {
    /// It did.
    Works,
    /// It did not; this is what went wrong.
    Fails(String),
}

/// Runs a script in the directory and returns what is wrong; nothing if it ends with 0.
pub fn shell(script: &str) -> Result<Vec<String>> {
    let status = start(script)?.wait()?;
    judge(status)
}

/// Starts a script in the directory, with a time limit.
fn start(script: &str) -> Result<Child> {
    // The test may be the only one that runs.
    fs::create_dir_all(FOLDER)?;
    let errors = File::create(format!("{FOLDER}/script"))?;
    Command::new("timeout")
        .args([&LIMIT.as_secs().to_string(), "bash", "-euc", script])
        .current_dir(FOLDER)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(errors)
        .spawn()
        .context("cannot run timeout(1)")
}

/// What is wrong if the last script ended like this.
fn judge(status: ExitStatus) -> Result<Vec<String>> {
    if status.success() {
        return Ok(Vec::new());
    }
    let said = fs::read(format!("{FOLDER}/script"))?;
    let said = String::from_utf8_lossy(&said);
    Ok(vec![format!(
        "the script ended with {status}: {}",
        said.trim()
    )])
}

/// A program that runs, with its own process group.
pub struct Running {
    child: Child,
    /// The prefix of its files' names.
    name: &'static str,
}

impl Running {
    /// Starts a program behind these words; what it writes goes to `NAME.stdout` and
    /// `NAME.stderr`.
    pub fn start(before: &[String], command: &[&str], name: &'static str) -> Result<Self> {
        fs::create_dir_all(FOLDER)?;
        let mut words = before
            .iter()
            .map(String::as_str)
            .chain(command.iter().copied());
        let first = words.next().context("no program")?;
        let child = Command::new(first)
            .args(words)
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(File::create(format!("{FOLDER}/{name}.stdout"))?)
            .stderr(File::create(format!("{FOLDER}/{name}.stderr"))?)
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot run {first}"))?;
        Ok(Self { child, name })
    }

    /// Waits until it can be queried; false if it ended before, or did not get ready.
    pub fn becomes(&mut self, ready: &Ready) -> Result<bool> {
        let start = Instant::now();
        while start.elapsed() < LIMIT {
            if self.is(ready)? {
                return Ok(true);
            }
            if self.child.try_wait()?.is_some() {
                return Ok(false);
            }
            sleep(PAUSE);
        }
        Ok(false)
    }

    /// Queries it with a script, which is not waited for if the program ends.
    pub fn asked_by(&mut self, script: &str) -> Result<Vec<String>> {
        let mut script = start(script)?;
        loop {
            if let Some(status) = script.try_wait()? {
                return judge(status);
            }
            if self
                .child
                .try_wait()?
                .is_some_and(|status| !status.success())
            {
                // timeout(1) ends what it started.
                let _ = call!(SYS_kill, script.id(), libc::SIGTERM);
                script.wait()?;
                return Ok(vec!["it ended while it was asked".to_owned()]);
            }
            sleep(PAUSE);
        }
    }

    /// Waits for its end.
    pub fn end(&mut self) -> Result<ExitStatus> {
        let start = Instant::now();
        while start.elapsed() < LIMIT {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            sleep(PAUSE);
        }
        anyhow::bail!("it does not end: {}", self.said()?)
    }

    /// Asks it to end, if it has not, and waits for that.
    pub fn terminate(&mut self) -> Result<()> {
        if self.child.try_wait()?.is_none() {
            // It may be ending right now.
            let _ = call!(SYS_kill, self.child.id(), libc::SIGTERM);
        }
        self.end().map(drop)
    }

    /// Whether it can be queried.
    fn is(&self, ready: &Ready) -> Result<bool> {
        Ok(match ready {
            Ready::File(path) => Path::new(path).exists(),
            Ready::Says(text) => fs::read_to_string(self.errors())?.contains(text),
            Ready::Port(port) => listens("tcp", "0A", *port)? || listens("udp", "07", *port)?,
        })
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    fn errors(&self) -> String {
        format!("{FOLDER}/{}.stderr", self.name)
    }

    /// The last part of what it wrote to standard error.
    pub fn said(&self) -> Result<String> {
        let text = fs::read(self.errors())?;
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        Ok(lines[lines.len().saturating_sub(5)..].join("\n"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // What remains of its process group; usually nothing.
        let _ = call!(SYS_kill, -i64::from(self.child.id()), libc::SIGKILL);
        let _ = self.child.wait();
    }
}

/// Whether a socket in this state has this port (net/ipv4/tcp_ipv4.c, get_tcp4_sock; the states
/// are those of include/net/tcp_states.h).
fn listens(table: &str, state: &str, port: u16) -> Result<bool> {
    let text = fs::read_to_string(format!("/proc/self/net/{table}"))?;
    let port = format!(":{port:04X}");
    Ok(text.lines().any(|line| {
        let mut columns = line.split_whitespace().skip(1);
        let local = columns.next().unwrap_or_default();
        let own = columns.nth(1).unwrap_or_default();
        local.ends_with(&port) && own == state
    }))
}
