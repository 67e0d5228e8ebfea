//! How a trace ends.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where by a panic, also in its helpers"
)]

#[path = "common/flood.rs"]
mod flood;
#[path = "common/strict.rs"]
mod strict;

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use flood::flooded;
use strict::strict;

/// Much longer than it takes to show what is in the buffer.
const SOON: Duration = Duration::from_secs(20);

/// Records come faster than they are shown, so that there are always more.
#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn ctrl_c_ends_a_trace_that_cannot_keep_up() {
    let own = std::process::id().to_string();
    let mut trace = strict(env!("CARGO_BIN_EXE_capable"))
        .args(["trace", "-o", "json", "-p", &own])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // Its rows are read to the end, or it would wait for the pipe.
    let rows = BufReader::new(trace.stdout.take().unwrap()).lines();
    let reader = thread::spawn(|| rows.map_while(Result::ok).count());
    let ended = flooded(|| {
        thread::sleep(Duration::from_secs(10));
        interrupt(&trace);
        wait(&mut trace)
    });
    trace.kill().unwrap();
    trace.wait().unwrap();
    assert!(reader.join().unwrap() > 10_000, "nothing was traced");
    assert!(ended, "it went on for {SOON:?} after Ctrl-C");
}

fn interrupt(child: &Child) {
    // SAFETY: the child is not reaped, so the number is still its.
    unsafe { libc::kill(child.id() as i32, libc::SIGINT) };
}

fn wait(child: &mut Child) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < SOON {
        if child.try_wait().unwrap().is_some() {
            return true;
        }
        thread::sleep(Duration::from_millis(50));
    }
    false
}
