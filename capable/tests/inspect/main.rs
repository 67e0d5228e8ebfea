//! `capable::inspect` against real processes, files and namespaces.
//!
//! Tests marked "needs root" change credentials and extended attributes; run them as root with
//! `cargo test -- --include-ignored`.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where by a panic, also in its helpers"
)]

mod files;
mod libcap;
mod processes;
mod program;
mod system;

use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use capable::capability::CapabilitySet;
use capable::inspect::process::Process;

/// A child that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Reads the process as soon as it runs a program with this name.
fn wait_for(pid: u32, comm: &str) -> Process {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let process = Process::read(pid).unwrap();
        if process.comm == comm.as_bytes() {
            // The name changes before the credentials do (`begin_new_exec`, fs/exec.c).
            thread::sleep(Duration::from_millis(20));
            return Process::read(pid).unwrap();
        }
        assert!(Instant::now() < deadline, "{comm} did not start");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Starts a command that becomes the program with this name, and reads it.
fn start(command: &str, arguments: &[&str], comm: &str) -> (Running, Process) {
    let running = Running(Command::new(command).args(arguments).spawn().unwrap());
    let process = wait_for(running.0.id(), comm);
    (running, process)
}

fn set(text: &str) -> CapabilitySet {
    text.parse().unwrap()
}

/// What a program prints.
fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    String::from_utf8(text).unwrap()
}
