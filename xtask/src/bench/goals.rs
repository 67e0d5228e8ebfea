//! The goals for the figures, and whether they are met.

use super::cases;
use super::figure::Figures;
use super::measure::{BURST, BURST_TOTAL, IDLE, LOST, MEMORY, NOTHING, START};
use super::table::{Table, added};

/// The peers.
const PEERS: [&str; 3] = ["libbpf-tools", "bpftrace", "bcc"];

/// One goal: what was measured, and the highest value allowed.
struct Goal {
    what: String,
    measured: Option<f64>,
    most: Option<f64>,
}

/// Each goal with what was measured.
pub fn table(report: &Figures) -> Table {
    let head = ["goal", "measured", "at most", ""];
    let mut rows = Vec::new();
    for goal in goals(report) {
        let number = |value: Option<f64>| value.map_or("-".into(), |value| format!("{value:.0}"));
        let verdict = match (goal.measured, goal.most) {
            (Some(measured), Some(most)) if measured <= most => "reached",
            (Some(_), Some(_)) => "missed",
            _ => "unknown",
        };
        rows.push(vec![
            goal.what,
            number(goal.measured),
            number(goal.most),
            verdict.into(),
        ]);
    }
    Table {
        head: head.map(str::to_owned).to_vec(),
        rows,
    }
}

fn goals(report: &Figures) -> Vec<Goal> {
    let subjects = report.subjects();
    let Some(ours) = subjects.iter().find(|name| name.starts_with("capable ")) else {
        return Vec::new();
    };
    let hook = ours.split(' ').nth(1).unwrap_or_default();
    let mine = |measure| added(report, ours, measure);
    // Lost checks make the cost look lower, so the cost is divided by the rows that are shown.
    let shown = |subject: &str, measure| {
        let lost = report
            .value(subject, LOST)
            .filter(|_| measure == cases::ROWS);
        1.0 - lost.unwrap_or(0.0) / 100.0
    };
    let best = |measure| {
        let peers = PEERS
            .iter()
            .filter_map(|peer| Some(added(report, peer, measure)? / shown(peer, measure)));
        peers.min_by(f64::total_cmp)
    };
    let fastest = PEERS.iter().filter_map(|peer| report.value(peer, START));
    let fastest = fastest.min_by(f64::total_cmp);
    let share = |measure, part: f64| best(measure).map(|value| value / part);
    let empty = |measure| {
        let floor = report.value(&format!("empty {hook}"), measure)?;
        Some(floor - report.value(NOTHING, measure)?)
    };
    let over = |measure, load, more: f64| (mine(measure), empty(load).map(|floor| floor + more));
    let burst = report.find(ours, BURST);
    let total = BURST_TOTAL as f64;

    let mut goals = Vec::new();
    let mut goal = |what: &str, (measured, most): (Option<f64>, Option<f64>)| {
        goals.push(Goal {
            what: what.into(),
            measured,
            most,
        });
    };
    goal("rows", (mine(cases::ROWS), Some(1000.0)));
    goal(
        "rows, for each that is shown: a sixth of the best peer's",
        (mine(cases::ROWS), share(cases::ROWS, 6.0)),
    );
    // The goal is about the total, not about the increase.
    goal(
        "rows at a low rate, all instructions",
        (report.value(ours, cases::LOW_RATE), Some(2000.0)),
    );
    goal(
        "rows at a low rate, added",
        (mine(cases::LOW_RATE), Some(2000.0)),
    );
    goal(
        "rows at a low rate, added: a tenth of the best peer's",
        (mine(cases::LOW_RATE), share(cases::LOW_RATE, 10.0)),
    );
    goal(
        "filtered by pid: 60 over the empty program",
        over(cases::OTHER_PID, cases::ROWS, 60.0),
    );
    goal(
        "unaudited, filtered: 60 over the empty program",
        over(cases::UNAUDITED, cases::UNAUDITED, 60.0),
    );
    goal(
        "counted: 300 over the empty program",
        over(cases::COUNT, cases::ROWS, 300.0),
    );
    goal(
        "burst: lost",
        (
            burst.and_then(|burst| Some(total - burst.value?)),
            Some(0.0),
        ),
    );
    goal(
        "burst: neither a row nor said to be lost",
        (
            burst.and_then(|burst| Some((total - burst.value? - burst.lost? as f64).abs())),
            Some(0.0),
        ),
    );
    goal(
        "exec to attached, ms: a fifth of the fastest peer's",
        (report.value(ours, START), fastest.map(|time| time / 5.0)),
    );
    goal(
        "peak memory, KiB",
        (report.value(ours, MEMORY), Some(12.0 * 1024.0)),
    );
    goal(
        "context switches when idle",
        (report.value(ours, IDLE), Some(0.0)),
    );
    goals
}

#[cfg(test)]
mod tests {
    use super::super::figure::Figure;
    use super::*;

    #[test]
    fn a_goal_is_reached_missed_or_unknown() {
        let mut report = Figures::new("6.1", "6.1.0", false);
        report.figures = vec![
            Figure::new(NOTHING, cases::ROWS, 2600.0),
            Figure::new("capable kprobe ring", cases::ROWS, 3500.0),
            Figure::new("bpftrace", cases::ROWS, 7600.0),
            Figure::new("bcc", cases::ROWS, 6600.0),
            // It shows a fifth of them: 20 000 for each row.
            Figure::new("bcc", LOST, 80.0),
        ];
        let table = table(&report);
        let row = |what: &str| table.rows.iter().find(|row| row[0] == what).unwrap();
        assert_eq!(row("rows")[1..], ["900", "1000", "reached"]);
        assert_eq!(
            row("rows, for each that is shown: a sixth of the best peer's")[1..],
            ["900", "833", "missed"]
        );
        assert_eq!(row("burst: lost")[1..], ["-", "0", "unknown"]);
    }
}
