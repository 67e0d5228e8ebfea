//! The table after the rows with `--summary`: how many checks of each kind there were, as counted
//! by the kernel side, whether or not their rows were shown.

use std::{cmp::Reverse, fmt::Write as _};

use crate::{
    commands::alike::{Alike, totals},
    escape::push_cut,
    event::comm_bytes,
    session::{Counted, Losses, Who},
};

/// The width of a task's name: 15 bytes with their escapes are cut to it.
const COMM: usize = 15;

/// The table, the most frequent checks first.
pub fn table(counted: &[Counted], losses: &Losses) -> String {
    let mut rows: Vec<(Alike, u64)> = totals(counted).into_iter().collect();
    rows.sort_by_key(|&(alike, checks)| (Reverse(checks), alike));
    let mut text = format!(
        "{:>10} {:>7} {:<COMM$} {:<22} RESULT\n",
        "CHECKS", "PID", "COMM", "CAPABILITY"
    );
    for (alike, checks) in rows {
        let (pid, comm) = match alike.who {
            Who::Process(id, comm) => (id.pid.to_string(), comm),
            Who::Ended(comm) => ("-".to_owned(), comm),
            Who::Cgroup(_) | Who::All => ("-".to_owned(), *b"-\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
        };
        let mut name = Vec::new();
        let used = push_cut(&mut name, comm_bytes(&comm), COMM);
        let _ = writeln!(
            text,
            "{checks:>10} {pid:>7} {}{} {:<22} {}",
            String::from_utf8_lossy(&name),
            " ".repeat(COMM.saturating_sub(used)),
            alike.capability,
            alike.decision.word(),
        );
    }
    let lost = losses.counts();
    if lost > 0 {
        let _ = writeln!(text, "{lost:>10} more were lost, see above");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        capability::Capability,
        event::{
            Facts, ProcessId, Task,
            tests::{denied, undecided},
        },
        kernel::trace::losses::tests::every_cause,
        session::CountedStack,
    };

    #[test]
    fn the_most_frequent_checks_come_first_and_losses_last() {
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
        let rows = [
            counted(7, denied, 2),
            counted(8, undecided(Capability::NET_RAW), 4),
            counted(7, other, 3),
        ];
        assert_eq!(
            format!("\n{}", table(&rows, &every_cause())),
            r"
    CHECKS     PID COMM            CAPABILITY             RESULT
         5       7 a\x1bb          CAP_NET_RAW            denied
         4       8 a\x1bb          CAP_NET_RAW            -
       323 more were lost, see above
"
        );
    }
}
