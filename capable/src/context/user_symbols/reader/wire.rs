//! What the tracer and the reader say to each other: one request and one answer at a time, each in
//! one message of a socket that keeps their bounds (`SOCK_SEQPACKET`).
//!
//! The tracer believes nothing: an answer can come from a reader that a file has taken over. It is
//! decoded with the same bounds as it was encoded with.

use std::sync::Arc;

use super::super::{SourceLine, UserFrame, text::cut};

/// Changes with the messages. A reader of another version refuses to start.
pub(super) const VERSION: &str = "1";
/// The longest name of a function and the longest path of a source file, in bytes.
pub(super) const NAME_LIMIT: usize = 512;
/// The number of functions in one place: one, and those that the compiler inlined there.
pub(super) const PLACE_LIMIT: usize = 16;
/// Room for the largest answer: each function has two texts and 32 bytes at most.
pub(super) const ANSWER_LIMIT: usize = 64 + PLACE_LIMIT * (2 * NAME_LIMIT + 32);

/// Asks for the functions at a place in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Request {
    /// A number that no other file has, nor had.
    pub file: u64,
    /// The offset in the file.
    pub offset: u64,
    /// Whether debug information is read.
    pub lines: bool,
}

/// What the reader answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Answer {
    /// The functions, innermost first; none if the file has no symbol for the place.
    Found(Vec<UserFrame>),
    /// The file's symbols have no sense, or are more than is read.
    Refused(Refusal),
}

/// Why the reader does not give a file's symbols.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Refusal {
    TooLarge,
    Unreadable,
}

impl Request {
    pub(super) const LENGTH: usize = 17;

    pub(super) fn encode(self) -> [u8; Self::LENGTH] {
        let mut bytes = [0; Self::LENGTH];
        bytes[..8].copy_from_slice(&self.file.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.offset.to_le_bytes());
        bytes[16] = self.lines.into();
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        let request = Self {
            file: u64::from_le_bytes(take(&mut rest)?),
            offset: u64::from_le_bytes(take(&mut rest)?),
            lines: take::<1>(&mut rest)? == [1],
        };
        rest.is_empty().then_some(request)
    }
}

impl Answer {
    pub(super) fn encode(&self) -> Vec<u8> {
        match self {
            Self::Refused(Refusal::TooLarge) => vec![1],
            Self::Refused(Refusal::Unreadable) => vec![2],
            Self::Found(frames) => {
                let mut bytes = vec![0];
                for frame in frames.iter().take(PLACE_LIMIT) {
                    bytes.push(frame.inlined.into());
                    put_number(&mut bytes, frame.offset);
                    put_text(&mut bytes, frame.name.as_deref());
                    let location = frame.location.as_ref();
                    put_text(&mut bytes, location.map(|place| &*place.file));
                    put_number(
                        &mut bytes,
                        location.and_then(|place| place.line).map(u64::from),
                    );
                }
                bytes
            }
        }
    }

    /// `None` if no reader of ours would say this.
    pub(super) fn decode(mut bytes: &[u8]) -> Option<Self> {
        let kind = take(&mut bytes)?;
        let frames = match (kind, bytes.is_empty()) {
            ([0], _) => frames(bytes)?,
            ([1], true) => return Some(Self::Refused(Refusal::TooLarge)),
            ([2], true) => return Some(Self::Refused(Refusal::Unreadable)),
            _ => return None,
        };
        Some(Self::Found(frames))
    }
}

fn frames(mut bytes: &[u8]) -> Option<Vec<UserFrame>> {
    let mut frames = Vec::new();
    while !bytes.is_empty() {
        if frames.len() == PLACE_LIMIT {
            return None;
        }
        let inlined = take::<1>(&mut bytes)? == [1];
        let offset = number(&mut bytes)?;
        let name = text(&mut bytes)?;
        let file = text(&mut bytes)?;
        let line = number(&mut bytes)?;
        frames.push(UserFrame {
            name,
            offset,
            location: file.map(|file| SourceLine {
                file,
                line: line.and_then(|line| line.try_into().ok()),
            }),
            inlined,
            ..UserFrame::unknown(0)
        });
    }
    Some(frames)
}

fn take<const SIZE: usize>(bytes: &mut &[u8]) -> Option<[u8; SIZE]> {
    let (first, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*first)
}

fn put_number(bytes: &mut Vec<u8>, number: Option<u64>) {
    bytes.push(number.is_some().into());
    bytes.extend_from_slice(&number.unwrap_or(0).to_le_bytes());
}

fn number(bytes: &mut &[u8]) -> Option<Option<u64>> {
    let known = take::<1>(bytes)? == [1];
    let number = u64::from_le_bytes(take(bytes)?);
    Some(known.then_some(number))
}

fn put_text(bytes: &mut Vec<u8>, text: Option<&str>) {
    let known = text.is_some();
    let text = cut(text.unwrap_or_default(), NAME_LIMIT);
    bytes.push(known.into());
    bytes.extend_from_slice(&(text.len() as u16).to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
}

fn text(bytes: &mut &[u8]) -> Option<Option<Arc<str>>> {
    let known = take::<1>(bytes)? == [1];
    let length = u16::from_le_bytes(take(bytes)?);
    let (text, rest) = bytes.split_at_checked(length.into())?;
    *bytes = rest;
    if text.len() > NAME_LIMIT {
        return None;
    }
    let text = str::from_utf8(text).ok()?;
    Some(known.then(|| text.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(name: &str, inlined: bool) -> UserFrame {
        UserFrame {
            name: Some(name.into()),
            offset: (!inlined).then_some(u64::MAX),
            location: Some(SourceLine {
                file: "dir/ä.c".into(),
                line: (!inlined).then_some(7),
            }),
            inlined,
            ..UserFrame::unknown(0)
        }
    }

    #[test]
    fn what_is_said_is_what_is_heard() {
        let request = Request {
            file: 1 << 40,
            offset: u64::MAX,
            lines: true,
        };
        assert_eq!(Request::decode(&request.encode()), Some(request));
        for answer in [
            Answer::Found(Vec::new()),
            Answer::Found(vec![frame("tiny", true), frame("main", false)]),
            Answer::Refused(Refusal::TooLarge),
            Answer::Refused(Refusal::Unreadable),
        ] {
            assert_eq!(Answer::decode(&answer.encode()), Some(answer));
        }
    }

    #[test]
    fn the_largest_answer_fits_and_a_larger_one_is_cut() {
        let many = vec![frame(&"x".repeat(100_000), false); 100];
        let bytes = Answer::Found(many).encode();
        assert!(bytes.len() <= ANSWER_LIMIT, "{}", bytes.len());
        let Some(Answer::Found(frames)) = Answer::decode(&bytes) else {
            panic!("not understood");
        };
        assert_eq!(frames.len(), PLACE_LIMIT);
        let name = frames[0].name.as_deref().unwrap();
        assert!(name.len() <= NAME_LIMIT && name.ends_with("x…"), "{name}");
    }

    #[test]
    fn an_answer_that_breaks_the_bounds_is_not_believed() {
        let good = Answer::Found(vec![frame("main", false)]).encode();
        for length in 1..good.len() {
            assert!(
                length == 1 || Answer::decode(&good[..length]).is_none(),
                "cut to {length}"
            );
        }
        let mut many = vec![0];
        for _ in 0..=PLACE_LIMIT {
            many.extend_from_slice(&good[1..]);
        }
        assert_eq!(Answer::decode(&many), None);
        let mut long = vec![0, 0];
        put_number(&mut long, None);
        long.push(1);
        long.extend_from_slice(&(NAME_LIMIT as u16 + 1).to_le_bytes());
        long.extend_from_slice(&[b'x'; NAME_LIMIT + 1]);
        put_text(&mut long, None);
        put_number(&mut long, None);
        assert_eq!(Answer::decode(&long), None);
        let invalid = good
            .iter()
            .map(|&byte| if byte == b'm' { 0xff } else { byte });
        assert_eq!(Answer::decode(&invalid.collect::<Vec<_>>()), None);
    }
}
