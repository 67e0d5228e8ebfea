//! Records as they come out of a transport: sorted by time, and parsed without copying each field.

use std::{mem::offset_of, ops::Range};

use capable_common::{
    self as wire, Check, Config, Detail, Membership, RecordKind, STACK_FAILED, Wanted,
};

use crate::event::{Event, Life, Operation, Stack};

/// What the stream delivers.
#[derive(Clone, Copy, Debug)]
pub enum Record<'a> {
    /// A check.
    Check(Event<'a>),
    /// A step in the life of a followed process.
    Life(Life<'a>),
    /// A system call of a followed process that failed.
    Operation(Operation<'a>),
}

/// Which sections follow a check, and how long a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sections {
    membership: bool,
    detail: bool,
    kernel_frames: usize,
    user_frames: usize,
}

impl Sections {
    /// The sections that a configuration asks for.
    pub fn of(config: &Config) -> Self {
        Self::new(
            config.wanted,
            config.kernel_frames as usize,
            config.user_frames as usize,
        )
    }

    /// These sections.
    pub const fn new(wanted: Wanted, kernel_frames: usize, user_frames: usize) -> Self {
        Self {
            membership: wanted.intersects(Wanted::MEMBERSHIP),
            detail: wanted.contains(Wanted::DETAIL),
            kernel_frames,
            user_frames,
        }
    }

    /// The length of a check's record in words of eight bytes.
    fn words(self) -> usize {
        let section = |asked: bool, bytes: usize| if asked { bytes } else { 0 };
        let bytes = size_of::<Check>()
            + section(self.membership, size_of::<Membership>())
            + section(self.detail, size_of::<Detail>());
        bytes / 8 + self.kernel_frames + self.user_frames
    }

    /// A check alone.
    const BARE: Self = Self::new(Wanted::NOTHING, 0, 0);

    /// The length in words of a record of this kind.
    fn length(self, kind: u16) -> usize {
        match kind {
            kind if kind == RecordKind::Check as u16 => self.words(),
            kind if kind == RecordKind::Operation as u16 => size_of::<wire::Operation>() / 8,
            _ => size_of::<wire::Life>() / 8,
        }
    }

    /// Parses a record; `None` if it is too short.
    #[inline]
    pub(super) fn record(self, words: &[u64]) -> Option<Record<'_>> {
        let &[first, ..] = words else {
            return None;
        };
        if first as u16 == RecordKind::Check as u16 {
            return self.event(words).map(Record::Check);
        }
        if first as u16 == RecordKind::Operation as u16 {
            let words = words.get(..size_of::<wire::Operation>() / 8)?;
            // SAFETY: the words are as many as an `Operation` has, which is made of integers, for
            // which every bit pattern is a value, and aligned to eight bytes.
            let operation = unsafe { &*words.as_ptr().cast::<wire::Operation>() };
            return Some(Record::Operation(Operation::new(operation)));
        }
        let words = words.get(..size_of::<wire::Life>() / 8)?;
        // SAFETY: the words are as many as a `Life` has, which is made of integers, for which every
        // bit pattern is a value, and aligned to eight bytes.
        let life = unsafe { &*words.as_ptr().cast::<wire::Life>() };
        Life::of(life).map(Record::Life)
    }

    /// Parses a check's record.
    #[inline]
    fn event(self, words: &[u64]) -> Option<Event<'_>> {
        if self == Self::BARE && words.len() == size_of::<Check>() / 8 {
            // SAFETY: as below.
            return Some(Event::bare(unsafe { &*words.as_ptr().cast::<Check>() }));
        }
        let (check, rest) = words.split_at_checked(size_of::<Check>() / 8)?;
        let (membership, rest) = section::<Membership>(self.membership, rest)?;
        let (detail, rest) = section::<Detail>(self.detail, rest)?;
        let (kernel, rest) = rest.split_at_checked(self.kernel_frames)?;
        let user = rest.get(..self.user_frames)?;
        // SAFETY: the words are as many as the structures have, which are made of integers, for
        // which every bit pattern is a value, and aligned to eight bytes.
        let (check, membership, detail) = unsafe {
            (
                &*check.as_ptr().cast::<Check>(),
                membership.map(|words| &*words.as_ptr().cast::<Membership>()),
                detail.map(|words| &*words.as_ptr().cast::<Detail>()),
            )
        };
        Some(Event {
            check,
            membership,
            detail,
            kernel_stack: stack(check.kernel_frames, kernel),
            user_stack: stack(check.user_frames, user),
        })
    }
}

/// The words of a section, if it was asked for, and those after it.
#[inline]
fn section<T>(asked: bool, words: &[u64]) -> Option<(Option<&[u64]>, &[u64])> {
    if !asked {
        return Some((None, words));
    }
    let (section, rest) = words.split_at_checked(size_of::<T>() / 8)?;
    Some((Some(section), rest))
}

/// The frames that were captured, out of those there is room for.
fn stack(captured: u16, frames: &[u64]) -> Stack<'_> {
    match (frames.len(), captured) {
        (0, _) => Stack::NotAsked,
        (_, STACK_FAILED) => Stack::Failed,
        (most, captured) => Stack::Frames(&frames[..usize::from(captured).min(most)]),
    }
}

/// The word of a record in which its time lies, whatever its kind.
pub(super) const TIME: usize = offset_of!(Check, time) / 8;

const _: () = assert!(offset_of!(wire::Life, time) / 8 == TIME);
const _: () = assert!(offset_of!(wire::Operation, time) / 8 == TIME);

/// A late record is inserted at once if it belongs before fewer records than this; otherwise all
/// are sorted later.
pub(super) const NEAR: usize = 8;

/// Records in order of time, each by its position in whatever form the transport uses.
pub(super) struct Order<P> {
    places: Vec<(u64, P)>,
    sorted: bool,
}

impl<P> Default for Order<P> {
    fn default() -> Self {
        Self {
            places: Vec::new(),
            sorted: true,
        }
    }
}

impl<P> Order<P> {
    /// How many records there are.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// The time of the newest of them, but for those that came out of order by far.
    fn newest(&self) -> Option<u64> {
        self.places.last().map(|&(time, _)| time)
    }

    /// Queues a record. In a ring buffer records are rarely out of order by more than a place or
    /// two, so this nearly always keeps the queue sorted; records from perf buffers are sorted at
    /// the end.
    #[inline]
    pub(super) fn queue(&mut self, time: u64, place: P) {
        match self.places.last() {
            Some(&(last, _)) if last > time => self.queue_late(time, place),
            _ => self.places.push((time, place)),
        }
    }

    #[cold]
    fn queue_late(&mut self, time: u64, place: P) {
        let later = |other: &&(u64, P)| other.0 > time;
        let overtaken = self
            .places
            .iter()
            .rev()
            .take(NEAR)
            .take_while(later)
            .count();
        if overtaken == NEAR {
            self.sorted = false;
            self.places.push((time, place));
        } else {
            let at = self.places.len() - overtaken;
            self.places.insert(at, (time, place));
        }
    }

    /// The records, the oldest first.
    fn sorted(&mut self) -> &[(u64, P)] {
        if !self.sorted {
            self.places.sort_by_key(|&(time, _)| time);
            self.sorted = true;
        }
        &self.places
    }

    /// Removes this many of the oldest.
    pub(super) fn take(&mut self, many: usize) -> impl Iterator<Item = (u64, P)> {
        self.sorted();
        self.places.drain(..many)
    }

    /// Those that are left.
    pub(super) fn left(&self) -> impl Iterator<Item = &P> {
        self.places.iter().map(|(_, place)| place)
    }
}

/// Records that were taken out of perf buffers, back to back.
#[derive(Default)]
pub struct Batch {
    words: Vec<u64>,
    /// The words of each.
    order: Order<Range<usize>>,
}

impl Batch {
    /// How many records wait in it.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// The time of the newest of them, but for those that came out of order by far.
    pub fn newest(&self) -> Option<u64> {
        self.order.newest()
    }

    /// Nothing waits in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Copies a record into it. A sample is up to seven bytes longer than what was sent, and may
    /// come in two parts.
    pub fn push(&mut self, head: &[u8], tail: &[u8], sections: Sections) {
        let &[low, high, ..] = head else {
            return;
        };
        let length = sections.length(u16::from_ne_bytes([low, high]));
        let start = self.words.len();
        if let Some(bytes) = head.get(..length * 8) {
            let (words, _) = bytes.as_chunks::<8>();
            self.words
                .extend(words.iter().map(|&word| u64::from_ne_bytes(word)));
        } else if !self.push_parts(head, tail, length) {
            return;
        }
        let Some(&time) = self.words.get(start + TIME) else {
            return;
        };
        self.order.queue(time, start..start + length);
    }

    /// Copies in a record of this many words that comes in two parts; `false` if they are too
    /// short.
    #[cold]
    fn push_parts(&mut self, head: &[u8], tail: &[u8], length: usize) -> bool {
        if head.len() + tail.len() < length * 8 {
            return false;
        }
        let mut bytes = head.iter().chain(tail);
        self.words.extend((0..length).map(|_| {
            let mut word = [0; 8];
            for (byte, &sent) in word.iter_mut().zip(&mut bytes) {
                *byte = sent;
            }
            u64::from_ne_bytes(word)
        }));
        true
    }

    /// Gives the records up to a given time to a sink, in order, and keeps the others.
    pub fn give(&mut self, sections: Sections, until: u64, mut sink: impl FnMut(Record<'_>)) {
        let ready = self
            .order
            .sorted()
            .partition_point(|&(time, _)| time <= until);
        for (_, place) in self.order.take(ready) {
            if let Some(record) = sections.record(&self.words[place]) {
                sink(record);
            }
        }
        if self.is_empty() {
            self.words.clear();
        } else if ready > 0 {
            self.move_together();
        }
    }

    /// Drops the words of records that are no longer there.
    fn move_together(&mut self) {
        let mut kept = Self::default();
        for (time, place) in self.order.take(self.order.len()) {
            let start = kept.words.len();
            kept.words.extend_from_slice(&self.words[place]);
            kept.order.queue(time, start..kept.words.len());
        }
        *self = kept;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BARE: Sections = Sections::BARE;

    fn life(time: u64) -> Vec<u8> {
        let mut words = [0u64; size_of::<wire::Life>() / 8];
        words[0] = RecordKind::Exec as u64;
        words[1] = time;
        words.iter().flat_map(|word| word.to_ne_bytes()).collect()
    }

    fn times(batch: &mut Batch, until: u64) -> Vec<u64> {
        let mut times = Vec::new();
        batch.give(BARE, until, |record| match record {
            Record::Life(life) => times.push(life.time),
            Record::Operation(operation) => times.push(operation.time()),
            Record::Check(event) => times.push(event.check.time),
        });
        times
    }

    #[test]
    fn records_come_out_in_order_of_time_and_young_ones_wait() {
        let mut batch = Batch::default();
        for time in [5, 3, 9, 4] {
            batch.push(&life(time), &[], BARE);
        }
        assert_eq!(times(&mut batch, 5), [3, 4, 5]);
        batch.push(&life(7), &[], BARE);
        assert_eq!(times(&mut batch, u64::MAX), [7, 9]);
        assert!(batch.is_empty());
    }

    #[test]
    fn records_that_were_overtaken_by_few_or_by_many_come_out_in_order() {
        for distance in 1..40 {
            let mut batch = Batch::default();
            for time in (distance..200).chain(0..distance).chain(200..210) {
                batch.push(&life(time), &[], BARE);
            }
            assert!(times(&mut batch, u64::MAX).is_sorted(), "{distance}");
            for time in 0..200 {
                batch.push(
                    &life(time / distance * distance + distance - time % distance),
                    &[],
                    BARE,
                );
            }
            assert!(times(&mut batch, u64::MAX).is_sorted(), "{distance}");
        }
    }

    #[test]
    fn a_sample_in_two_parts_is_put_together_and_its_padding_ignored() {
        let mut bytes = life(42);
        bytes.extend([0xff; 4]);
        for split in 4..bytes.len() {
            let mut batch = Batch::default();
            batch.push(&bytes[..split], &bytes[split..], BARE);
            assert_eq!(times(&mut batch, u64::MAX), [42], "split at {split}");
        }
    }

    #[test]
    fn a_record_that_is_too_short_is_not_shown() {
        let mut batch = Batch::default();
        let bytes = life(1);
        for length in 0..bytes.len() {
            batch.push(&bytes[..length], &[], BARE);
        }
        assert!(batch.is_empty());
    }
}
