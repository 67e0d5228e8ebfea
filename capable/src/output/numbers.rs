//! Numbers as text, without the machinery of `std::fmt`: it costs several times as much, and
//! numbers are half of every row.

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

/// Writes `number` so that it ends where `slot` ends, over the blanks that are there. Says
/// whether it fitted.
#[inline]
pub fn put_right(mut slot: &mut [u8], number: u64) -> bool {
    let mut rest = number;
    // Two digits at a time: divisions are what this costs.
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

/// Writes the last `slot.len()` decimal digits of `number`, zeros in front.
pub fn put_digits(slot: &mut [u8], number: u64) {
    let mut rest = number;
    for byte in slot.iter_mut().rev() {
        *byte = digit(rest);
        rest /= 10;
    }
}

/// Appends `number` in decimal.
#[inline]
pub fn push_number(out: &mut Vec<u8>, number: u64) {
    // 20 digits hold any u64.
    let mut digits = [0; 20];
    let mut start = digits.len();
    let mut rest = number;
    for byte in digits.iter_mut().rev() {
        *byte = digit(rest);
        start -= 1;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
}

/// Appends `number` in decimal, with its sign where it is negative.
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

/// Appends `number` in hexadecimal, with at least `width` digits, at most 16.
pub fn push_hex_digits(out: &mut Vec<u8>, number: u64, width: usize) {
    let mut digits = [0; 16];
    for (place, digit) in digits.iter_mut().rev().enumerate() {
        *digit = hex_digit((number >> (4 * place) & 0xf) as u8);
    }
    let blank = number.leading_zeros() as usize / 4;
    out.extend_from_slice(&digits[blank.min(15).min(16 - width.min(16))..]);
}

/// Appends `byte` as two hexadecimal digits.
pub fn push_hex_byte(out: &mut Vec<u8>, byte: u8) {
    out.extend_from_slice(&[hex_digit(byte >> 4), hex_digit(byte & 0xf)]);
}

#[inline]
fn digit(number: u64) -> u8 {
    b'0' + (number % 10) as u8
}

fn hex_digit(nibble: u8) -> u8 {
    match nibble {
        0..10 => b'0' + nibble,
        _ => b'a' + nibble - 10,
    }
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
        for number in [
            0,
            1,
            9,
            10,
            99,
            100,
            4_194_304,
            u64::from(u32::MAX),
            u64::MAX,
        ] {
            assert_eq!(pushed(|out| push_number(out, number)), number.to_string());
            assert_eq!(
                pushed(|out| push_hex(out, number, 1)),
                format!("{number:#x}")
            );
            let mut slot = [b' '; 20];
            assert!(put_right(&mut slot, number));
            assert_eq!(slot, format!("{number:>20}").as_bytes());
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
