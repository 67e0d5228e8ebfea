//! Compares `capable list` with the header of the newest kernel in the table.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::apt::{self, Apt};
use crate::kernels::TABLE;
use crate::tally::Tally;
use crate::{places, process};

/// The path of include/uapi/linux/capability.h in Debian's linux-libc-dev.
const HEADER: &str = "usr/include/linux/capability.h";

/// The name of the test.
pub const NAME: &str = "the_list_is_that_of_the_newest_kernels_header";

/// Names by their numbers.
type NamesByNumber = BTreeMap<i64, String>;

/// Compares the list of this `capable` with the header and prints the result.
pub fn run(capable: &Path) -> Tally {
    let outcome = newest().and_then(|header| compare(&header, &listed(capable)?));
    let mut tally = Tally::default();
    tally.record(NAME, outcome);
    tally
}

/// The header's text, from the cache or else from the mirror; fetched again for a different kernel.
fn newest() -> Result<String> {
    let kernel = TABLE.last().context("the table of kernels is empty")?;
    let release = kernel.install(false)?.release;
    let folder = places::cache("headers")?;
    let _lock = places::lock(&folder.join("headers.lock"))?;
    let cached = folder.join(format!("capability-{release}.h"));
    if !cached.is_file() {
        eprintln!("fetching the header of the kernel {} ...", kernel.name);
        let work = folder.join("fetching");
        if work.exists() {
            fs::remove_dir_all(&work)?;
        }
        let apt = Apt::update(kernel.releases)?;
        let root = work.join("root");
        places::create(&root)?;
        for package in apt.download(["linux-libc-dev"], &work.join("packages"))? {
            apt::unpack(&package, &root)?;
        }
        fs::copy(root.join(HEADER), &cached)
            .with_context(|| format!("linux-libc-dev has no {HEADER}"))?;
        fs::remove_dir_all(&work)?;
    }
    fs::read_to_string(&cached).with_context(|| format!("cannot read {}", cached.display()))
}

/// The capabilities that `capable list -o json` names.
fn listed(capable: &Path) -> Result<NamesByNumber> {
    let text = process::output(Command::new(capable).args(["list", "-o", "json"]))?;
    let mut names = NamesByNumber::new();
    for line in text.lines() {
        let row: Value = serde_json::from_str(line).context("a line is no JSON")?;
        if let (Some(number), Some(name)) = (row["number"].as_i64(), row["name"].as_str()) {
            names.insert(number, name.to_owned());
        }
    }
    Ok(names)
}

/// Every name, every number, and which one is the last.
fn compare(header: &str, listed: &NamesByNumber) -> Result<()> {
    let mut names = NamesByNumber::new();
    let mut last = None;
    let definitions = header.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let is_definition = words.next() == Some("#define");
        let name = words.next().filter(|name| name.starts_with("CAP_"))?;
        is_definition.then_some((name, words.next()?))
    });
    for (name, value) in definitions {
        match value.parse() {
            _ if name == "CAP_LAST_CAP" => last = Some(value),
            Ok(number) => {
                names.insert(number, name.to_owned());
            }
            // CAP_TO_INDEX(x) and the like.
            Err(_) => {}
        }
    }
    ensure!(!names.is_empty(), "the header defines no capability");
    ensure!(
        names == *listed,
        "the header has {names:?}, the list has {listed:?}"
    );
    let highest = names.last_key_value().map(|(_, name)| name.as_str());
    ensure!(last == highest, "CAP_LAST_CAP is {last:?}, not {highest:?}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "\
#define _LINUX_CAPABILITY_VERSION_3  0x20080522
#define CAP_CHOWN            0
#define CAP_DAC_OVERRIDE     1
#define CAP_LAST_CAP         CAP_DAC_OVERRIDE
#define CAP_TO_INDEX(x)     ((x) >> 5)
";

    fn names(list: &[(i64, &str)]) -> NamesByNumber {
        let owned = |&(number, name): &(i64, &str)| (number, name.to_owned());
        list.iter().map(owned).collect()
    }

    #[test]
    fn a_list_that_is_the_headers_passes_and_every_other_fails() {
        let right = names(&[(0, "CAP_CHOWN"), (1, "CAP_DAC_OVERRIDE")]);
        compare(HEADER, &right).unwrap();
        for wrong in [
            names(&[(0, "CAP_CHOWN")]),
            names(&[(0, "CAP_CHOWN"), (2, "CAP_DAC_OVERRIDE")]),
            names(&[(0, "CAP_CHOWN"), (1, "CAP_DAC_OVERRIDES")]),
        ] {
            assert!(compare(HEADER, &wrong).is_err(), "{wrong:?}");
        }
        let last = HEADER.replace(
            "CAP_LAST_CAP         CAP_DAC_OVERRIDE",
            "CAP_LAST_CAP CAP_CHOWN",
        );
        assert!(compare(&last, &right).is_err());
        assert!(compare("", &NamesByNumber::new()).is_err());
    }
}
