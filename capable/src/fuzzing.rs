//! Parsers of what other users control, as functions of bytes.
//!
//! cargo-fuzz runs each of them for as long as one likes (`cargo xtask fuzz`). The tests run them on
//! what is kept in `fuzz/corpus` and on some thousand changes of that, the same each time. A target
//! fails by a panic, by taking too long, or by taking too much memory.

use crate::{
    context::{cgroups::fuzzing as cgroups, user_symbols::fuzzing as symbols},
    escape::{bytes_of, printable, text_of},
    inspect::fuzzing as inspect,
};

/// A parser, as a function of its input.
pub type Target = fn(&[u8]);

/// All targets, by name.
pub const TARGETS: [(&str, Target); 11] = [
    ("text", text),
    ("cgroup_path", cgroups::path),
    ("mounts", cgroups::mounts),
    ("maps", symbols::maps),
    ("symbol_name", symbols::symbol_name),
    ("reader_answer", symbols::answer),
    ("mapped_file", symbols::mapped_file),
    ("process_status", inspect::status),
    ("file_capabilities", inspect::attribute),
    ("script", inspect::script),
    ("user_namespace", inspect::users),
];

/// Runs the target of this name.
///
/// # Panics
///
/// There is none, or it found a defect.
pub fn run(name: &str, data: &[u8]) {
    let target = TARGETS.iter().find(|(known, _)| *known == name);
    let (_, target) = target.unwrap_or_else(|| panic!("there is no target {name}"));
    target(data);
}

/// A name that goes to a terminal, or to JSON and back.
fn text(data: &[u8]) {
    assert_eq!(&*bytes_of(&text_of(data)), data);
    let shown = printable(data);
    let unsafe_character = |character: char| character.is_control() || character == '\u{202e}';
    assert!(!shown.contains(unsafe_character));
    assert!(shown.len() <= 8 * data.len());
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        path::Path,
        time::{Duration, Instant},
    };

    use fastrand::Rng;

    use super::*;

    /// How many changed inputs each target gets.
    const INPUTS: usize = 4_000;
    /// The longest input.
    const LENGTH: usize = 16 << 10;
    /// How long one may take, in a debug build on a busy machine.
    const PATIENCE: Duration = Duration::from_secs(5);

    /// What is kept for a target, or one input that is empty.
    fn kept(name: &str) -> Vec<Vec<u8>> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("fuzz/corpus")
            .join(name);
        let mut paths: Vec<_> = fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
            .map(|entry| entry.unwrap().path())
            .collect();
        paths.sort();
        paths.iter().map(|path| fs::read(path).unwrap()).collect()
    }

    fn changed(random: &mut Rng, kept: &[Vec<u8>]) -> Vec<u8> {
        const WORDS: [&[u8]; 8] = [
            b"\0",
            b"\xff\xff\xff\xff",
            b"..",
            b"/",
            b"\n",
            b"\\x",
            b"0",
            b" ",
        ];
        let mut input = kept[random.usize(..kept.len())].clone();
        for _ in 0..random.usize(1..8) {
            let at = random.usize(..=input.len());
            match random.u8(..5) {
                0 => input.truncate(at),
                1 => input
                    .splice(at..at, WORDS[random.usize(..WORDS.len())].iter().copied())
                    .for_each(drop),
                2 => {
                    let other = &kept[random.usize(..kept.len())];
                    let from = random.usize(..=other.len());
                    input.truncate(at);
                    input.extend_from_slice(&other[from..]);
                }
                3 => input.insert(at, random.u8(..)),
                _ => {
                    if let Some(byte) = input.get_mut(at) {
                        *byte ^= 1 << random.u8(..8);
                    }
                }
            }
        }
        input.truncate(LENGTH);
        input
    }

    #[test]
    fn no_target_fails_on_what_is_kept_or_on_changes_of_it() {
        for (name, target) in TARGETS {
            let kept = kept(name);
            assert!(kept.len() > 1, "nothing is kept for {name}");
            let mut random = Rng::with_seed(20_261_130);
            let changed = (0..INPUTS).map(|_| changed(&mut random, &kept));
            for input in kept.iter().cloned().chain(changed) {
                let began = Instant::now();
                target(&input);
                assert!(began.elapsed() < PATIENCE, "{name}: {input:?}");
            }
        }
    }

    #[test]
    fn each_target_can_be_run_by_cargo_fuzz() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
        let Ok(manifest) = fs::read_to_string(folder.join("Cargo.toml")) else {
            // The package has what is kept, and no targets.
            return;
        };
        for (name, _) in TARGETS {
            let source = fs::read_to_string(folder.join(format!("targets/{name}.rs"))).unwrap();
            assert!(source.contains(&format!("run(\"{name}\", data)")), "{name}");
            assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
        }
    }
}
