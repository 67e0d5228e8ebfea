//! What files may contain, and what a reader that one of them has taken over may answer.

use std::fs::File;

use super::{
    names,
    serve::Known,
    wire::{Answer, NAME_LIMIT},
};

pub(in super::super) fn name(data: &[u8]) {
    // What is cut ends with a mark of three bytes.
    assert!(names::demangled(data).len() <= NAME_LIMIT + 3);
}

pub(in super::super) fn answer(data: &[u8]) {
    if let Some(answer) = Answer::decode(data) {
        assert_eq!(Answer::decode(&answer.encode()), Some(answer));
    }
}

pub(in super::super) fn file(file: File, offset: u64) {
    if let Ok(Ok(known)) = Known::read(file, None, true) {
        let _ = known.at(offset);
    }
}
