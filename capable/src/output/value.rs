//! What a cell holds, before a format decides how it looks.

/// The value of one column in one row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// Not known, or there is none.
    Unknown,
    /// A number.
    Number(u64),
    /// A number that may be below zero.
    Signed(i64),
    /// Yes or no.
    Flag(bool),
    /// A word from this program: plain ASCII, short.
    Word(&'static str),
    /// The number of something that has no name: `CAP_41`.
    Numbered(&'static str, i64),
    /// Text from outside the program.
    Text(&'a str),
    /// A task's name: bytes up to the first NUL.
    Comm(&'a [u8; 16]),
    /// Bytes, one number each.
    Bytes(&'a [u8]),
    /// Bits.
    Mask(u64),
    /// The arguments of a system call.
    Arguments(&'a [u64; 6]),
    /// A time, in nanoseconds of the monotonic clock.
    Time(u64),
}

impl<'a> Value<'a> {
    /// The number, if it is known.
    pub fn number(number: Option<impl Into<u64>>) -> Self {
        number.map_or(Self::Unknown, |number| Self::Number(number.into()))
    }

    /// The flag, if it is known.
    pub fn flag(flag: Option<bool>) -> Self {
        flag.map_or(Self::Unknown, Self::Flag)
    }

    /// The word, if there is one.
    pub fn word(word: Option<&'static str>) -> Self {
        word.map_or(Self::Unknown, Self::Word)
    }

    /// The text, if it is known.
    pub fn text(text: Option<&'a str>) -> Self {
        text.map_or(Self::Unknown, Self::Text)
    }
}
