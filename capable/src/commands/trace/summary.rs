//! The sums after the rows with `--summary`: how many checks of each kind there were, as counted by
//! the kernel side, whether or not their rows were shown; by program, and by process.

use std::{cmp::Reverse, collections::HashMap, fmt::Write as _};

use serde::Serialize;

use crate::{
    capability::Capability,
    commands::alike::{Alike, totals},
    document::Document,
    escape::{push_cut, text_of},
    event::{Decision, comm_bytes},
    session::{Summary, Who},
};

/// The width of a task's name: 15 bytes with their escapes are cut to it.
const COMM: usize = 15;

/// A task's name as the kernel keeps it.
type Comm = [u8; 16];

/// How often each check was made, the most frequent first.
pub struct Sums {
    programs: Vec<((Comm, Capability, Decision), u64)>,
    processes: Vec<(Alike, u64)>,
    lost: u64,
}

/// The sums as JSON; docs/json-schema-commands.json describes them.
#[derive(Serialize)]
struct Json {
    programs: Vec<Line>,
    processes: Vec<OfProcess>,
    lost: u64,
}

#[derive(Serialize)]
struct OfProcess {
    pid: Option<u32>,
    #[serde(flatten)]
    line: Line,
}

#[derive(Serialize)]
struct Line {
    comm: String,
    capability: String,
    result: Option<&'static str>,
    checks: u64,
}

impl Sums {
    /// Of what was counted.
    pub fn of(happened: &Summary) -> Self {
        let Summary { counts, losses, .. } = happened;
        let mut processes: Vec<(Alike, u64)> = totals(counts).into_iter().collect();
        processes.sort_by_key(|&(alike, checks)| (Reverse(checks), alike));
        let mut programs = HashMap::new();
        for (alike, checks) in &processes {
            let program = (comm(alike.who), alike.capability, alike.decision);
            *programs.entry(program).or_default() += checks;
        }
        let mut programs: Vec<_> = programs.into_iter().collect();
        programs.sort_by_key(|&(program, checks)| (Reverse(checks), program));
        Self {
            programs,
            processes,
            lost: losses.counts(),
        }
    }

    /// Two tables.
    pub fn text(&self) -> String {
        let mut text = format!(
            "{:>10} {:<COMM$} {:<22} RESULT\n",
            "CHECKS", "COMM", "CAPABILITY"
        );
        for ((comm, capability, decision), checks) in &self.programs {
            let (name, word) = (padded(comm), decision.word());
            let _ = writeln!(text, "{checks:>10} {name} {capability:<22} {word}");
        }
        let _ = writeln!(
            text,
            "\n{:>10} {:>7} {:<COMM$} {:<22} RESULT",
            "CHECKS", "PID", "COMM", "CAPABILITY"
        );
        for (alike, checks) in &self.processes {
            let pid = pid(alike.who).map_or_else(|| "-".to_owned(), |pid| pid.to_string());
            let _ = writeln!(
                text,
                "{checks:>10} {pid:>7} {} {:<22} {}",
                padded(&comm(alike.who)),
                alike.capability,
                alike.decision.word(),
            );
        }
        if self.lost > 0 {
            let _ = writeln!(text, "{:>10} more were lost, see above", self.lost);
        }
        text
    }

    /// One line.
    ///
    /// # Errors
    ///
    /// None that sums can cause; errors of `serde_json` are passed on.
    pub fn json(&self) -> serde_json::Result<String> {
        let line = |comm: &Comm, capability: Capability, decision: Decision, checks| Line {
            comm: text_of(comm_bytes(comm)).into_owned(),
            capability: capability.to_string(),
            result: Some(decision.word()).filter(|_| decision != Decision::Unknown),
            checks,
        };
        let programs = self.programs.iter();
        let programs = programs.map(|((comm, capability, decision), checks)| {
            line(comm, *capability, *decision, *checks)
        });
        let processes = self.processes.iter().map(|(alike, checks)| OfProcess {
            pid: pid(alike.who),
            line: line(&comm(alike.who), alike.capability, alike.decision, *checks),
        });
        Document::Summary.line(&Json {
            programs: programs.collect(),
            processes: processes.collect(),
            lost: self.lost,
        })
    }
}

/// The process, unless it has ended: then its checks are counted with those of its name.
fn pid(who: Who) -> Option<u32> {
    match who {
        Who::Process(id, _) => Some(id.pid),
        Who::Ended(_) | Who::Cgroup(_) | Who::All => None,
    }
}

fn comm(who: Who) -> Comm {
    match who {
        Who::Process(_, comm) | Who::Ended(comm) => comm,
        Who::Cgroup(_) | Who::All => *b"-\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
    }
}

/// The name in its column.
fn padded(comm: &Comm) -> String {
    let mut name = Vec::new();
    let used = push_cut(&mut name, comm_bytes(comm), COMM);
    let blanks = " ".repeat(COMM.saturating_sub(used));
    format!("{}{blanks}", String::from_utf8_lossy(&name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event::{
            Facts, ProcessId, Task,
            tests::{denied, undecided},
        },
        kernel::trace::losses::tests::every_cause,
        schema::Schema,
        session::{Counted, CountedStack},
    };

    fn sums() -> Sums {
        let counted = |pid, facts, checks| Counted {
            who: Who::Process(
                ProcessId { pid, started: 1 },
                *b"a\x1bb\0\0\0\0\0\0\0\0\0\0\0\0\0",
            ),
            cgroup: None,
            facts,
            syscall: None,
            stack: CountedStack::NotAsked,
            checks,
            first: 1,
        };
        let denied = denied(Capability::NET_RAW);
        // Rows that differ only in something that the table does not show are merged.
        let other = Facts {
            task: Some(Task::User),
            ..denied
        };
        Sums::of(&Summary {
            seen: 9,
            losses: every_cause(),
            counts: vec![
                counted(7, denied, 2),
                counted(8, undecided(Capability::NET_RAW), 4),
                counted(7, other, 3),
                counted(9, denied, 1),
            ],
            followed: Vec::new(),
        })
    }

    #[test]
    fn the_most_frequent_checks_come_first_and_losses_last() {
        assert_eq!(
            format!("\n{}", sums().text()),
            r"
    CHECKS COMM            CAPABILITY             RESULT
         6 a\x1bb          CAP_NET_RAW            denied
         4 a\x1bb          CAP_NET_RAW            -

    CHECKS     PID COMM            CAPABILITY             RESULT
         5       7 a\x1bb          CAP_NET_RAW            denied
         4       8 a\x1bb          CAP_NET_RAW            -
         1       9 a\x1bb          CAP_NET_RAW            denied
       323 more were lost, see above
"
        );
    }

    #[test]
    fn json_has_the_documented_names_and_null_for_unknown() {
        let value = serde_json::from_str(&sums().json().unwrap()).unwrap();
        let mut schema = Schema::new(include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/docs/json-schema-commands.json"
        )));
        schema.check(Some("summary"), &value);
        assert_eq!(value["schema"], "capable.summary/1");
        assert_eq!(value["programs"][0]["checks"], 6);
        assert_eq!(value["programs"][1]["result"], serde_json::Value::Null);
        assert_eq!(value["processes"][2]["pid"], 9);
        assert_eq!(value["lost"], 323);
    }
}
