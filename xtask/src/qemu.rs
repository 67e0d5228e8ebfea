//! Boots a kernel in QEMU, by software emulation, and runs a command in it.
//!
//! The guest has three serial lines: the kernel's console, which is kept in a file and shown if
//! something goes wrong; the output of the command, which is streamed; and its exit status.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::arch::THIS;
use crate::initramfs::Archive;
use crate::kernels::Installed;
use crate::places;

/// How long a kernel may take to start its first process.
const BOOT_LIMIT: Duration = Duration::from_secs(120);

const NO_QEMU: &str = "cannot run QEMU; run: cargo xtask setup";

/// A machine to boot.
pub struct VirtualMachine<'a> {
    /// The kernel.
    pub kernel: &'a Installed,
    /// The system that every guest has.
    pub base: &'a Archive,
    /// Archives on top of it; files in later ones replace earlier ones.
    pub layers: &'a [PathBuf],
    /// Files for this run only, on top of all these.
    pub files: Archive,
    /// Additions to the kernel's command line.
    pub append: &'a str,
    /// Processors.
    pub processors: u32,
    /// Memory in MiB.
    pub memory: u32,
    /// The image of a disk, which is not changed: what the guest writes is gone with it.
    pub disk: Option<&'a Path>,
    /// The clock counts executed instructions instead of time; only possible with one CPU.
    pub count_instructions: bool,
}

/// How a command in a guest ended.
#[derive(Clone, Copy, Debug)]
pub struct Ended {
    /// Its exit status, as a shell gives it.
    pub status: u8,
    /// From the start of QEMU to the first process.
    pub boot: Duration,
    /// From the start of QEMU to its end.
    pub total: Duration,
}

/// The guest ended before its first process.
#[derive(Debug)]
struct NoBoot(String);

impl fmt::Display for NoBoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NoBoot {}

impl VirtualMachine<'_> {
    /// Boots, runs a shell script as root, and passes on its output as it comes.
    ///
    /// A boot that ends before the first process is retried once, with a message.
    pub fn run(
        mut self,
        script: &str,
        limit: Duration,
        mut print: impl FnMut(&[u8]),
    ) -> Result<Ended> {
        self.files.file("vm/command", 0o755, script);
        match self.attempt(limit, &mut print) {
            Err(error) if error.is::<NoBoot>() => {
                eprintln!("warning: {error:#}\nbooting once more");
                self.attempt(limit, &mut print)
            }
            result => result,
        }
    }

    fn attempt(&self, limit: Duration, print: &mut impl FnMut(&[u8])) -> Result<Ended> {
        let room = Room::new(self.kernel.name)?;
        let console = room.path("console");
        let report = room.path("report");
        let mut command = self.command(&room)?;
        command
            .args(["-serial", &format!("file:{}", console.display())])
            .args(["-serial", "stdio"])
            .args(["-serial", &format!("file:{}", report.display())])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());

        let start = Instant::now();
        let mut child = command.spawn().context(NO_QEMU)?;
        let data = stream(child.stdout.take());
        let complaints = stream(child.stderr.take());
        let mut qemu = Running(child);

        let mut boot = None;
        let failure = loop {
            if boot.is_none() && fs::read_to_string(&report).is_ok_and(|text| !text.is_empty()) {
                boot = Some(start.elapsed());
            }
            match data.recv_timeout(Duration::from_millis(50)) {
                Ok(bytes) => print(&bytes),
                Err(mpsc::RecvTimeoutError::Disconnected) => break None,
                Err(mpsc::RecvTimeoutError::Timeout) => {}
            }
            if boot.is_none() && start.elapsed() > BOOT_LIMIT {
                break Some(format!("did not boot within {} s", BOOT_LIMIT.as_secs()));
            }
            if start.elapsed() > limit {
                break Some(format!("was not done after {} s", limit.as_secs()));
            }
        };
        qemu.end(failure.is_some());

        let text = fs::read_to_string(&report).unwrap_or_default();
        let status = text.lines().find_map(|line| line.strip_prefix("exit "));
        match (
            failure,
            status.and_then(|status| status.trim().parse().ok()),
        ) {
            (None, Some(status)) => Ok(Ended {
                status,
                boot: boot.unwrap_or_default(),
                total: start.elapsed(),
            }),
            (failure, _) => {
                let what = failure.unwrap_or_else(|| {
                    if text.contains("started") {
                        "ended before its command did".into()
                    } else {
                        "did not boot".into()
                    }
                });
                let complaints: Vec<u8> = complaints.try_iter().flatten().collect();
                let said = format!(
                    "the guest with Linux {} {what}. The end of its console:\n{}{}",
                    self.kernel.release,
                    tail(&console, 30),
                    String::from_utf8_lossy(&complaints)
                );
                if text.is_empty() {
                    return Err(NoBoot(said).into());
                }
                bail!("{said}");
            }
        }
    }

    /// Boots and leaves the user in a shell on this terminal.
    pub fn shell(mut self) -> Result<()> {
        self.files.file("vm/shell", 0o644, "");
        let room = Room::new(self.kernel.name)?;
        let mut command = self.command(&room)?;
        command.args(["-serial", "mon:stdio"]);
        let status = command.status().context(NO_QEMU)?;
        if !status.success() {
            bail!("QEMU failed: {status}");
        }
        Ok(())
    }

    /// QEMU's command without the serial lines.
    fn command(&self, room: &Room) -> Result<Command> {
        let initramfs = room.path("initramfs");
        self.join_layers(&initramfs)
            .with_context(|| format!("cannot write {}", initramfs.display()))?;
        let processors = if self.count_instructions {
            1
        } else {
            self.processors
        };

        let mut command = Command::new(THIS.qemu.program);
        command
            .args(["-nodefaults", "-no-user-config", "-no-reboot"])
            .args(THIS.qemu.machine)
            .args(["-display", "none", "-monitor", "none", "-nic", "none"])
            .args(["-smp", &processors.to_string()])
            .args(["-m", &self.memory.to_string()])
            .arg("-kernel")
            .arg(&self.kernel.image)
            .arg("-initrd")
            .arg(&initramfs)
            .arg("-append")
            .arg(format!(
                "console={} panic=-1 quiet {}",
                THIS.qemu.lines.console, self.append
            ));
        if let Some(disk) = self.disk {
            // A comma in a path would begin the next option.
            let file = disk.display().to_string().replace(',', ",,");
            command.arg("-drive").arg(format!(
                "file={file},format=raw,if=virtio,snapshot=on,cache=unsafe"
            ));
        }
        // KVM can exist and still hang a guest, whereas emulation works everywhere.
        if self.count_instructions {
            // With one thread per CPU, a CPU can execute a breakpoint of the kernel's code patching
            // (static keys) that another has already removed: "Fatal exception in interrupt", seen
            // with 7.3 in one boot of three on a busy machine, and during tests too.
            command.args(["-accel", "tcg,thread=single"]);
            command.args(["-icount", "shift=0,sleep=off"]);
        } else {
            command.args(["-accel", "tcg,thread=single"]);
        }
        Ok(command)
    }

    fn join_layers(&self, path: &Path) -> Result<()> {
        let mut joined = File::create(path)?;
        self.base.write(BufWriter::new(&joined))?;
        for layer in self.layers.iter().chain([&self.kernel.modules]) {
            let mut layer =
                File::open(layer).with_context(|| format!("cannot read {}", layer.display()))?;
            io::copy(&mut layer, &mut joined)?;
        }
        self.files.write(BufWriter::new(joined))
    }
}

/// Passes on what a process writes, until it closes its end.
fn stream(from: Option<impl Read + Send + 'static>) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    if let Some(mut from) = from {
        thread::spawn(move || {
            let mut buffer = [0; 64 * 1024];
            while let Ok(length @ 1..) = from.read(&mut buffer) {
                if sender.send(buffer[..length].to_vec()).is_err() {
                    break;
                }
            }
        });
    }
    receiver
}

/// The last lines of a file.
fn tail(path: &Path, lines: usize) -> String {
    let bytes = fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let all: Vec<&str> = text.lines().collect();
    let mut tail = all[all.len().saturating_sub(lines)..].join("\n");
    tail.push('\n');
    tail
}

/// A QEMU process, which does not outlive us.
struct Running(Child);

impl Running {
    fn end(&mut self, by_force: bool) {
        if by_force {
            // It may have ended already; then there is nothing to do.
            let _ = self.0.kill();
        }
        let _ = self.0.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end(true);
    }
}

/// Removes the directories of processes that ended before they could do so themselves.
fn sweep(rooms: &Path) -> Result<()> {
    for room in fs::read_dir(rooms)? {
        let room = room?.path();
        let owner = room.extension().and_then(|process| process.to_str());
        if owner.is_some_and(|process| !Path::new("/proc").join(process).exists()) {
            // Another process may be removing them too.
            let _ = fs::remove_dir_all(&room);
        }
    }
    Ok(())
}

/// A directory for the files of one run, removed afterwards.
struct Room(PathBuf);

impl Room {
    fn new(name: &str) -> Result<Self> {
        static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let rooms = places::target().join("vm");
        let folder = rooms.join(format!("{name}-{number}.{}", std::process::id()));
        places::create(&folder)?;
        sweep(&rooms)?;
        Ok(Self(folder))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        // Leftovers are below target/, which may be removed at any time.
        let _ = fs::remove_dir_all(&self.0);
    }
}
