//! How the reader rests: what wakes it, and how it tells the kernel side.

use std::{
    io,
    os::fd::{AsFd as _, AsRawFd as _, OwnedFd},
    sync::atomic::{Ordering, fence},
    task::{Context, Poll, ready},
    time::Duration,
};

use aya::maps::{Map, MapData, MapError};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use tokio::io::{Interest, unix::AsyncFd};

use super::ring::Mapping;

/// A kernel timer. The runtime's own timer would wake the thread that sets it, with a system call,
/// and twice more before it expires.
pub struct Timer(AsyncFd<OwnedFd>);

impl Timer {
    /// A timer that is not set.
    pub fn new() -> io::Result<Self> {
        let timer = timerfd_create(
            TimerfdClockId::Monotonic,
            TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC,
        )?;
        // SAFETY: the timer owns its descriptor, which is not replaced while it is registered.
        let timer = unsafe { AsyncFd::register_with_interest(timer, Interest::READABLE) };
        Ok(Self(timer?))
    }

    /// Sets it to expire after this time.
    pub fn set(&self, time: Duration) -> io::Result<()> {
        const NEVER: Timespec = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        let time = Itimerspec {
            it_interval: NEVER,
            it_value: Timespec {
                tv_sec: time.as_secs() as i64,
                tv_nsec: i64::from(time.subsec_nanos()),
            },
        };
        timerfd_settime(self.0.get_ref().as_fd(), TimerfdTimerFlags::empty(), &time)?;
        Ok(())
    }

    /// Ready when it has expired.
    pub fn poll(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.0.poll_read_ready(context))?.clear_ready();
        Poll::Ready(Ok(()))
    }
}

/// The word that tells the kernel side whether the reader rests (capable-ebpf/src/bin/ring.rs).
pub struct Resting {
    word: Mapping,
    /// Kept open until the programs are loaded, because they refer to it by its descriptor.
    _map: Box<MapData>,
}

impl TryFrom<Map> for Resting {
    type Error = MapError;

    fn try_from(map: Map) -> Result<Self, MapError> {
        let Map::Array(map) = map else {
            return Err(MapError::InvalidMapType {
                map_type: aya::maps::MapType::Array as u32,
            });
        };
        let page = rustix::param::page_size();
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let word = Mapping::new(map.fd().as_fd().as_raw_fd(), protection, 0, page)
            .map_err(MapError::IoError)?;
        Ok(Self {
            word,
            _map: Box::new(map),
        })
    }
}

impl Resting {
    /// Tells the kernel side. What the caller reads afterwards is not older than this: a record
    /// that the kernel side reserved before it saw the change is visible.
    pub fn say(&self, rests: bool) {
        self.word.word().store(u64::from(rests), Ordering::Release);
        fence(Ordering::SeqCst);
    }
}
