//! What a command reports besides the checks: how it traces, what it cannot show, and what it
//! loses.

use std::collections::HashMap;

use crate::{
    escape::printable,
    kernel::{
        plan::{Plan, Unknown},
        probe::features::Lack,
    },
    session::{Cause, Followed, Losses},
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
    let mut lacks: Vec<(&Lack, Vec<&str>)> = Vec::new();
    for Unknown { what, lack } in unknown {
        match lacks.iter_mut().find(|(other, _)| *other == lack) {
            Some((_, fields)) => fields.push(what),
            None => lacks.push((lack, vec![what])),
        }
    }
    lacks
        .into_iter()
        .map(|(Lack { reason, remedy }, fields)| {
            let remedy = remedy.iter().map(|remedy| format!(" ({remedy})"));
            let remedy: String = remedy.collect();
            format!("not known, because {reason}: {}{remedy}", fields.join("; "))
        })
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

/// How often units were started, reported as they are.
#[derive(Default)]
pub struct Starts {
    /// How often each was when this was reported last.
    told: Vec<u64>,
}

impl Starts {
    /// One line for each unit that was started since the last call.
    pub fn lines(&mut self, followed: &[Followed]) -> Vec<String> {
        self.told.resize(followed.len(), 0);
        let news = followed.iter().zip(&mut self.told);
        let news = news.filter(|(one, told)| one.made != **told);
        news.map(|(one, told)| {
            *told = one.made;
            printable(one.to_string().as_bytes())
        })
        .collect()
    }
}

/// One line for each unit, unless it ran and was not restarted.
pub fn starts(followed: &[Followed]) -> impl Iterator<Item = String> {
    let worth = followed.iter();
    let worth = worth.filter(|one| one.existed == 0 || one.made > 0);
    worth.map(|one| printable(one.to_string().as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_told_when_it_is_started_and_at_the_end() {
        let unit = |existed, made| Followed {
            name: "unit a\x1b".to_owned(),
            several: false,
            existed,
            made,
            late: 0,
        };
        let mut told = Starts::default();
        assert!(told.lines(&[unit(1, 0)]).is_empty());
        assert_eq!(told.lines(&[unit(1, 1)]), [r"unit a\x1b was restarted 1×"]);
        assert!(told.lines(&[unit(1, 1)]).is_empty());
        let last = [unit(1, 0), unit(0, 0), unit(1, 2)];
        assert_eq!(
            starts(&last).collect::<Vec<_>>(),
            [
                r"unit a\x1b was not started",
                r"unit a\x1b was restarted 2×"
            ]
        );
    }
    use crate::kernel::trace::losses::tests::every_cause;

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
    fn what_has_one_reason_is_told_in_one_line_with_what_to_do() {
        let because = |what, reason| Unknown {
            what,
            lack: match reason {
                "symbols are hidden" => Lack::with_remedy(reason, "give it CAP_SYSLOG too"),
                _ => Lack::new(reason),
            },
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
                "not known, because symbols are hidden: the caller (give it CAP_SYSLOG too)"
            ]
        );
    }
}
