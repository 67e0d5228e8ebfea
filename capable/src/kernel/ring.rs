//! The user side of a BPF ring buffer (kernel/bpf/ringbuf.c, `struct bpf_ringbuf`).
//!
//! The kernel offers its data pages twice in a row, so that a record at the end of the ring can be
//! read in one piece. A mapping counts as resident memory whole and at once, so the second half
//! would double the largest part of the tracer's: it is left out, and such a record comes in two
//! parts. The room of records is given back for many at once.

use std::{
    io,
    os::fd::{AsFd as _, AsRawFd, RawFd},
    ptr::NonNull,
    sync::atomic::{AtomicU32, AtomicU64, Ordering, fence},
};

use aya::maps::{Map, MapData, MapError};

/// In a record's header: it is being written (`BPF_RINGBUF_BUSY_BIT`).
const BUSY: u32 = 1 << 31;

/// In a record's header: it was given up (`BPF_RINGBUF_DISCARD_BIT`).
const DISCARDED: u32 = 1 << 30;

/// The header of a record (`BPF_RINGBUF_HDR_SZ`): its length, and what is of no use here.
const HEADER: u64 = 8;

/// After so many records their room is given back.
const GIVE_BACK: usize = 128;

/// A mapping of a map's pages.
pub(super) struct Mapping {
    address: NonNull<u8>,
    length: usize,
}

impl Mapping {
    pub(super) fn new(
        map: RawFd,
        protection: i32,
        offset: usize,
        length: usize,
    ) -> io::Result<Self> {
        // SAFETY: the kernel chooses an address that nothing else uses.
        let address = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                length,
                protection,
                libc::MAP_SHARED,
                map,
                offset as libc::off_t,
            )
        };
        match NonNull::new(address.cast::<u8>()) {
            Some(address) if address.as_ptr().cast() != libc::MAP_FAILED => {
                Ok(Self { address, length })
            }
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// The word at the beginning of the mapping.
    pub(super) fn word(&self) -> &AtomicU64 {
        // SAFETY: a page lives as long as the mapping and is aligned; the kernel accesses this
        // word atomically too.
        unsafe { self.address.cast::<AtomicU64>().as_ref() }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's own, and borrows of it have ended.
        unsafe { libc::munmap(self.address.as_ptr().cast(), self.length) };
    }
}

// SAFETY: a mapping belongs to the process, not to a thread.
unsafe impl Send for Mapping {}

/// A record in the ring.
struct Record<'a> {
    /// Its data, in one part or, at the end of the ring, in two; `None` where it was given up.
    data: Option<(&'a [u8], &'a [u8])>,
    /// The position behind it.
    next: u64,
}

/// The reader of a ring buffer.
pub struct Ring {
    map: MapData,
    /// How far was read: the one page that the reader writes.
    consumer: Mapping,
    /// How far was written, and from the next page on the data.
    producer: Mapping,
    page: usize,
    /// The size of the data, a power of two.
    size: usize,
    position: u64,
}

impl TryFrom<Map> for Ring {
    type Error = MapError;

    fn try_from(map: Map) -> Result<Self, MapError> {
        let Map::RingBuf(map) = map else {
            return Err(MapError::InvalidMapType {
                map_type: aya::maps::MapType::RingBuf as u32,
            });
        };
        let size = map.info()?.max_entries() as usize;
        Self::open(map, size).map_err(MapError::IoError)
    }
}

impl AsRawFd for Ring {
    fn as_raw_fd(&self) -> RawFd {
        self.map.fd().as_fd().as_raw_fd()
    }
}

impl Ring {
    fn open(map: MapData, size: usize) -> io::Result<Self> {
        let fd = map.fd().as_fd().as_raw_fd();
        let page = rustix::param::page_size();
        let consumer = Mapping::new(fd, libc::PROT_READ | libc::PROT_WRITE, 0, page)?;
        let producer = Mapping::new(fd, libc::PROT_READ, page, page + size)?;
        let position = consumer.word().load(Ordering::Acquire);
        Ok(Self {
            map,
            consumer,
            producer,
            page,
            size,
            position,
        })
    }

    /// Hands out records, at most as many as given, each in one part or two; true where that many
    /// were there. Never waits.
    pub fn read(&mut self, most: usize, mut take: impl FnMut(&[u8], &[u8])) -> bool {
        let mut left = most;
        loop {
            let before = self.position;
            let end = self.producer.word().load(Ordering::Acquire);
            while self.position != end && left > 0 {
                let Some(Record { data, next }) = self.record() else {
                    break;
                };
                if let Some((head, tail)) = data {
                    take(head, tail);
                    left -= 1;
                }
                self.position = next;
                if left.is_multiple_of(GIVE_BACK) {
                    self.give_back();
                }
            }
            if left == 0 {
                self.give_back();
                return true;
            }
            if self.position == before {
                return false;
            }
            // A writer that did not see the room given back sees it now, or is seen: either this
            // finds its record, or it wakes the reader.
            self.give_back();
            fence(Ordering::SeqCst);
        }
    }

    /// Nothing was reserved that was not yet handed out: neither what can be read nor what is still
    /// being written.
    pub fn is_drained(&self) -> bool {
        self.position == self.producer.word().load(Ordering::Acquire)
    }

    fn give_back(&self) {
        let consumer = self.consumer.word();
        consumer.store(self.position, Ordering::Release);
    }

    /// The record at the position; `None` while it is being written.
    #[inline]
    fn record(&self) -> Option<Record<'_>> {
        let start = self.position as usize & (self.size - 1);
        // SAFETY: headers are aligned to eight bytes, as the ring is: they lie within it whole.
        let header = unsafe {
            self.producer
                .address
                .add(self.page + start)
                .cast::<AtomicU32>()
                .as_ref()
        };
        let header = header.load(Ordering::Acquire);
        if header & BUSY != 0 {
            return None;
        }
        let length = (header & !DISCARDED) as usize;
        let next = self.position + (HEADER + length as u64).next_multiple_of(8);
        if header & DISCARDED != 0 || length > self.size {
            return Some(Record { data: None, next });
        }
        let start = (start + HEADER as usize) & (self.size - 1);
        let first = length.min(self.size - start);
        // SAFETY: both parts lie within the data pages, and the kernel leaves a record alone that
        // is written until its room is given back, which takes `self` and so ends this borrow.
        let (head, tail) = unsafe {
            let data = self.producer.address.add(self.page);
            (
                NonNull::slice_from_raw_parts(data.add(start), first).as_ref(),
                NonNull::slice_from_raw_parts(data, length - first).as_ref(),
            )
        };
        Some(Record {
            data: Some((head, tail)),
            next,
        })
    }
}
