//! `capable doctor`: what works on this kernel for this user, and how to fix what does not.

mod requirements;

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::ValueEnum;
use comfy_table::ContentArrangement;
use serde::Serialize;

use super::explain::layout::wrap;
use super::print::print;
use crate::document::Document;
use crate::kernel::hook::{Hook, Transport};
use crate::kernel::plan::{Choice, Plan, PlanError, plan};
use crate::kernel::probe::features::{Features, Lack, Support};
use crate::kernel::trace::calibration;
use crate::output::{Terminal, static_table, table_text};
use requirements::{Requirement, requirements};

/// Check whether tracing works here, how, and what is missing
///
/// Probes the kernel and the privileges of this process. Attaches nothing and changes nothing.
#[derive(clap::Args, Debug)]
#[command(after_long_help = NOTES)]
pub struct Args {
    /// How to write it
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t = DoctorFormat::Text)]
    output: DoctorFormat,

    /// Check this hook
    #[arg(long, value_enum)]
    hook: Option<Hook>,

    /// Check this transport
    #[arg(long, value_enum)]
    transport: Option<Transport>,
}

/// How to write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DoctorFormat {
    /// A table, and the plan below it
    Text,
    /// One object
    Json,
}

const NOTES: &str = "\
Not all requirements must be met: the last lines say what will be used. A
requirement that capable can't tell (most need root for that) is null in JSON.

Environment: CAPABLE_PROBE_NAME=yes, =no or =unknown forces an answer, to see
what capable does on such a kernel. NAME is BPF, BTF, FEXIT, KERNEL_READS,
KPROBE, KRETPROBE, MEMORY, PERF_EVENTS, RING_BUFFER, SYMBOLS or TRACEPOINT.
CAPABLE_SPECIALISE=no loads the eBPF programs as they were built, without
specialising them for the options. This is slower, and shows whether that step
is at fault. CAPABLE_SPECIALISE=yes makes it an error if a program cannot be
specialised, or if the kernel rejects it then; by default it is loaded as it
was built.

Examples:
  capable doctor                         what works, and what is missing
  capable doctor --hook fexit            whether this hook works, or why not
  capable doctor -o json | jq .plan.hook the hook that will be used

Exit status: 0 if tracing will work, 1 if not, 2 for wrong usage.";

/// The narrowest table that is still readable.
const NARROWEST: u16 = 60;

/// The JSON output.
#[derive(Serialize)]
struct Diagnosis<'a> {
    /// Whether tracing will work; null if this could not be determined.
    works: Option<bool>,
    release: &'a str,
    capabilities: Vec<String>,
    perf_event_paranoid: Option<i64>,
    kptr_restrict: Option<i64>,
    unprivileged_bpf_disabled: Option<i64>,
    requirements: &'a [Requirement],
    plan: Option<PlanReport<'a>>,
    error: Option<String>,
}

#[derive(Serialize)]
struct PlanReport<'a> {
    hook: &'static str,
    transport: &'static str,
    reason: &'a str,
    doubt: Option<LackReport<'a>>,
    unknown: Vec<UnknownReport<'a>>,
    may_miss: &'a [&'static str],
}

#[derive(Serialize)]
struct UnknownReport<'a> {
    what: &'static str,
    #[serde(flatten)]
    lack: LackReport<'a>,
}

#[derive(Serialize)]
struct LackReport<'a> {
    reason: &'a str,
    remedy: Option<&'a str>,
}

impl<'a> From<&'a Lack> for LackReport<'a> {
    fn from(lack: &'a Lack) -> Self {
        Self {
            reason: &lack.reason,
            remedy: lack.remedy.as_deref(),
        }
    }
}

/// Probes, plans and reports.
///
/// # Errors
///
/// The output can't be written.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let features = calibration::probe();
    let choice = Choice {
        hook: args.hook,
        transport: args.transport,
    };
    let plan = plan(&features, &choice);
    let requirements = requirements(&features, &plan);
    let text = match args.output {
        DoctorFormat::Text => text(&features, &requirements, &plan),
        DoctorFormat::Json => json(&features, &requirements, &plan)?,
    };
    print(&text)?;
    Ok(match works(&plan) {
        Some(true) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

/// Whether tracing will work; `None` if it might.
fn works(plan: &Result<Plan, PlanError>) -> Option<bool> {
    match plan {
        Ok(plan) => plan.doubt.is_none().then_some(true),
        Err(_) => Some(false),
    }
}

fn text(
    features: &Features,
    requirements: &[Requirement],
    plan: &Result<Plan, PlanError>,
) -> String {
    let rows = requirements.iter().map(|requirement| {
        [
            requirement.label.to_owned(),
            requirement.answer().to_owned(),
            requirement.detail(),
        ]
    });
    let mut table = static_table(["requirement", "works", "detail"], rows);
    // A serial console is a terminal without a width, and would get columns one character wide.
    let width = Terminal::of_stdout()
        .width
        .map(|width| width.max(NARROWEST));
    match width {
        Some(width) => table.set_width(width),
        None => table.set_content_arrangement(ContentArrangement::Disabled),
    };
    let columns = width.map_or(usize::MAX, usize::from);
    let item = |text: &str| {
        let indent = 2 + text.len() - text.trim_start().len();
        let lines = wrap(text, columns, &" ".repeat(indent), &" ".repeat(indent + 2));
        lines.trim_end().to_owned()
    };
    let mut text = table_text(&table);
    // Writing to a String cannot fail.
    let mut line = |line: String| text.write_fmt(format_args!("{line}\n")).unwrap_or_default();
    line(String::new());
    match plan {
        Ok(plan) => {
            line(match &plan.doubt {
                None => format!("Tracing will work on Linux {}.", features.release),
                Some(doubt) => format!(
                    "Tracing may work on Linux {}, but this is uncertain: \
                 {doubt}.",
                    features.release
                ),
            });
            let (hook, transport) = (plan.hook.description(), plan.transport.description());
            line(item(&format!("hook: {hook} ({})", plan.reason)));
            line(item(&format!("transport: {transport}")));
            for alike in plan.unknown.chunk_by(|one, next| one.lack == next.lack) {
                let Lack { reason, remedy } = &alike[0].lack;
                let because = format!("A trace will not show the following, because {reason}:");
                line(wrap(&because, columns, "", "  ").trim_end().to_owned());
                for unknown in alike {
                    line(item(unknown.what));
                }
                if let Some(remedy) = remedy {
                    line(item(&format!("To see them: {remedy}")));
                }
            }
            if !plan.may_miss.is_empty() {
                line("It may miss:".into());
            }
            for missed in plan.may_miss {
                line(item(missed));
            }
        }
        Err(error) => {
            line(format!(
                "Tracing will not work here, on Linux {}:",
                features.release
            ));
            for part in error.to_string().lines() {
                line(item(part));
            }
        }
    }
    text
}

fn json(
    features: &Features,
    requirements: &[Requirement],
    plan: &Result<Plan, PlanError>,
) -> anyhow::Result<String> {
    let report = Diagnosis {
        works: works(plan),
        release: &features.release,
        capabilities: features
            .effective
            .iter()
            .map(|held| held.to_string())
            .collect(),
        perf_event_paranoid: features.perf_event_paranoid,
        kptr_restrict: features.kptr_restrict,
        unprivileged_bpf_disabled: features.unprivileged_bpf_disabled,
        requirements,
        plan: plan.as_ref().ok().map(|plan| PlanReport {
            hook: plan.hook.name(),
            transport: plan.transport.name(),
            reason: &plan.reason,
            doubt: plan.doubt.as_ref().map(LackReport::from),
            unknown: plan
                .unknown
                .iter()
                .map(|unknown| UnknownReport {
                    what: unknown.what,
                    lack: LackReport::from(&unknown.lack),
                })
                .collect(),
            may_miss: plan.may_miss,
        }),
        error: plan.as_ref().err().map(ToString::to_string),
    };
    Ok(Document::Doctor.lines(&report)?)
}

#[cfg(test)]
mod tests;
