//! What a command reports besides the checks: how it traces, what it cannot show, and what it
//! loses.

use std::collections::HashMap;

use crate::{
    kernel::plan::{Plan, Unknown},
    session::{Cause, Losses},
};

/// One line for the plan, one for each reason why something is unknown, and one for each gap.
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

/// Losses, reported as they grow.
#[derive(Default)]
pub struct Growth {
    /// How much was reported before.
    told: HashMap<Cause, u64>,
}

impl Growth {
    /// One line for each loss that grew since the last call.
    pub fn lines(&mut self, losses: &Losses) -> Vec<String> {
        let mut lines = Vec::new();
        for loss in losses.iter() {
            let told = self.told.entry(loss.cause).or_default();
            if let Some(count) = loss.count.filter(|count| count > told) {
                *told = count;
                lines.push(format!("so far {loss}"));
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{probe::features::Lack, trace::losses::tests::every_cause};

    #[test]
    fn a_loss_is_told_again_only_where_it_grew() {
        let mut growth = Growth::default();
        assert!(growth.lines(&Losses::default()).is_empty());
        let told = growth.lines(&every_cause());
        let counted = every_cause().iter().filter_map(|loss| loss.count).count();
        assert_eq!(told.len(), counted, "{told:?}");
        assert!(told[0].starts_with("so far lost 101 checks: the buffer was full"));
        assert!(growth.lines(&every_cause()).is_empty());
    }

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
