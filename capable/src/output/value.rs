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

/// A task's name up to the terminating NUL.
#[inline]
pub fn comm_bytes(comm: &[u8; 16]) -> &[u8] {
    &comm[..comm_length(comm)]
}

/// The position of the NUL that ends a task's name; 16 if there is none.
#[inline]
pub fn comm_length(comm: &[u8; 16]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    // The lowest set bit of each half is the high bit of its first NUL.
    let nul = |half: u64| half.wrapping_sub(ONES) & !half & HIGH;
    let bytes = u128::from_le_bytes(*comm);
    let (low, high) = (nul(bytes as u64), nul((bytes >> 64) as u64));
    let length = if low != 0 {
        low.trailing_zeros() / 8
    } else if high != 0 {
        8 + high.trailing_zeros() / 8
    } else {
        16
    };
    length as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_ends_at_its_first_nul_wherever_that_is() {
        for length in 0..=16 {
            for rest in [0, 1, 0x80, 0xff] {
                let mut comm = [rest; 16];
                comm[..length].fill(0x80);
                if length < 16 {
                    comm[length] = 0;
                }
                assert_eq!(comm_bytes(&comm), &comm[..length]);
            }
        }
    }
}
