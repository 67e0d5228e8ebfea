//! A process as a sheet.

use super::{Sheet, UNKNOWN, Words, yes_no};
use crate::capability::CapabilitySet;
use crate::escape::printable;
use crate::inspect::credentials::{Credentials, Ids, Seccomp};
use crate::inspect::process::{AfterExecve, Process};
use crate::inspect::user_namespace::UserNamespace;

pub(super) fn sheet(process: &Process, words: &Words) -> Sheet {
    let comm = printable(&process.comm);
    let mut sheet = Sheet::new(match process.thread_of {
        Some(leader) => format!("thread {} of process {leader} ({comm})", process.pid),
        None if process.kernel_thread => format!("kernel thread {} ({comm})", process.pid),
        None => format!("process {} ({comm})", process.pid),
    });
    let securebits = process.securebits.map_or_else(
        || UNKNOWN.to_owned(),
        |bits| none_or(bits.names().join(", ")),
    );
    for (label, cell) in credentials(&process.credentials, words) {
        sheet.row(label, cell);
        if label == "ambient" {
            sheet.row("after execve", after_execve(process.after_execve, words));
            sheet.row("securebits", securebits.as_str());
        }
    }
    let namespace = &process.user_namespace;
    sheet.row("user namespace", user_namespace(namespace, words));
    if namespace.initial == Some(false) {
        sheet.row("uid map", uid_map(namespace));
    }
    if process.thread_of.is_none() && !process.kernel_thread {
        sheet.row("threads", threads(process));
    }
    for thread in &process.differing_threads {
        let main = credentials(&process.credentials, words);
        let differing: Vec<String> = credentials(&thread.credentials, words)
            .into_iter()
            .zip(main)
            .filter(|(own, main)| own.1 != main.1)
            .map(|((label, cell), _)| format!("{label}: {cell}"))
            .collect();
        sheet.row(
            format!("thread {}", thread.tid),
            format!("({}) {}", printable(&thread.comm), differing.join("\n")),
        );
    }
    sheet
}

/// The cells that each thread has of its own.
fn credentials(credentials: &Credentials, words: &Words) -> Vec<(&'static str, String)> {
    let mut rows: Vec<_> = credentials
        .sets
        .named()
        .map(|(name, set)| (name, words.set(set)))
        .into();
    rows.push(("no_new_privs", yes_no(credentials.no_new_privs).to_owned()));
    let seccomp = match credentials.seccomp {
        Some(Seccomp::Disabled) => "no",
        Some(Seccomp::Strict) => "strict",
        Some(Seccomp::Filter) => "filter",
        None => UNKNOWN,
    };
    rows.push(("seccomp", seccomp.to_owned()));
    rows.push(("uid", ids(credentials.uid, |uid| words.user(uid))));
    rows.push(("gid", ids(credentials.gid, |gid| gid.to_string())));
    rows
}

fn ids(ids: Ids, name: impl Fn(u32) -> String) -> String {
    let Ids {
        real,
        effective,
        saved,
        filesystem,
    } = ids;
    if [effective, saved, filesystem] == [real; 3] {
        return name(real);
    }
    let mut text = format!(
        "real {}, effective {}, saved {}",
        name(real),
        name(effective),
        name(saved)
    );
    if filesystem != effective {
        text += &format!(", filesystem {}", name(filesystem));
    }
    text
}

fn after_execve(after: Option<AfterExecve>, words: &Words) -> String {
    let Some(after) = after else {
        return UNKNOWN.to_owned();
    };
    let mut text = held(after.effective, after.permitted, words);
    if after.unless_noroot {
        text += " (unless the secure bit noroot is set)";
    }
    text
}

/// An effective and a permitted set, which are usually the same.
pub(super) fn held(effective: CapabilitySet, permitted: CapabilitySet, words: &Words) -> String {
    if effective == permitted {
        words.set(permitted)
    } else {
        format!(
            "permitted {}; effective {}",
            words.set(permitted),
            words.set(effective)
        )
    }
}

fn user_namespace(namespace: &UserNamespace, words: &Words) -> String {
    let Some(inode) = namespace.inode else {
        return UNKNOWN.to_owned();
    };
    if namespace.initial == Some(true) {
        return format!("{inode}, the initial one");
    }
    let owner = namespace
        .owner
        .map_or_else(|| UNKNOWN.to_owned(), |uid| words.user(uid));
    let root = namespace.root.map_or_else(
        || "has no user here".to_owned(),
        |uid| format!("is uid {} here", words.user(uid)),
    );
    format!("{inode}, owned by uid {owner}, its root {root}")
}

fn uid_map(namespace: &UserNamespace) -> String {
    let ranges: Vec<String> = namespace
        .uid_map
        .iter()
        .map(|mapping| {
            let range = |first: u32| match mapping.count {
                1 => first.to_string(),
                count => format!("{first}-{}", first.saturating_add(count - 1)),
            };
            format!("{} is {}", range(mapping.inside), range(mapping.outside))
        })
        .collect();
    none_or(ranges.join(", "))
}

fn threads(process: &Process) -> String {
    match (process.thread_count, process.differing_threads.len()) {
        (1, 0) => "1".to_owned(),
        (count, 0) => format!("{count}, all alike"),
        (count, 1) => format!("{count}, 1 differs"),
        (count, differing) => format!("{count}, {differing} differ"),
    }
}

pub(super) fn none_or(text: String) -> String {
    if text.is_empty() {
        String::from("none")
    } else {
        text
    }
}
