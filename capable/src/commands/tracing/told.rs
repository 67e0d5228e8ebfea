//! What a command says before the first check: how it traces, and what it cannot show.

use crate::kernel::plan::{Plan, Unknown};

/// A line for the plan, for each reason why something is unknown, and for each gap.
pub fn lines<'a>(plan: &Plan, gaps: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut lines = vec![plan.to_string()];
    lines.extend(unknown(&plan.unknown));
    lines.extend(gaps.cloned());
    lines
}

/// What cannot be known, a line for each reason.
fn unknown(unknown: &[Unknown]) -> Vec<String> {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for Unknown { what, lack } in unknown {
        match reasons
            .iter_mut()
            .find(|(reason, _)| *reason == lack.reason)
        {
            Some((_, fields)) => fields.push(what),
            None => reasons.push((&lack.reason, vec![what])),
        }
    }
    reasons
        .into_iter()
        .map(|(reason, fields)| format!("not known, because {reason}: {}", fields.join("; ")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::probe::features::Lack;

    #[test]
    fn what_has_one_reason_is_told_in_one_line() {
        let because = |what, reason| Unknown {
            what,
            lack: Lack::new(reason),
        };
        let told = unknown(&[
            because("the parent", "there is no BTF"),
            because("the caller", "symbols are hidden"),
            because("the system call", "there is no BTF"),
        ]);
        assert_eq!(
            told,
            [
                "not known, because there is no BTF: the parent; the system call",
                "not known, because symbols are hidden: the caller"
            ]
        );
    }
}
