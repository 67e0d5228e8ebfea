//! docs/performance.md, written from the figures.

use super::figure::{HOST, Report};
use super::measure::NOTHING;
use super::table::{self, Table};
use super::{cases, goals};

/// What stands before the figures.
const BEGINNING: &str = "\
# What tracing costs

Written by `cargo xtask bench --document`; change that, not this. The figures are of one run for each
kernel, in which all tracers met the same load:

```
cargo xtask bench --kernel all --document --json figures.json
```

`--quick` makes fewer checks, `--only NAME` measures some tracers. The first run fetches the kernels and the
peers from Debian; nothing is installed.

## How it is measured

Each kernel runs in QEMU with one processor and `-icount shift=0,sleep=off`: its clock advances by one
nanosecond per executed instruction, in the kernel and in all processes, and no time passes otherwise but
when the processor is idle. A load's time less its idle time is then the number of instructions that the
whole system executed, the tracer's process included. It does not depend on the machine or on what else
it does. An instruction is not a nanosecond of a real processor; the figures are for comparing.

* The load is a loop of 20 000 `setuid(0)`, each of which is one audited check, begun 60 s after the boot, and
  counted until the tracer has drained its buffers. Each figure is the median of three loads, less what the
  load costs with nothing attached.
* *rows*: rows to /dev/null, in the tracer's default format.
* *rows at a low rate*: 1 000 checks, 50 at a time, with a pause of 100 ms after each 50.
* *JSON to a file*: the file is in memory.
* *kernel stacks*: rows with `-K`.
* *filtered by pid*: only another process is wanted.
* *unaudited, filtered*: the load opens /proc/kallsyms instead, which asks for CAP_SYSLOG without audit.
* *unique repeats*: the tracer shows what is new, and nothing is.
* *counted*: `capable top`, between two readings; for bpftrace a one-liner that counts by process and
  capability.
* *exec to attached*: from the tracer's start to the first check that it shows, at one instruction per
  nanosecond.
* *peak memory*: VmHWM after the load. *program and libraries*: the files that the process has mapped.
* *lost at full rate*: the share of the checks of *rows* that is not shown when the rows go to a file.
* *burst*: two processors, without the instruction clock; two processes make 100 000 checks each, as fast
  as they can, while rows go to a file in memory. *not accounted for*: 200 000 less the rows and less what
  the tracer says that it lost.

A `*` marks a figure that is too low because the tracer lost checks meanwhile: what is lost is not
formatted. `-`: the tracer cannot do this.
";

/// What stands before the figures of a machine.
const MACHINE: &str = "\
The machine that the guests ran on, which did other things too. The load and the load traced took turns five
times; these are the medians of the ratios, and of three starts.

";

/// The document.
pub fn text(reports: &[Report]) -> String {
    let mut text = BEGINNING.to_owned();
    for report in reports {
        text += &format!("\n## Linux {}\n\n", report.kernel);
        if report.row == HOST {
            text += MACHINE;
            text += &markdown(&table::ratios(report));
            continue;
        }
        text += &format!(
            "capable {}; from Debian: {}.\n",
            env!("CARGO_PKG_VERSION"),
            report.versions.join(", ")
        );
        if report.quick {
            text += "With `--quick`: a quarter of the checks.\n";
        }
        text += "\nInstructions that a tracer adds to a check, in the whole system";
        let base = cases::LOADS.map(|measure| {
            let value = report.value(NOTHING, measure);
            value.map(|value| format!("{value:.0} ({measure})"))
        });
        let base: Vec<String> = base.into_iter().flatten().collect();
        text += &format!(" (it takes {} untraced):\n\n", base.join(", "));
        text += &markdown(&table::instructions(report));
        text += "\nThe rest:\n\n";
        text += &markdown(&table::others(report));
        text += "\nAgainst the goals, with the hook and transport that are taken by default:\n\n";
        text += &markdown(&goals::table(report));
    }
    text
}

fn markdown(table: &Table) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let mut text = line(&table.head);
    text += "|---";
    for _ in 1..table.head.len() {
        text += "|---:";
    }
    text += "|\n";
    for row in &table.rows {
        text += &line(row);
    }
    text
}
