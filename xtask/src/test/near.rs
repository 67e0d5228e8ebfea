//! The message if no test has a name that was asked for.

use std::collections::BTreeSet;

/// How many names are offered.
const OFFERED: usize = 5;
/// How similar a name must be to be offered, from 0 to 1.
const LEAST: f64 = 0.8;

/// The message, with the names of tests that are most similar to one of the words.
pub fn message(words: &[String], names: &[String]) -> String {
    let names: BTreeSet<&String> = names.iter().collect();
    let mut near: Vec<(f64, &String)> = names
        .into_iter()
        .map(|name| (likeness(words, name), name))
        .filter(|(likeness, _)| *likeness >= LEAST)
        .collect();
    near.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    let mut message = format!("no test has a name with {}", words.join(" or "));
    if near.is_empty() {
        message += "; --list names all of them";
    } else {
        message += "; near are:";
    }
    for (_, name) in near.into_iter().take(OFFERED) {
        message += "\n    ";
        message += name;
    }
    message
}

/// How similar the name, or one of its words, is to what was asked for.
fn likeness(asked: &[String], name: &str) -> f64 {
    let parts = name.split(|c: char| !c.is_alphanumeric());
    let parts: Vec<&str> = parts.chain([name]).collect();
    let of_one = |asked: &String| {
        parts
            .iter()
            .map(|part| strsim::jaro_winkler(asked, part))
            .fold(0.0, f64::max)
    };
    asked.iter().map(of_one).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message_for(word: &str) -> String {
        let names = ["unique_shows_once", "sigint_ends_it", "a::b::unique_rows"];
        message(&[word.to_owned()], &names.map(str::to_owned))
    }

    #[test]
    fn a_misspelled_word_is_answered_with_the_names_that_have_it() {
        let message = message_for("unqiue");
        assert!(message.starts_with("no test has a name with unqiue; near are:\n"));
        assert!(message.contains("\n    unique_shows_once"));
        assert!(message.contains("\n    a::b::unique_rows"));
        assert!(!message.contains("sigint"));
    }

    #[test]
    fn where_nothing_is_near_the_list_is_named() {
        let message = message_for("xyzzy");
        assert_eq!(
            message,
            "no test has a name with xyzzy; --list names all of them"
        );
    }
}
