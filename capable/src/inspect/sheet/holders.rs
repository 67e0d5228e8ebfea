//! The processes that hold capabilities as a table, with a line for each process and one for each
//! of its threads that differs.

use comfy_table::{CellAlignment, ColumnConstraint};

use super::{UNKNOWN, Words, plain_table};
use crate::inspect::credentials::Credentials;
use crate::inspect::holders::Holders;
use crate::inspect::printable;
use crate::inspect::process::Process;
use crate::inspect::user_namespace::UserNamespace;

const HEADER: [&str; 7] = [
    "PID",
    "USER",
    "COMM",
    "CAPS",
    "NAMESPACE",
    "PERMITTED",
    "EFFECTIVE",
];

/// Columns that hold numbers.
const NUMBERS: [usize; 2] = [0, 3];

/// The table, within this width if one is given.
pub fn table(holders: &Holders, words: &Words, width: Option<u16>) -> String {
    let mut table = plain_table(width);
    table.add_row(HEADER);
    for process in &holders.processes {
        for line in lines(process, words) {
            table.add_row(line);
        }
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if NUMBERS.contains(&index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        // Only sets are long enough to be broken.
        if index < 5 {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    let mut text = table.trim_fmt();
    text.push('\n');
    text
}

fn lines(process: &Process, words: &Words) -> Vec<[String; 7]> {
    let line = |number: String, comm: &[u8], credentials: &Credentials| {
        let sets = credentials.sets;
        [
            number,
            words.user(credentials.uid.effective),
            printable(comm),
            sets.permitted.len().to_string(),
            namespace(&process.user_namespace),
            words.set(sets.permitted),
            if sets.effective == sets.permitted {
                "the same".to_owned()
            } else {
                words.set(sets.effective)
            },
        ]
    };
    let mut lines = vec![line(
        process.pid.to_string(),
        &process.comm,
        &process.credentials,
    )];
    lines.extend(process.differing_threads.iter().map(|thread| {
        let number = format!("thread {}", thread.tid);
        line(number, &thread.comm, &thread.credentials)
    }));
    lines
}

fn namespace(namespace: &UserNamespace) -> String {
    match (namespace.initial, namespace.inode) {
        (Some(true), _) => "initial".to_owned(),
        (_, Some(inode)) => inode.to_string(),
        (_, None) => UNKNOWN.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capability::CapabilitySet;
    use crate::inspect::process::Thread;

    #[test]
    fn a_line_names_who_holds_what_where() {
        let mut process = Process::read(std::process::id()).unwrap();
        process.pid = 7;
        process.comm = b"a\x1bb".to_vec();
        process.credentials.uid.effective = 3_999_999_999;
        process.credentials.sets.permitted = CapabilitySet::ALL_NAMED;
        process.credentials.sets.effective = CapabilitySet::ALL_NAMED;
        process.user_namespace.initial = Some(false);
        process.user_namespace.inode = Some(4026532177);
        let mut credentials = process.credentials;
        credentials.sets.permitted = "net_raw,kill".parse().unwrap();
        credentials.sets.effective = CapabilitySet::EMPTY;
        process.differing_threads = vec![Thread {
            tid: 8,
            comm: b"worker".to_vec(),
            credentials,
        }];
        let holders = Holders {
            processes: vec![process],
            ..Holders::default()
        };
        let words = Words::new(CapabilitySet::ALL_NAMED);
        let text = table(&holders, &words, None);
        assert_eq!(
            format!("\n{text}"),
            r"
     PID  USER        COMM    CAPS  NAMESPACE   PERMITTED              EFFECTIVE
       7  3999999999  a\x1bb    41  4026532177  all                    the same
thread 8  3999999999  worker     2  4026532177  CAP_KILL, CAP_NET_RAW  none
"
        );
        for line in table(&holders, &words, Some(80)).lines() {
            assert!(line.len() <= 80, "{line}");
        }
    }
}
