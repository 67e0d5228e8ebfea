//! Processes that descend from others now, as `/proc` tells.

use std::fs;

use crate::event::ProcessId;

/// All descendants of a process that exist now.
pub(super) fn of(ancestor: ProcessId) -> Vec<ProcessId> {
    if !ancestor.exists() {
        return Vec::new();
    }
    numbers(ancestor.pid)
        .into_iter()
        .filter_map(ProcessId::of)
        .collect()
}

fn numbers(ancestor: u32) -> Vec<u32> {
    let mut found = vec![ancestor];
    let mut next = 0;
    while let Some(&pid) = found.get(next) {
        next += 1;
        let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else {
            continue;
        };
        for thread in threads.flatten() {
            let children = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
            found.extend(
                children
                    .split_whitespace()
                    .filter_map(|child| child.parse::<u32>().ok()),
            );
        }
    }
    found.remove(0);
    found
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn children_of_children_are_found() {
        // A background command would have /dev/null as its standard input, and `read` would return
        // at once.
        let mut shell = Command::new("sh")
            .args([
                "-c",
                "exec 3<&0; sh -c 'echo $$; read stop' <&3 & echo $!; wait",
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = String::new();
        while lines.matches('\n').count() < 2 {
            use std::io::Read as _;
            let mut byte = [0];
            shell
                .stdout
                .as_mut()
                .unwrap()
                .read_exact(&mut byte)
                .unwrap();
            lines.push(byte[0].into());
        }
        let found = numbers(std::process::id());
        drop(shell.stdin.take());
        shell.kill().unwrap();
        shell.wait().unwrap();
        for pid in lines.split_whitespace() {
            assert!(found.contains(&pid.parse().unwrap()), "{found:?} {lines}");
        }
    }
}
