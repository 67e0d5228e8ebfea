//! A task's name, as the kernel keeps it: padded with NUL.

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
