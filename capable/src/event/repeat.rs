//! Whether a check repeats the one before it, as most rows of a busy program do.

use std::{mem::offset_of, ptr};

use capable_common::Check;

const WORDS: usize = size_of::<Check>() / 8;

/// The word that holds its time.
const TIME: usize = offset_of!(Check, time) / 8;

/// Whether a check equals another except for its time.
#[inline]
pub(crate) fn repeats(check: &Check, before: &Check) -> bool {
    // SAFETY: a check has this many words, and is made of integers without padding (a test in
    // capable-common checks this).
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
