//! The programs of libcap say the same.

use capable::capability::CapabilitySet;
use capable::inspect::universe;

use crate::{output, program::Program, set, start};

/// Reads the text of cap_to_text(3), such as `=ep cap_sys_resource-ep`: effective, permitted and
/// inheritable.
fn from_libcap(text: &str) -> [CapabilitySet; 3] {
    let mut sets = [CapabilitySet::EMPTY; 3];
    for clause in text.split_whitespace() {
        let start = clause.find(['=', '+', '-']).unwrap();
        let named = match &clause[..start] {
            "" | "all" => universe(),
            names => set(names),
        };
        let mut operator = '=';
        // An equals sign without flags lowers all three.
        for character in clause[start..].chars() {
            match character {
                '=' => sets = sets.map(|each| each.difference(named)),
                '+' | '-' => {}
                flag => {
                    let index = "epi".find(flag).unwrap();
                    sets[index] = match operator {
                        '-' => sets[index].difference(named),
                        _ => sets[index].union(named),
                    };
                    continue;
                }
            }
            operator = character;
        }
    }
    sets
}

#[test]
#[ignore = "needs root and getpcaps of libcap2-bin"]
fn ten_processes_agree_with_getpcaps() {
    let ways: [&[&str]; 10] = [
        &[],
        &["--bounding-set=-sys_admin"],
        &["--inh-caps=+net_raw"],
        &["--inh-caps=+net_raw", "--ambient-caps=+net_raw"],
        &[
            "--inh-caps=+bpf,+perfmon",
            "--bounding-set=-all,+bpf,+perfmon",
        ],
        &["--reuid=65534", "--clear-groups"],
        &["--reuid=65534", "--clear-groups", "--inh-caps=+chown,+kill"],
        &[
            "--reuid=65534",
            "--clear-groups",
            "--inh-caps=+kill,+bpf",
            "--ambient-caps=+bpf",
        ],
        &["--no-new-privs", "--bounding-set=-all,+net_bind_service"],
        &[
            "--securebits=+noroot",
            "--inh-caps=+kill",
            "--ambient-caps=+kill",
        ],
    ];
    for options in ways {
        let mut arguments = options.to_vec();
        arguments.extend(["sleep", "60"]);
        let (running, process) = start("setpriv", &arguments, "sleep");
        let pid = running.0.id().to_string();
        let text = output("getpcaps", &[&pid]);
        let (_, text) = text.trim().split_once(": ").unwrap();
        let sets = process.credentials.sets;
        assert_eq!(
            [sets.effective, sets.permitted, sets.inheritable],
            from_libcap(text),
            "{options:?}: {text}"
        );
    }
}

#[test]
#[ignore = "needs root and getcap of libcap2-bin"]
fn files_agree_with_getcap() {
    let versions: [&[u32]; 10] = [
        &[0x0200_0001, 0x2000, 0, 0, 0],
        &[0x0200_0000, 0x2000, 0, 0, 0],
        &[0x0200_0000, 0, 0x20, 0, 0],
        &[0x0200_0001, 0x2001, 0x2021, 0, 0],
        &[0x0200_0001, 0, 0, 0xc0, 0],
        &[0x0200_0001, u32::MAX, 0, 0x1ff, 0],
        &[0x0200_0000, u32::MAX, u32::MAX, 0x1ff, 0x1ff],
        &[0x0300_0001, 0x2000, 0, 0, 0, 100_000],
        &[0x0300_0000, 0, 0x20, 0x100, 0, 231_072],
        &[0x0300_0001, 0x400, 0x400, 0, 0, 0],
    ];
    for words in versions {
        let program = Program::with_attribute(words);
        let file = program.read();
        let own = file.capabilities.unwrap();
        let path = program.path.to_str().unwrap();
        let text = output("getcap", &["-n", path]);
        let text = text.trim().strip_prefix(path).unwrap();
        let (text, root) = match text.split_once(" [rootid=") {
            Some((text, root)) => (text, root.trim_end_matches(']').parse().ok()),
            None => (text, None),
        };
        let [effective, permitted, inheritable] = from_libcap(text);
        // The kernel hands out version 2 where the root user is the reader's.
        assert_eq!(own.root_uid, root, "{words:x?}");
        assert_eq!(own.permitted, permitted, "{words:x?}: {text}");
        assert_eq!(own.inheritable, inheritable, "{words:x?}: {text}");
        let some = permitted.union(inheritable);
        assert_eq!(
            effective,
            if own.effective {
                some
            } else {
                CapabilitySet::EMPTY
            },
            "{words:x?}: {text}"
        );
    }
    let plain = Program::new();
    assert!(output("getcap", &[plain.path.to_str().unwrap()]).is_empty());
    assert!(plain.read().capabilities.is_none());
}
