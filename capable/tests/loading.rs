//! Loading programs while signals come.

use std::os::unix::thread::JoinHandleExt as _;
use std::thread;
use std::time::Duration;

use capable::session::{Builder, Records};

/// The verifier gives up while a signal is pending. A signal that is caught, as a change of the
/// terminal's size is, must not keep the tracer from starting.
#[test]
#[ignore = "needs root and a kernel with eBPF; cargo xtask test runs it"]
fn the_tracer_starts_though_signals_come_meanwhile() {
    const STARTS: usize = 30;
    let loader = thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let kind = tokio::signal::unix::SignalKind::window_change();
            let _caught = tokio::signal::unix::signal(kind).unwrap();
            for _ in 0..STARTS {
                Builder::new().records(Records::default()).unwrap();
            }
        });
    });
    let thread = loader.as_pthread_t();
    while !loader.is_finished() {
        // SAFETY: the thread was not joined, so that its handle is valid.
        unsafe { libc::pthread_kill(thread, libc::SIGWINCH) };
        thread::sleep(Duration::from_millis(150));
    }
    loader.join().unwrap();
}
