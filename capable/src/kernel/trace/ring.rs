//! The user side of a BPF ring buffer (kernel/bpf/ringbuf.c, `struct bpf_ringbuf`).
//!
//! The kernel offers its data pages twice in a row, so that a record at the end of the ring can be
//! read in one piece. A mapping counts fully as resident memory from the start, so mapping the
//! second half would double the largest part of the tracer's memory. Only the page of it that a
//! record can extend into is mapped. Records are read in place, and their room is released for many
//! at once.

use std::{
    io,
    os::fd::{AsFd as _, AsRawFd, RawFd},
    ptr::NonNull,
    sync::atomic::{AtomicU32, AtomicU64, Ordering, fence},
};

use aya::maps::{Map, MapData, MapError};
use capable_common::LARGEST_RECORD;

/// In a record's header: it is being written (`BPF_RINGBUF_BUSY_BIT`).
const BUSY: u32 = 1 << 31;

/// In a record's header: it was discarded (`BPF_RINGBUF_DISCARD_BIT`).
const DISCARDED: u32 = 1 << 30;

/// The size of a record's header (`BPF_RINGBUF_HDR_SZ`), which holds its length and a field that is
/// not needed here.
const HEADER: u64 = 8;

// A page is 4096 bytes or more.
const _: () = assert!(HEADER as usize + LARGEST_RECORD <= 4096);

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

/// Where a record lies in the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordPosition {
    /// The position of its header, which only grows.
    position: u64,
    /// The words of its data.
    words: u32,
}

/// The reader of a ring buffer.
pub struct Ring {
    map: MapData,
    /// The consumer position, in the only page that the reader writes.
    consumer: Mapping,
    /// The producer position, followed by the data from the next page on.
    producer: Mapping,
    /// The data.
    data: NonNull<u8>,
    /// The size of the data, which is a power of two, minus one.
    mask: u64,
    /// The record that is read next.
    position: u64,
    /// The producer position when it was last read.
    end: u64,
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
        let producer = Mapping::new(fd, libc::PROT_READ, page, page + size + page)?;
        let position = consumer.word().load(Ordering::Acquire);
        // SAFETY: the mapping has a page before the data.
        let data = unsafe { producer.address.add(page) };
        Ok(Self {
            map,
            consumer,
            producer,
            data,
            mask: size as u64 - 1,
            position,
            end: position,
        })
    }

    /// The next record, if there is one that is complete. It stays in place until its room is
    /// released.
    #[inline]
    pub fn next(&mut self) -> Option<RecordPosition> {
        loop {
            if self.position == self.end {
                self.end = self.producer.word().load(Ordering::Acquire);
                if self.position == self.end {
                    return None;
                }
            }
            let header = self.header();
            if header & BUSY != 0 {
                return None;
            }
            let length = header & !DISCARDED;
            let place = RecordPosition {
                position: self.position,
                words: length / 8,
            };
            self.position += HEADER + ((u64::from(length) + 7) & !7);
            if header & DISCARDED == 0 && length as usize <= LARGEST_RECORD {
                return Some(place);
            }
        }
    }

    /// The words of a record whose room has not been released.
    #[inline]
    pub fn words(&self, place: RecordPosition) -> &[u64] {
        let start = (place.position + HEADER) & self.mask;
        // SAFETY: records are aligned to eight bytes, and one of at most `LARGEST_RECORD` bytes
        // lies within the mapping wherever it begins. The kernel does not touch a complete record
        // until its room is released.
        unsafe {
            let data = self.data.add(start as usize).cast();
            NonNull::slice_from_raw_parts(data, place.words as usize).as_ref()
        }
    }

    /// Releases the room of all records before this one, or of all that were handed out.
    pub fn give_back(&mut self, before: Option<RecordPosition>) {
        let position = before.map_or(self.position, |place| place.position);
        self.consumer.word().store(position, Ordering::Release);
        // A writer that had not seen the room released either sees it now, and wakes the reader, or
        // has its record seen by the reader.
        fence(Ordering::SeqCst);
    }

    /// Whether every reserved record has been handed out: none can be read or is still being
    /// written.
    pub fn is_drained(&self) -> bool {
        self.position == self.producer.word().load(Ordering::Acquire)
    }

    /// The header of the record at the position.
    #[inline]
    fn header(&self) -> u32 {
        let start = self.position & self.mask;
        // SAFETY: headers are aligned to eight bytes, as the ring is: they lie within it whole.
        let header = unsafe { self.data.add(start as usize).cast::<AtomicU32>().as_ref() };
        header.load(Ordering::Acquire)
    }
}

// SAFETY: the data lies in the mapping, which belongs to the process, not to a thread.
unsafe impl Send for Ring {}
