//! The refusals of a command as text for a terminal.

use crate::profile::{
    Exit, Report,
    words::{losses, shortened, wrap},
};

/// The width that text is made for.
const WIDTH: usize = 80;

/// The refusals of a command, the newest last, and how it ended.
pub fn refusals_text(report: &Report) -> String {
    let mut out = String::new();
    if let Some(lost) = &report.incomplete {
        let text = format!(
            "INCOMPLETE: refusals may be missing, because something was lost: {}.",
            losses(lost)
        );
        wrap(&mut out, "", "  ", WIDTH, &text);
    }
    for refusal in &report.refusals {
        out.push('\n');
        out.push_str(&refusal.text(WIDTH));
    }
    out.push('\n');
    let title = shortened(&report.title());
    let ended = match report.exit {
        Some(Exit {
            code: Some(code), ..
        }) => format!("exited with {code}"),
        Some(Exit {
            signal: Some(signal),
            ..
        }) => format!("was ended by signal {signal}"),
        _ => "is still running".to_owned(),
    };
    let count = report
        .refusals
        .iter()
        .map(|refusal| refusal.count)
        .sum::<u64>()
        + report.more_refusals;
    let told = match (count, report.more_refusals, &report.incomplete) {
        (0, _, None) if report.exit.is_some_and(|exit| exit.code == Some(0)) => {
            "nothing was refused".to_owned()
        }
        (0, _, None) => {
            "no system call was refused: if it failed, the reason is another one".to_owned()
        }
        (0, _, Some(_)) => "no refusal was seen".to_owned(),
        (1, ..) => "1 refusal".to_owned(),
        (count, 0, _) => format!("{count} refusals"),
        (count, more, _) => format!("{count} refusals, {more} of which are not told apart"),
    };
    wrap(
        &mut out,
        "",
        "  ",
        WIDTH,
        &format!("{title} {ended}; {told}."),
    );
    out
}
