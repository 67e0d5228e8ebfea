//! Whole numbers, as typed.

use std::ops::RangeInclusive;

/// A parser of whole numbers in a range, which answers anything else with what works.
pub fn number<T: TryFrom<u64>>(
    range: RangeInclusive<u64>,
    example: u64,
) -> impl Fn(&str) -> Result<T, String> + Clone {
    move |text| {
        let given = text.parse().ok().filter(|number| range.contains(number));
        given
            .and_then(|number| T::try_from(number).ok())
            .ok_or_else(|| match (range.start(), range.end()) {
                (first, &u64::MAX) => {
                    format!("it takes a whole number, {first} or more, such as {example}")
                }
                (first, last) => {
                    format!("it takes a whole number from {first} to {last}, such as {example}")
                }
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_such_number_is_answered_with_what_works() {
        let rows = number::<u64>(1..=u64::MAX, 10);
        assert_eq!(rows("1"), Ok(1));
        assert_eq!(rows(&u64::MAX.to_string()), Ok(u64::MAX));
        for wrong in ["", "x", "0", "-1", "1.5", "99999999999999999999"] {
            let expected = "it takes a whole number, 1 or more, such as 10";
            assert_eq!(rows(wrong), Err(expected.to_owned()), "{wrong}");
        }
        let frames = number::<u32>(1..=127, 64);
        assert_eq!(frames("127"), Ok(127));
        assert_eq!(
            frames("128"),
            Err("it takes a whole number from 1 to 127, such as 64".to_owned())
        );
    }
}
