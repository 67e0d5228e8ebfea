//! Hexadecimal digits.

/// Appends `number` in hexadecimal, with at least `width` digits, at most 16.
pub(crate) fn push_hex_digits(out: &mut Vec<u8>, number: u64, width: usize) {
    let mut digits = [0; 16];
    for (place, digit) in digits.iter_mut().rev().enumerate() {
        *digit = hex_digit((number >> (4 * place) & 0xf) as u8);
    }
    let blank = number.leading_zeros() as usize / 4;
    out.extend_from_slice(&digits[blank.min(15).min(16 - width.min(16))..]);
}

/// Appends `byte` as two hexadecimal digits.
pub(crate) fn push_hex_byte(out: &mut Vec<u8>, byte: u8) {
    out.extend_from_slice(&[hex_digit(byte >> 4), hex_digit(byte & 0xf)]);
}

fn hex_digit(nibble: u8) -> u8 {
    match nibble {
        0..10 => b'0' + nibble,
        _ => b'a' + nibble - 10,
    }
}
