//! Guesses what the user may have meant.

/// The longest text that is compared: no unit or program has a longer name. The time that it takes
/// grows with the length of both.
const LONGEST: usize = 256;

/// The most similar candidate, if one is similar enough.
///
/// Similar means that it differs only in case, that the given text is its beginning, or that at
/// most a third of the characters (but at least one) are added, missing, replaced or swapped with a
/// neighbour.
pub fn nearest<'a>(given: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let given: Vec<char> = given.to_lowercase().chars().collect();
    if given.len() > LONGEST {
        return None;
    }
    let limit = (given.len() / 3).max(1);
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let other: Vec<char> = candidate.to_lowercase().chars().collect();
            // At least as many edits as one is longer.
            let mut distance = match other.len().abs_diff(given.len()) <= limit {
                true => distance(&given, &other),
                false => usize::MAX,
            };
            if given.len() >= 3 && other.starts_with(&given) {
                distance = distance.min(limit);
            }
            (distance <= limit).then_some((distance, candidate))
        })
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}

/// The number of edits that turn one into the other (optimal string alignment).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let exchanged = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = exchanged.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before_last[j - 2] + 1);
            }
            row.push(best);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    const USERS: [&str; 4] = ["root", "daemon", "www-data", "postgres"];

    #[test]
    fn a_slip_of_the_finger_finds_what_was_meant() {
        assert_eq!(nearest("roto", USERS), Some("root"));
        assert_eq!(nearest("WWW-data", USERS), Some("www-data"));
        assert_eq!(nearest("postgers", USERS), Some("postgres"));
        assert_eq!(nearest("post", USERS), Some("postgres"));
    }

    #[test]
    fn long_texts_are_refused_at_once() {
        let long = "a".repeat(1_000_000);
        assert_eq!(nearest(&long, [&*long]), None);
        assert_eq!(nearest("root", [&*long, "root"]), Some("root"));
        assert_eq!(nearest("aaa", [&*long]), Some(&*long));
    }

    #[test]
    fn nothing_alike_is_not_suggested() {
        assert_eq!(nearest("alice", USERS), None);
        assert_eq!(nearest("", USERS), None);
        assert_eq!(nearest("root", []), None);
    }
}
