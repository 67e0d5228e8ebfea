//! What is known about the words of a function's stack.

/// A value for each word. Few words hold anything worth knowing, so only these are kept: a state is
/// stored wherever paths meet, and all words would make it ten times as large.
#[derive(Clone)]
pub struct Words<T> {
    /// What all others hold.
    rest: T,
    /// The words that hold something else.
    held: Vec<(usize, T)>,
}

impl<T: Copy + PartialEq> Words<T> {
    /// All words hold this.
    pub const fn all(rest: T) -> Self {
        Self {
            rest,
            held: Vec::new(),
        }
    }

    /// What a word holds.
    pub fn get(&self, word: usize) -> T {
        let held = self.held.iter().find(|(other, _)| *other == word);
        held.map_or(self.rest, |(_, value)| *value)
    }

    /// Changes what a word holds.
    pub fn set(&mut self, word: usize, value: T) {
        self.held.retain(|(other, _)| *other != word);
        if value != self.rest {
            self.held.push((word, value));
        }
    }

    /// Joins each word with the same word of another stack; true if any changes.
    pub fn join(&mut self, other: &Self, join: impl Fn(T, T) -> T) -> bool {
        let words = self.held.iter().chain(&other.held);
        let words: Vec<usize> = words.map(|(word, _)| *word).collect();
        let mut changed = false;
        for word in words {
            let mine = self.get(word);
            let both = join(mine, other.get(word));
            if both != mine {
                self.set(word, both);
                changed = true;
            }
        }
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_joined_wherever_either_stack_holds_something() {
        let (mut one, mut other) = (Words::all(0), Words::all(0));
        for (word, mine, theirs) in [(7, 1, 1), (8, 2, 0), (9, 0, 3), (10, 4, 5)] {
            one.set(word, mine);
            other.set(word, theirs);
        }
        let values = |words: &Words<i32>| [6, 7, 8, 9, 10].map(|word| words.get(word));
        let mut highest = one.clone();
        assert!(highest.join(&other, i32::max));
        assert_eq!(values(&highest), [0, 1, 2, 3, 5]);
        assert!(!highest.join(&other, i32::max));
        assert!(one.join(&other, i32::min));
        assert_eq!(values(&one), [0, 1, 0, 0, 4]);
        one.set(7, 0);
        assert_eq!(values(&one), [0, 0, 0, 0, 4]);
    }
}
