//! Compares what was met and seen with what a line of the atlas says.

use super::{Meets, Proof};
use crate::atlas::kernels::Version;
use crate::atlas::line::Line;
use crate::atlas::{Lookup, Verb};
use crate::guest::rows::Row;
use crate::guest::syscall::Answer;

/// A proof that was tried once.
#[derive(Clone, Debug)]
pub struct Tried {
    /// The process that acted.
    pub pid: libc::pid_t,
    /// What the program met, or why it could not try.
    pub answer: Result<Answer, String>,
}

/// What is wrong with a proof of a line that was tried with the capability and without it.
pub fn judge(
    proof: &Proof,
    line: &Line,
    tried: &[Tried; 2],
    rows: &[Row],
    atlas: &Lookup,
    kernel: Version,
) -> Vec<String> {
    let [with, without] = tried;
    let mut wrong = Vec::new();
    match (&with.answer, &without.answer) {
        (Ok(with), Ok(without)) => wrong.extend(compare(proof, line, *with, *without).err()),
        (with, without) => {
            let reasons = [with, without]
                .into_iter()
                .filter_map(|it| it.as_ref().err());
            wrong.extend(reasons.cloned());
            return wrong;
        }
    }
    let first = line.key.capabilities.split('/').next().unwrap_or_default();
    for (tried, result) in [(with, "granted"), (without, "denied")] {
        let rows = rows
            .iter()
            .filter(|row| i64::from(row.pid) == i64::from(tried.pid));
        let checks: Vec<_> = rows.map(|row| Check::new(row, atlas, kernel)).collect();
        let is_there = checks.iter().any(|check| {
            check.capability == first
                && check.result == result
                && check.lines.iter().any(|found| std::ptr::eq(*found, line))
        });
        if !is_there {
            let seen: Vec<_> = checks.iter().map(Check::words).collect();
            wrong.push(format!("not seen {result}, but {}", seen.join("; ")));
        }
    }
    wrong
}

/// A check, and the lines that its stack leads to.
struct Check<'a> {
    capability: &'a str,
    result: &'a str,
    stack: Vec<&'a str>,
    lines: Vec<&'a Line>,
}

impl<'a> Check<'a> {
    fn new(row: &'a Row, atlas: &'a Lookup, kernel: Version) -> Self {
        let name = row.capability.as_str();
        let capability = name.strip_prefix("CAP_").unwrap_or(name);
        let frames = row.kernel_stack.iter().flatten();
        let names = frames.filter_map(|frame| frame.function.as_deref());
        // The compiler's suffixes: `can_nice.part.0`.
        let stack: Vec<_> = names
            .map(|name| name.split('.').next().unwrap_or(name))
            .collect();
        let asks = |line: &Line| line.names(capability);
        let found = atlas.find(asks, Some(kernel), stack.iter().copied());
        Self {
            capability,
            result: row.result.as_deref().unwrap_or("unknown"),
            stack,
            lines: found
                .into_iter()
                .map(|index| &atlas.lines()[index])
                .collect(),
        }
    }

    fn words(&self) -> String {
        let stack: Vec<_> = self.stack.iter().take(7).copied().collect();
        format!("{} {} in {}", self.capability, self.result, stack.join(" "))
    }
}

/// Whether the two answers are as the line says.
fn compare(proof: &Proof, line: &Line, with: Answer, without: Answer) -> Result<(), String> {
    let verb = line.effect.verb();
    let named = line.effect.errno();
    let refuses = matches!(verb, Verb::Refuses | Verb::Sometimes);
    let is_visible = refuses && !line.effect.has("unseen");
    let as_expected = match proof.meets {
        Meets::AsTheLineSays => match (named, verb) {
            (Some(name), _) => is_refused(errno(name), with, without),
            (None, Verb::Chooses) => is_alike(with, without),
            _ => {
                return Err("the line leaves it open what is met, so the proof must say it".into());
            }
        },
        Meets::Errno(met) => {
            let agrees = verb == Verb::Passes
                || (is_visible && named.is_none_or(|name| errno(name) == Some(met)));
            agrees && is_refused(Some(met), with, without)
        }
        Meets::Less => {
            let agrees = !is_visible || verb == Verb::Sometimes;
            agrees && with.is_ok() && without.is_ok() && with != without
        }
        Meets::Nothing => !(verb == Verb::Refuses && is_visible) && is_alike(with, without),
    };
    if as_expected {
        Ok(())
    } else {
        Err(format!(
            "not as the line and the proof ({:?}) say: with it {}, without {}",
            proof.meets,
            words(with),
            words(without)
        ))
    }
}

/// Without the capability there is this errno, and with it nothing of the kind.
fn is_refused(errno: Option<i32>, with: Answer, without: Answer) -> bool {
    let refusals = [Err(libc::EPERM), Err(libc::EACCES)];
    errno.is_some_and(|errno| without == Err(errno)) && with != without && !refusals.contains(&with)
}

/// Both succeed, or both fail in the same way.
fn is_alike(with: Answer, without: Answer) -> bool {
    (with.is_ok() && without.is_ok()) || with == without
}

fn words(answer: Answer) -> String {
    match answer {
        Ok(value) => format!("it returns {value}"),
        Err(errno) => std::io::Error::from_raw_os_error(errno).to_string(),
    }
}

/// The errnos that lines have.
fn errno(name: &str) -> Option<i32> {
    Some(match name {
        "EACCES" => libc::EACCES,
        "EAGAIN" => libc::EAGAIN,
        "EBUSY" => libc::EBUSY,
        "EINVAL" => libc::EINVAL,
        "EIO" => libc::EIO,
        "ENFILE" => libc::ENFILE,
        "ENOBUFS" => libc::ENOBUFS,
        "ENODEV" => libc::ENODEV,
        "ENOENT" => libc::ENOENT,
        "ENOMEM" => libc::ENOMEM,
        "ENOSPC" => libc::ENOSPC,
        "ENOTTY" => libc::ENOTTY,
        "EPERM" => libc::EPERM,
        "ESRCH" => libc::ESRCH,
        "ETOOMANYREFS" => libc::ETOOMANYREFS,
        _ => return None,
    })
}
