//! Records as they come out of a transport: put in order of time, and taken apart without a copy
//! per field.

use capable_common::{Check, Config, Detail, Kind, Life, STACK_FAILED, Wanted};

use crate::event::{Event, Stack};

/// What the stream brings.
#[derive(Clone, Copy, Debug)]
pub enum Record<'a> {
    /// A check.
    Check(Event<'a>),
    /// A step in the life of a followed process.
    Life(&'a Life),
}

/// Which sections follow a check, and how long a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sections {
    detail: bool,
    kernel_frames: usize,
    user_frames: usize,
}

impl Sections {
    /// The sections that a configuration asks for.
    pub fn of(config: &Config) -> Self {
        Self::new(
            config.wanted & Wanted::DETAIL != 0,
            config.kernel_frames as usize,
            config.user_frames as usize,
        )
    }

    /// These sections.
    pub const fn new(detail: bool, kernel_frames: usize, user_frames: usize) -> Self {
        Self {
            detail,
            kernel_frames,
            user_frames,
        }
    }

    /// The length of a check's record in words of eight bytes.
    fn words(self) -> usize {
        let bytes = size_of::<Check>() + if self.detail { size_of::<Detail>() } else { 0 };
        bytes / 8 + self.kernel_frames + self.user_frames
    }

    /// Takes a check's record apart.
    fn event(self, words: &[u64]) -> Option<Event<'_>> {
        let (check, rest) = words.split_at_checked(size_of::<Check>() / 8)?;
        let (detail, rest) = if self.detail {
            let (detail, rest) = rest.split_at_checked(size_of::<Detail>() / 8)?;
            (Some(detail), rest)
        } else {
            (None, rest)
        };
        let (kernel, rest) = rest.split_at_checked(self.kernel_frames)?;
        let user = rest.get(..self.user_frames)?;
        // SAFETY: the words are as many as the structures have, which are made of integers, for
        // which every bit pattern is a value, and aligned to eight bytes.
        let (check, detail) = unsafe {
            (
                &*check.as_ptr().cast::<Check>(),
                detail.map(|detail| &*detail.as_ptr().cast::<Detail>()),
            )
        };
        Some(Event {
            check,
            detail,
            kernel_stack: stack(check.kernel_frames, kernel),
            user_stack: stack(check.user_frames, user),
        })
    }
}

/// The frames that were captured, of those that there is room for.
fn stack(captured: u16, frames: &[u64]) -> Stack<'_> {
    match (frames.len(), captured) {
        (0, _) => Stack::NotAsked,
        (_, STACK_FAILED) => Stack::Failed,
        (most, captured) => Stack::Frames(&frames[..usize::from(captured).min(most)]),
    }
}

/// Where a record lies in a batch. The order of the fields is the one to sort by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    time: u64,
    start: u32,
    length: u32,
}

/// The words of a check.
const CHECK: usize = size_of::<Check>() / 8;

/// How many records one that comes late is moved in front of at once.
const NEAR: usize = 8;

/// Records that were taken out of the transport, back to back.
pub struct Batch {
    words: Vec<u64>,
    order: Vec<Place>,
    sorted: bool,
}

impl Default for Batch {
    fn default() -> Self {
        Self {
            words: Vec::new(),
            order: Vec::new(),
            sorted: true,
        }
    }
}

impl Batch {
    /// How many records wait in it.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// The time of the newest of them, but for those that came out of order by far.
    pub fn newest(&self) -> Option<u64> {
        self.order.last().map(|place| place.time)
    }

    /// Nothing waits in it.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Copies a record in. A perf sample is longer than what was sent by up to seven bytes, and
    /// may come in two parts.
    pub fn push(&mut self, head: &[u8], tail: &[u8], sections: Sections) {
        let &[low, high, ..] = head else {
            return;
        };
        let length = if u16::from_ne_bytes([low, high]) == Kind::Check as u16 {
            sections.words()
        } else {
            size_of::<Life>() / 8
        };
        let start = self.words.len();
        if let Some(bytes) = head.get(..length * 8) {
            let (words, _) = bytes.as_chunks::<8>();
            // A check at once: its length is known to the compiler.
            let (checks, rest) = words.as_chunks::<CHECK>();
            for check in checks {
                self.words.extend_from_slice(&check.map(u64::from_ne_bytes));
            }
            self.words
                .extend(rest.iter().map(|&word| u64::from_ne_bytes(word)));
        } else if !self.push_parts(head, tail, length) {
            return;
        }
        let Some(&time) = self.words.get(start + 1) else {
            return;
        };
        let place = Place {
            time,
            start: start as u32,
            length: length as u32,
        };
        self.queue(place);
    }

    /// Queues a record. Processors overtake each other by a place or two on their way into a ring
    /// buffer, so nearly always this leaves all in order; perf buffers are put in order at the end.
    fn queue(&mut self, place: Place) {
        let later = |other: &&Place| other.time > place.time;
        let overtaken = self.order.iter().rev().take(NEAR).take_while(later).count();
        match overtaken {
            0 => self.order.push(place),
            NEAR => {
                self.sorted = false;
                self.order.push(place);
            }
            _ => self.order.insert(self.order.len() - overtaken, place),
        }
    }

    /// Copies a record of that many words in that comes in two parts; `false` where they are too
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

    /// Gives the records up to a time to a sink, in order, and keeps the others.
    pub fn give(&mut self, sections: Sections, until: u64, mut sink: impl FnMut(Record<'_>)) {
        if !self.sorted {
            self.order.sort_unstable();
            self.sorted = true;
        }
        let ready = self.order.partition_point(|place| place.time <= until);
        for place in &self.order[..ready] {
            let words = self.words_of(place);
            if words[0] as u16 == Kind::Check as u16 {
                if let Some(event) = sections.event(words) {
                    sink(Record::Check(event));
                }
            } else {
                // SAFETY: `push` took as many words as a `Life` has, which is made of integers.
                sink(Record::Life(unsafe { &*words.as_ptr().cast::<Life>() }));
            }
        }
        if ready == self.order.len() {
            self.words.clear();
            self.order.clear();
        } else if ready > 0 {
            self.forget(ready);
        }
    }

    fn words_of(&self, place: &Place) -> &[u64] {
        &self.words[place.start as usize..][..place.length as usize]
    }

    /// Drops the first records and moves the others together.
    fn forget(&mut self, ready: usize) {
        let mut kept = Self::default();
        for place in &self.order[ready..] {
            let start = kept.words.len() as u32;
            kept.words.extend_from_slice(self.words_of(place));
            kept.order.push(Place { start, ..*place });
        }
        *self = kept;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BARE: Sections = Sections::new(false, 0, 0);

    fn life(time: u64) -> Vec<u8> {
        let mut words = [0u64; size_of::<Life>() / 8];
        words[0] = Kind::Exec as u64;
        words[1] = time;
        words.iter().flat_map(|word| word.to_ne_bytes()).collect()
    }

    fn times(batch: &mut Batch, until: u64) -> Vec<u64> {
        let mut times = Vec::new();
        batch.give(BARE, until, |record| match record {
            Record::Life(life) => times.push(life.time),
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
