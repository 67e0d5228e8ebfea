//! Runs the recipes in the manual on this machine, with the real program.
//!
//! A recipe is a fenced block whose first line is `` ```sh recipe=NAME ``. Directly before it is a
//! comment, invisible to readers of the page, with everything else that a test needs:
//!
//! ```text
//! <!-- test NAME
//! before: sleep 60 & PID=$!
//! trigger: nice -n -5 true
//! shows: nice CAP_SYS_NICE granted
//! hides: denied
//! exit: 3
//! after: rmdir "$FOLDER"
//! -->
//! ```
//!
//! `before` runs first, in the recipe's own shell, and may set its variables; `trigger` runs in the
//! background, again and again, until the recipe ends; `shows` are words that one line of its
//! output must contain in this order, and `hides` words that no line may contain; `exit` is its
//! exit code, 0 if it is not given; `after` runs at the end, whatever happened. Each of them except
//! `exit` may occur several times, and only `shows` is required. Background processes are ended
//! after `after`, by their PIDs. Recipes run as root, in an empty directory, and touch only what
//! `before` made.

use std::collections::BTreeSet;
use std::env;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::places;
use crate::tally::Tally;

/// How long a recipe may take, in seconds.
const LIMIT: &str = "60";

/// The exit code of timeout(1) if the time was exceeded.
const TOO_LONG: i32 = 124;

/// A recipe and its test.
#[derive(Debug, Default, PartialEq, Eq)]
struct Recipe {
    name: String,
    before: Vec<String>,
    trigger: Vec<String>,
    shows: Vec<String>,
    hides: Vec<String>,
    after: Vec<String>,
    exit: i32,
    commands: String,
}

/// Runs the recipes of a manual, or those whose tests have one of `only` in their names, with the
/// directory of this `capable` first in the `PATH`, and prints how each one went.
///
/// # Errors
/// If the manual cannot be read, or a recipe in it is not written as described above. A recipe that
/// fails is only counted.
pub fn run(manual: &Path, capable: &Path, only: &[String]) -> Result<Tally> {
    let recipes = read(manual)?;
    let chosen = |recipe: &&Recipe| {
        let test = recipe.test();
        only.is_empty() || only.iter().any(|part| test.contains(part))
    };
    let mut tally = Tally::default();
    for recipe in recipes.iter().filter(chosen) {
        tally.record(&recipe.test(), recipe.run(capable));
    }
    Ok(tally)
}

/// The manual of this clone.
pub fn manual() -> PathBuf {
    places::workspace().join("docs/manual.md")
}

/// The names of the tests of a manual's recipes.
///
/// # Errors
/// As [`run`].
pub fn names(manual: &Path) -> Result<Vec<String>> {
    Ok(read(manual)?.iter().map(Recipe::test).collect())
}

fn read(manual: &Path) -> Result<Vec<Recipe>> {
    let text =
        fs::read_to_string(manual).with_context(|| format!("cannot read {}", manual.display()))?;
    parse(&text).with_context(|| manual.display().to_string())
}

/// Finds the recipes in a page.
fn parse(page: &str) -> Result<Vec<Recipe>> {
    let mut recipes = Vec::new();
    let mut names = BTreeSet::new();
    let mut test: Option<Recipe> = None;
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(name) = line.strip_prefix("<!-- test ") {
            ensure!(test.is_none(), "no recipe follows the test before {name:?}");
            let until = lines.by_ref().take_while(|line| *line != "-->");
            test = Some(test_of(name, until).with_context(|| format!("the test {name:?}"))?);
        } else if let Some(name) = line.strip_prefix("```sh recipe=") {
            let mut recipe = match test.take() {
                Some(recipe) if recipe.name == name => recipe,
                _ => bail!("no test stands before the recipe {name:?}"),
            };
            ensure!(names.insert(name), "there are two recipes {name:?}");
            for line in lines.by_ref().take_while(|line| *line != "```") {
                recipe.commands.push_str(line);
                recipe.commands.push('\n');
            }
            recipes.push(recipe);
        }
    }
    ensure!(test.is_none(), "no recipe follows the last test");
    Ok(recipes)
}

fn test_of<'a>(name: &str, lines: impl Iterator<Item = &'a str>) -> Result<Recipe> {
    let mut recipe = Recipe {
        name: name.to_owned(),
        ..Recipe::default()
    };
    for line in lines {
        let (key, value) = line
            .split_once(": ")
            .with_context(|| format!("not KEY: VALUE: {line:?}"))?;
        let value = value.to_owned();
        match key {
            "before" => recipe.before.push(value),
            "trigger" => recipe.trigger.push(value),
            "shows" => recipe.shows.push(value),
            "hides" => recipe.hides.push(value),
            "after" => recipe.after.push(value),
            "exit" => recipe.exit = value.parse().context("the exit code is no number")?,
            _ => bail!("there is no key {key:?}"),
        }
    }
    ensure!(!recipe.shows.is_empty(), "it expects nothing");
    Ok(recipe)
}

impl Recipe {
    /// The name of its test.
    fn test(&self) -> String {
        format!("recipe_{}", self.name)
    }

    fn run(&self, capable: &Path) -> Result<()> {
        let folder = tempfile::Builder::new()
            .prefix("capable-recipe.")
            .permissions(Permissions::from_mode(0o755))
            .tempdir()
            .context("cannot make a folder for the recipe")?;
        let output = self.command(capable)?.current_dir(folder.path()).output();
        let output = output.context("cannot run timeout(1)")?;
        self.judge(
            &String::from_utf8_lossy(&output.stdout),
            output.status.code(),
        )
    }

    fn command(&self, capable: &Path) -> Result<Command> {
        let mut path = vec![capable.parent().unwrap_or(Path::new(".")).to_owned()];
        path.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
        let mut command = Command::new("timeout");
        command
            .args(["--kill-after=5", LIMIT, "bash", "-c", &self.script()])
            .env("PATH", env::join_paths(path)?)
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .stderr(Stdio::inherit());
        Ok(command)
    }

    /// The script for the shell. It ends the processes that it started in the background, by their
    /// PIDs.
    fn script(&self) -> String {
        let lines = |lines: &[String]| lines.join("\n");
        let trigger = if self.trigger.is_empty() {
            String::new()
        } else {
            let trigger = lines(&self.trigger);
            format!("while :; do (\n{trigger}\n) >/dev/null 2>&1; sleep 0.2; done &\n")
        };
        format!(
            "exec 2>&1\n\
             ended() {{ code=$?\n{}\n\
             for job in $(jobs -p); do kill \"$job\" 2>/dev/null; done; wait; exit $code; }}\n\
             trap ended EXIT\n\
             {}\n{trigger}{}",
            lines(&self.after),
            lines(&self.before),
            self.commands,
        )
    }

    fn judge(&self, printed: &str, code: Option<i32>) -> Result<()> {
        if code == Some(TOO_LONG) && self.exit != TOO_LONG {
            bail!("it did not end within {LIMIT} s; it printed:\n{printed}");
        }
        if code != Some(self.exit) {
            let code = code.map_or("a signal".to_owned(), |code| code.to_string());
            bail!(
                "it ended with {code}, not {}; it printed:\n{printed}",
                self.exit
            );
        }
        for wanted in &self.shows {
            if !printed.lines().any(|line| holds(line, wanted)) {
                bail!("no line shows {wanted:?}; it printed:\n{printed}");
            }
        }
        for unwanted in &self.hides {
            if let Some(line) = printed.lines().find(|line| holds(line, unwanted)) {
                bail!("a line shows {unwanted:?}: {line}");
            }
        }
        Ok(())
    }
}

/// Whether a line contains words in this order.
fn holds(line: &str, words: &str) -> bool {
    let mut rest = line;
    words.split_whitespace().all(|word| match rest.find(word) {
        Some(at) => {
            rest = &rest[at + word.len()..];
            true
        }
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "\
Words.

<!-- test one
trigger: nice true
shows: nice granted
exit: 3
-->
```sh recipe=one
capable -n 1
capable list
```

```
not a recipe
```
";

    #[test]
    fn a_recipe_is_found_with_its_test() {
        let recipes = parse(PAGE).unwrap();
        assert_eq!(recipes.len(), 1);
        let recipe = &recipes[0];
        assert_eq!(recipe.commands, "capable -n 1\ncapable list\n");
        assert_eq!(
            (recipe.exit, &recipe.trigger[..]),
            (3, &["nice true".to_owned()][..])
        );
    }

    #[test]
    fn a_recipe_that_is_not_tested_is_an_error() {
        for (page, complaint) in [
            (
                PAGE.replace("<!-- test one", "<!-- test two"),
                "no test stands before",
            ),
            (PAGE.replace("shows: nice granted\n", ""), "expects nothing"),
            (PAGE.replace("trigger:", "triger:"), "no key"),
            (
                PAGE.replace("```sh recipe=one", "```sh"),
                "no recipe follows",
            ),
            (PAGE.repeat(2), "two recipes"),
        ] {
            let error = format!("{:#}", parse(&page).unwrap_err());
            assert!(error.contains(complaint), "{error}");
        }
    }

    #[test]
    fn a_recipe_is_judged_by_its_exit_code_and_by_what_it_prints() {
        let recipe = Recipe {
            shows: vec!["nice granted".to_owned()],
            hides: vec!["lost 1".to_owned()],
            ..Recipe::default()
        };
        assert!(recipe.judge("12 nice 1 granted\n", Some(0)).is_ok());
        for (printed, code) in [
            ("granted nice\n", Some(0)),
            ("nice\ngranted\n", Some(0)),
            ("nice granted\nlost: 1\nlost 13\n", Some(0)),
            ("nice granted\n", Some(1)),
            ("nice granted\n", Some(124)),
            ("nice granted\n", None),
        ] {
            assert!(recipe.judge(printed, code).is_err(), "{printed} {code:?}");
        }
    }

    #[test]
    fn the_manual_has_recipes_and_each_has_its_test() {
        let manual = manual();
        let recipes = parse(&fs::read_to_string(manual).unwrap()).unwrap();
        assert!(recipes.len() >= 11, "{}", recipes.len());
    }
}
