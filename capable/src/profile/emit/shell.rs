//! Shell words.

/// The word in POSIX shell syntax, quoted if necessary. Control characters are escaped, since
/// nothing that gets pasted should contain one; such a word does not read back unchanged.
pub(super) fn quoted(word: &str) -> String {
    let word = crate::profile::words::harmless(word);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./:=@%+,".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        return word;
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// The words of a command, each quoted if necessary.
pub(in crate::profile) fn command(words: &[String]) -> String {
    let words: Vec<_> = words.iter().map(|word| quoted(word)).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn a_shell_reads_each_word_back_as_it_was() {
        for word in [
            "plain",
            "two words",
            "it's",
            "",
            "$HOME",
            "a;b",
            "größe",
            "*",
            "-x",
        ] {
            let script = format!("printf %s {}", quoted(word));
            let output = Command::new("/bin/sh")
                .arg("-c")
                .arg(script)
                .output()
                .unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), word);
        }
    }
}
