//! Whether a check is the one before it once more: most rows of a busy program are.

use std::{mem::offset_of, ptr};

use capable_common::Check;

const WORDS: usize = size_of::<Check>() / 8;

/// The word in which its time lies.
const TIME: usize = offset_of!(Check, time) / 8;

/// Whether a check says the same as another but for its time.
#[inline]
pub(crate) fn repeats(check: &Check, before: &Check) -> bool {
    // SAFETY: a check is as many words, made of integers without padding (a test in capable-common
    // holds that).
    let words = |check| unsafe { &*ptr::from_ref::<Check>(check).cast::<[u64; WORDS]>() };
    let (check, before) = (words(check), words(before));
    // Without a branch for each word.
    let differs = |word| {
        if word == TIME {
            0
        } else {
            check[word] ^ before[word]
        }
    };
    (0..WORDS).fold(0, |all, word| all | differs(word)) == 0
}
