//! Compares the rows of one run of a trigger with the expected ones.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};

use super::exceptions::{Field, WITHOUT_STRUCTURES, may_be_unknown};
use super::identity::Identity;
use super::kernel::Version;
use super::rows::{Row, plain_function};
use super::runner::Run;
use super::trigger::{Expected, Trigger, Verdict, Whose};

/// What a comparison found.
#[derive(Debug, Default)]
pub struct Comparison {
    /// Checks that were as expected, including those that had to be absent.
    pub good: usize,
    /// Checks that were compared.
    pub all: usize,
    /// What was wrong, one line each.
    pub wrong: Vec<String>,
}

impl Comparison {
    /// Adds another.
    pub fn add(&mut self, other: Self) {
        self.good += other.good;
        self.all += other.all;
        self.wrong.extend(other.wrong);
    }
}

/// What the verdicts depend on besides the identity.
#[derive(Clone, Copy, Debug)]
pub struct Machine {
    /// The running kernel.
    pub kernel: Version,
    /// What root holds here: in a container or a confined machine, not everything.
    pub held: u64,
}

impl Machine {
    /// This machine.
    ///
    /// # Errors
    /// When `/proc` cannot be read.
    pub fn this() -> Result<Self> {
        let path = "/proc/self/status";
        let status =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?;
        let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
        let effective = effective.with_context(|| format!("{path} has no effective set"))?;
        Ok(Self {
            kernel: Version::running()?,
            held: u64::from_str_radix(effective.trim(), 16)?,
        })
    }

    fn verdict(self, expected: &Expected, identity: Identity) -> Verdict {
        let holds = self.held >> expected.capability.number & 1 == 1;
        match expected.verdict(identity, self.kernel) {
            Verdict::Granted if identity == Identity::Root && !holds => Verdict::Denied,
            verdict => verdict,
        }
    }
}

/// The rows that a run made while it acted.
pub fn rows_of<'a>(run: &Run, rows: &'a [Row]) -> Vec<&'a Row> {
    rows.iter()
        .filter(|row| i64::from(row.pid) == i64::from(run.pid) && row.comm == run.name)
        .collect()
}

/// Compares the rows of `run` with what its trigger must show when traced with this hook.
pub fn compare(
    trigger: &Trigger,
    run: &Run,
    rows: &[Row],
    hook: &str,
    machine: Machine,
) -> Comparison {
    let mut result = Comparison::default();
    let mut rest = rows_of(run, rows);
    let seen = describe(&rest);
    for row in &rest {
        // Hooks that read no kernel structures report the group of overridden credentials, and no
        // namespace.
        let reads = !WITHOUT_STRUCTURES.contains(&hook);
        let group = row.gid == Some(run.gid) || (!reads && row.gid.is_some());
        let namespace = match row.mount_namespace {
            Some(inode) => inode == run.mount_namespace,
            None => !reads,
        };
        if !group || !namespace {
            result.wrong.push(format!(
                "{} as {}: gid {:?} and mount namespace {:?} in place of {} and {}",
                run.name, run.identity, row.gid, row.mount_namespace, run.gid, run.mount_namespace
            ));
        }
        // Which user a task with overridden credentials is shown as is tested separately.
        let overridden = trigger
            .expected
            .iter()
            .any(|expected| expected.whose == Whose::Overridden && trigger.uid.is_none());
        if (row.uid != run.uid && !overridden) || i64::from(row.tid) != i64::from(run.tid) {
            result.wrong.push(format!(
                "{} as {}: uid {} and tid {} in place of {} and {}",
                run.name, run.identity, row.uid, row.tid, run.uid, run.tid
            ));
        }
    }
    // Expected checks take their rows first; checks that must be absent are compared with the rest.
    for expected in trigger.expected {
        let verdict = machine.verdict(expected, run.identity);
        if matches!(verdict, Verdict::Absent | Verdict::Any) {
            continue;
        }
        let mut found = 0;
        rest.retain(|row| {
            let takes = found < expected.times && matches(row, expected, verdict, hook);
            found += usize::from(takes);
            !takes
        });
        if found == 0 && trigger.name == "securebits" && may_be_unknown(hook, Field::Securebits) {
            continue;
        }
        result.all += 1;
        if found == expected.times {
            result.good += 1;
        } else {
            result.wrong.push(format!(
                "{} as {}: {found} of {} rows that say {}; seen: {seen}",
                run.name,
                run.identity,
                expected.times,
                sentence(expected, verdict),
            ));
        }
    }
    for expected in trigger.expected {
        if machine.verdict(expected, run.identity) == Verdict::Absent {
            result.all += 1;
            let number = i32::from(expected.capability.number);
            let extra = |row: &&&Row| row.capability_number == number && !row.is_overcommit();
            if rest.iter().any(|row| extra(&row)) {
                result.wrong.push(format!(
                    "{} as {}: rows for {} that must not be; seen: {seen}",
                    run.name, run.identity, expected.capability.name
                ));
            } else {
                result.good += 1;
            }
        }
    }
    result
}

fn matches(row: &Row, expected: &Expected, verdict: Verdict, hook: &str) -> bool {
    let granted = match verdict {
        Verdict::Granted | Verdict::Owned => "granted",
        _ => "denied",
    };
    let by = match verdict {
        Verdict::Granted => Some("capability"),
        Verdict::Owned => Some("ownership"),
        _ => None,
    };
    row.capability_number == i32::from(expected.capability.number)
        && row.audit == Some(expected.audited)
        && row.insetid == Some(expected.insetid)
        && has_result(row, granted, hook)
        && is_or_unknown(row.granted_by.as_deref(), by, hook, Field::GrantedBy)
        && has_credentials(row, expected, hook)
        && is_caller(row.caller.as_deref(), expected.callers)
}

fn has_result(row: &Row, wanted: &str, hook: &str) -> bool {
    match row.result.as_deref() {
        Some(result) => result == wanted,
        None => row.may_be_inlined() && may_be_unknown(hook, Field::InlinedResult),
    }
}

fn has_credentials(row: &Row, expected: &Expected, hook: &str) -> bool {
    let whose = match expected.whose {
        Whose::Own => "own",
        Whose::Overridden => "overridden",
        Whose::Foreign => "foreign",
    };
    let credentials = row.credentials.as_ref();
    let owner = credentials.and_then(|credentials| credentials.owner.as_deref());
    let euid = credentials.and_then(|credentials| credentials.euid);
    let initial = row
        .target_namespace
        .as_ref()
        .and_then(|target| target.initial);
    let nothing = owner.is_none() && euid.is_none() && initial.is_none();
    (nothing && may_be_unknown(hook, Field::Credentials))
        || (owner == Some(whose)
            && expected.euid.is_none_or(|wanted| euid == Some(wanted))
            && expected
                .initial
                .is_none_or(|wanted| initial == Some(wanted)))
}

fn is_or_unknown(value: Option<&str>, wanted: Option<&str>, hook: &str, field: Field) -> bool {
    value == wanted || (value.is_none() && may_be_unknown(hook, field))
}

fn is_caller(caller: Option<&str>, wanted: &[&str]) -> bool {
    wanted.is_empty()
        || caller.is_some_and(|caller| wanted.contains(&plain_function(caller).as_str()))
}

fn sentence(expected: &Expected, verdict: Verdict) -> String {
    format!(
        "{} {verdict:?} audit {} insetid {} {:?} euid {:?} initial {:?} by {}",
        expected.capability.name,
        expected.audited,
        expected.insetid,
        expected.whose,
        expected.euid,
        expected.initial,
        expected.callers.join("|")
    )
}

/// A short form of rows, for a message.
pub fn describe(rows: &[&Row]) -> String {
    let mut text = String::new();
    const SHOWN: usize = 3;
    for row in rows.iter().take(SHOWN) {
        let check = row.check();
        let credentials = row.credentials.as_ref();
        let owner = credentials.and_then(|credentials| credentials.owner.as_deref());
        let initial = row
            .target_namespace
            .as_ref()
            .and_then(|target| target.initial);
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "[{} {} audit {:?} insetid {:?} {:?} by {:?} cred {owner:?} initial {initial:?}] ",
            check.name,
            check.result.as_deref().unwrap_or("?"),
            check.audit,
            check.insetid,
            row.granted_by.as_deref(),
            check.caller.as_deref(),
        );
    }
    if rows.len() > SHOWN {
        let _ = write!(text, "and {} more", rows.len() - SHOWN);
    }
    if rows.is_empty() {
        text.push_str("nothing");
    }
    text
}
