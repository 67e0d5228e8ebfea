//! The stream of records, from the transport to a sink: in batches, in order of time, without an
//! allocation per record.
//!
//! While nothing happens the reader sleeps in epoll and nothing wakes it. The first record wakes it
//! at once. It then rests between batches, and the kernel side does not wake it unless the buffer
//! fills. It sleeps in epoll again once the second half of a rest brings nothing new.

use std::{
    future::poll_fn,
    io,
    os::fd::{AsRawFd, RawFd},
    task::{Context, Poll},
    time::Duration,
};

use aya::{
    maps::{
        MapData, PerfEventArray,
        perf::{PerfBufferError, PerfEvent, PerfEventArrayBuffer},
    },
    util::online_cpus,
};
use capable_common::Config;
use thiserror::Error;
use tokio::{
    io::{Interest, unix::AsyncFd},
    task::yield_now,
};

use super::{
    record::{Batch, NEAR, Order, Record, Sections, TIME},
    rest::{Resting, Timer},
    ring::{RecordPosition, Ring},
};
use crate::kernel::{
    bpf::object::{Object, ObjectError},
    hook::Transport,
};

/// How long the reader rests between two batches: too short for a person to notice.
const REST: Duration = Duration::from_millis(40);

/// Records count as still coming if the newest is younger than this, in nanoseconds.
const LATELY: u64 = REST.as_nanos() as u64 / 2;

/// How many records are shown at once.
const BATCH: usize = 2048;

/// After this many records their room in the ring buffer is released.
const GIVE_BACK: usize = 128;

/// Perf buffers are read one after another, so a record can be overtaken by later ones on other
/// processors. Records younger than this wait for the next batch, in nanoseconds.
const HOLD_BACK: u64 = 10_000_000;

/// The stream could not be opened.
#[derive(Debug, Error)]
pub enum StreamError {
    /// The object has no such map.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// A perf buffer could not be made.
    #[error("cannot open the perf buffer of processor {processor}: {error}")]
    Perf {
        /// The processor.
        processor: u32,
        /// What the kernel answered.
        error: PerfBufferError,
    },
    /// The runtime could not wait for the buffer.
    #[error("cannot wait for records")]
    Wait(#[from] io::Error),
}

/// Where records come from.
enum Source {
    Ring(Box<RingSource>),
    Perf(Vec<PerfEventArrayBuffer<MapData>>, Batch),
}

/// What one pass of the reader found.
struct Taken {
    /// A batch was given, and there may be more.
    full: bool,
    /// Some are too young to be given.
    waiting: bool,
    /// The time of the newest record.
    newest: Option<u64>,
}

/// A ring buffer, whose records are read in place.
struct RingSource {
    ring: Ring,
    /// Records that were found in it and not yet shown.
    order: Order<RecordPosition>,
    /// Tells the kernel side whether the reader rests.
    resting: Resting,
}

/// A descriptor that the transport owns, to wait for.
struct Waited(RawFd);

impl AsRawFd for Waited {
    fn as_raw_fd(&self) -> RawFd {
        self.0
    }
}

/// The stream of records.
pub struct Stream {
    // Before the source: the descriptors are taken out of epoll before they are closed.
    waited: Vec<AsyncFd<Waited>>,
    source: Source,
    timer: Timer,
    sections: Sections,
    state: State,
}

/// What the reader does when it is asked to wait.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing has come recently: wait for the first record.
    Quiet,
    /// Records came: rest before the next batch.
    Busy,
    /// There may be more than one batch took.
    More,
}

impl Stream {
    /// Opens the stream of an object. `pages` is the size of a perf buffer, per processor.
    ///
    /// # Errors
    ///
    /// The buffers cannot be made or waited for.
    pub fn open(
        object: &mut Object,
        transport: Transport,
        config: &Config,
        pages: usize,
    ) -> Result<Self, StreamError> {
        let mut waited = Vec::new();
        let mut wait_for = |descriptor: RawFd| {
            // SAFETY: the descriptor belongs to the source, which the stream keeps for as long as
            // this registration and drops after it.
            let registered =
                unsafe { AsyncFd::register_with_interest(Waited(descriptor), Interest::READABLE) };
            registered
                .map(|waiting| waited.push(waiting))
                .map_err(io::Error::from)
        };
        let source = match transport {
            Transport::Ring => {
                let ring: Ring = object.take_map("EVENTS")?;
                wait_for(ring.as_raw_fd())?;
                Source::Ring(Box::new(RingSource {
                    ring,
                    order: Order::default(),
                    resting: object.take_map(".bss")?,
                }))
            }
            Transport::Perf => {
                let mut events: PerfEventArray<MapData> = object.take_map("EVENTS")?;
                let mut buffers = Vec::new();
                for processor in online_cpus().map_err(|(_, error)| error)? {
                    let buffer = events
                        .open(processor, Some(pages))
                        .map_err(|error| StreamError::Perf { processor, error })?;
                    wait_for(buffer.as_raw_fd())?;
                    buffers.push(buffer);
                }
                Source::Perf(buffers, Batch::default())
            }
        };
        Ok(Self {
            waited,
            source,
            timer: Timer::new()?,
            sections: Sections::of(config),
            state: State::Quiet,
        })
    }

    /// Waits until there may be records: for the first one if none have come recently, or for a
    /// while if they keep coming.
    ///
    /// # Errors
    ///
    /// The runtime cannot wait, or the kernel side cannot be told.
    pub async fn wait(&mut self) -> Result<(), StreamError> {
        match self.state {
            State::Quiet => poll_fn(|context| readable(&self.waited, context)).await?,
            State::Busy => {
                self.timer.set(REST)?;
                poll_fn(|context| {
                    // A wake-up during the rest means that the buffer fills.
                    if matches!(self.source, Source::Ring(..))
                        && let Poll::Ready(woken) = readable(&self.waited, context)
                    {
                        return Poll::Ready(woken);
                    }
                    self.timer.poll(context)
                })
                .await?;
            }
            // Lets the runtime look for signals and timers. Otherwise nothing could end a trace
            // while records come faster than they are read.
            State::More => yield_now().await,
        }
        Ok(())
    }

    /// Takes a batch out of the transport and gives the records that are old enough to the sink, in
    /// order of time. Never waits.
    pub fn read(&mut self, sink: impl FnMut(Record<'_>)) {
        let Taken {
            full,
            waiting,
            newest,
        } = self.take(Some(HOLD_BACK), sink);
        let lately = || monotonic_now().saturating_sub(LATELY);
        let next = if full {
            State::More
        } else if newest.is_some_and(|newest| newest >= lately()) || waiting {
            State::Busy
        } else {
            State::Quiet
        };
        self.go(next);
    }

    /// Gives all that was received, at the end of a trace.
    pub fn finish(&mut self, mut sink: impl FnMut(Record<'_>)) {
        while self.take(None, &mut sink).full {}
    }

    /// Moves to a state and tells the kernel side whether a wake-up is wanted.
    fn go(&mut self, next: State) {
        let (rested, rests) = (self.state != State::Quiet, next != State::Quiet);
        self.state = next;
        let Source::Ring(source) = &self.source else {
            return;
        };
        let RingSource { ring, resting, .. } = &**source;
        // After a wake-up the kernel side itself has marked the reader as awake.
        if !rested || !rests {
            resting.say(rests);
        }
        // A record that came just before the kernel side saw that the reader waits did not wake it,
        // so look once more.
        if !rests && !ring.is_drained() {
            resting.say(true);
            self.state = State::More;
        }
    }

    /// Gives records to the sink until the transport is empty, or a batch was given. Perf buffers
    /// keep what is younger than `hold_back`.
    fn take(&mut self, hold_back: Option<u64>, sink: impl FnMut(Record<'_>)) -> Taken {
        let sections = self.sections;
        match &mut self.source {
            Source::Ring(source) => source.give(sections, sink),
            Source::Perf(buffers, batch) => {
                for buffer in buffers {
                    buffer.for_each(|event| match event {
                        PerfEvent::Sample { head, tail } => batch.push(head, tail, sections),
                        // The kernel side counts what did not fit; this count comes with a later
                        // record, or never.
                        PerfEvent::Lost { count } => log::debug!("perf buffer: lost {count}"),
                    });
                }
                let newest = batch.newest();
                let until = hold_back.map_or(u64::MAX, |age| monotonic_now().saturating_sub(age));
                batch.give(sections, until, sink);
                Taken {
                    full: false,
                    waiting: !batch.is_empty(),
                    newest,
                }
            }
        }
    }
}

impl RingSource {
    /// Gives records to the sink until the ring is empty, or a batch was given. The newest are held
    /// back, because the next ones to come may be a little older.
    fn give(&mut self, sections: Sections, mut sink: impl FnMut(Record<'_>)) -> Taken {
        let mut left = BATCH;
        let mut newest = None;
        loop {
            let waited = self.order.len();
            while self.order.len() < GIVE_BACK
                && let Some(place) = self.ring.next()
            {
                if let Some(&time) = self.ring.words(place).get(TIME) {
                    self.order.queue(time, place);
                }
            }
            let seen = self.order.len();
            let more = seen == GIVE_BACK;
            for (time, place) in self.order.take(if more { seen - NEAR } else { seen }) {
                newest = Some(time);
                if let Some(record) = sections.record(self.ring.words(place)) {
                    sink(record);
                }
            }
            self.ring.give_back(self.order.left().min().copied());
            left = left.saturating_sub(seen - waited);
            let empty = !more && seen == waited;
            if empty || left == 0 {
                return Taken {
                    full: !empty,
                    waiting: false,
                    newest,
                };
            }
        }
    }
}

/// Ready if one of the descriptors can be read. The readiness is cleared before the transport is
/// drained, so that a record that comes in between is announced again.
fn readable(waited: &[AsyncFd<Waited>], context: &mut Context<'_>) -> Poll<io::Result<()>> {
    let mut ready = false;
    for descriptor in waited {
        if let Poll::Ready(guard) = descriptor.poll_read_ready(context) {
            guard?.clear_ready();
            ready = true;
        }
    }
    if ready {
        Poll::Ready(Ok(()))
    } else {
        Poll::Pending
    }
}

/// Now, on the clock of the records (`bpf_ktime_get_ns`).
pub fn monotonic_now() -> u64 {
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the structure outlives the call, which cannot fail for this clock.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}
