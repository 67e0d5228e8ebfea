//! Numbers as text, without `std::fmt`: it costs several times as much, and numbers are half of
//! every row.

use crate::escape::push_hex_digits;

/// The digits of 0 to 99.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[b'0'; 2]; 100];
    let mut number = 0;
    while number < 100 {
        pairs[number] = [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8];
        number += 1;
    }
    pairs
};

/// The eight decimal digits of a number below 10^8, with leading zeros, one byte each: the first
/// digit in the lowest byte.
///
/// The number is split into parts of four, two and then one digit, all parts of a step at once. The
/// factors are reciprocals, exact for numbers of that many digits.
#[inline]
fn eight_digits(number: u32) -> u64 {
    let (high, low) = (u64::from(number / 10_000), u64::from(number % 10_000));
    let fours = high | low << 32;
    let hundreds = ((fours * 10_486) >> 20) & 0x7f_0000_007f;
    let twos = hundreds | (fours - 100 * hundreds) << 16;
    let tens = ((twos * 103) >> 10) & 0x000f_000f_000f_000f;
    tens | (twos - 10 * tens) << 8
}

/// The digits of a number below 10^8 as text, eight bytes with leading blanks, and how many blanks
/// there are.
#[inline]
fn eight_bytes(number: u32) -> (u64, u32) {
    let digits = eight_digits(number);
    // The last digit is shown even if it is zero.
    let blanks = (digits | 1 << 56).trailing_zeros() / 8;
    // A blank is 0x20, and a digit is 0x30 plus its value.
    let marks = 0x1010_1010_1010_1010 << (8 * blanks);
    (digits | 0x2020_2020_2020_2020 | marks, blanks)
}

/// Writes `number` over the blanks of `slot` so that it ends where `slot` ends. Returns whether it
/// fitted.
#[inline]
pub fn put_right(slot: &mut [u8], number: u64) -> bool {
    let width = slot.len();
    // The columns of users and processes: their numbers are in every row.
    if let (4..=8, 0..100_000_000) = (width, number) {
        let (text, blanks) = eight_bytes(number as u32);
        let text = text >> (8 * (8 - width));
        if let Some(first) = slot.first_chunk_mut::<4>() {
            *first = (text as u32).to_le_bytes();
        }
        if let Some(last) = slot.last_chunk_mut::<4>() {
            *last = ((text >> (8 * (width - 4))) as u32).to_le_bytes();
        }
        return blanks as usize + width >= 8;
    }
    put_pairs(slot, number)
}

/// Writes `number` of any length, two digits at a time, because the divisions are what costs.
fn put_pairs(mut slot: &mut [u8], number: u64) -> bool {
    let mut rest = number;
    while rest >= 10 {
        let Some((front, pair)) = slot.split_last_chunk_mut::<2>() else {
            return false;
        };
        *pair = PAIRS[(rest % 100) as usize];
        slot = front;
        rest /= 100;
        if rest == 0 {
            return true;
        }
    }
    let Some(last) = slot.last_mut() else {
        return false;
    };
    *last = digit(rest);
    true
}

/// Writes the last `slot.len()` decimal digits of `number`, with leading zeros.
pub fn put_digits(slot: &mut [u8], number: u64) {
    let mut rest = number;
    let mut pairs = slot.rchunks_exact_mut(2);
    for pair in &mut pairs {
        pair.copy_from_slice(&PAIRS[(rest % 100) as usize]);
        rest /= 100;
    }
    if let [first] = pairs.into_remainder() {
        *first = digit(rest);
    }
}

/// Appends `number` in decimal.
#[inline]
pub fn push_number(out: &mut Vec<u8>, number: u64) {
    const PART: u64 = 100_000_000;
    if number >= PART {
        push_number(out, number / PART);
        let digits = eight_digits((number % PART) as u32) | 0x3030_3030_3030_3030;
        out.extend_from_slice(&digits.to_le_bytes());
        return;
    }
    let (text, blanks) = eight_bytes(number as u32);
    let length = out.len() + 8 - blanks as usize;
    // Writes eight bytes at once, then cuts off those after the digits.
    out.extend_from_slice(&(text >> (8 * blanks)).to_le_bytes());
    out.truncate(length);
}

/// Appends `number` in decimal, with a sign if it is negative.
pub fn push_signed(out: &mut Vec<u8>, number: i64) {
    if number < 0 {
        out.push(b'-');
    }
    push_number(out, number.unsigned_abs());
}

/// Appends `number` in hexadecimal after `0x`, with at least `width` digits, at most 16.
pub fn push_hex(out: &mut Vec<u8>, number: u64, width: usize) {
    out.extend_from_slice(b"0x");
    push_hex_digits(out, number, width);
}

#[inline]
fn digit(number: u64) -> u8 {
    b'0' + (number % 10) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pushed(push: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        push(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_read_as_the_standard_library_writes_them() {
        let powers = (0..19).map(|power| 10_u64.pow(power));
        let near = powers.flat_map(|power| [power - 1, power, power + 1, 3 * power, 7 * power + 9]);
        for number in near.chain([
            4_194_304,
            99_990_000,
            12_345_678,
            89_090_909,
            u64::from(u32::MAX),
            u64::MAX,
        ]) {
            assert_eq!(pushed(|out| push_number(out, number)), number.to_string());
            assert_eq!(
                pushed(|out| push_hex(out, number, 1)),
                format!("{number:#x}")
            );
            let mut slot = [b' '; 20];
            assert!(put_right(&mut slot, number));
            assert_eq!(slot, format!("{number:>20}").as_bytes());
            for width in 1..10 {
                let mut slot = [b' '; 10];
                let fits = put_right(&mut slot[..width], number);
                let text = number.to_string();
                assert_eq!(fits, text.len() <= width, "{number} in {width}");
                if fits {
                    assert_eq!(slot[..width], *format!("{number:>width$}").as_bytes());
                }
                assert!(slot[width..].iter().all(|&byte| byte == b' '));
            }
        }
        for number in [i64::MIN, -1, 0, 41] {
            assert_eq!(pushed(|out| push_signed(out, number)), number.to_string());
        }
        assert_eq!(pushed(|out| push_hex(out, 0x1ff, 16)), "0x00000000000001ff");
    }

    #[test]
    fn a_number_that_does_not_fit_says_so() {
        assert!(put_right(&mut [b' '; 7], 4_194_304));
        assert!(!put_right(&mut [b' '; 6], 4_194_304));
    }
}
