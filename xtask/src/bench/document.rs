//! docs/performance.md, written from the figures.

use super::figure::{Figures, HOST};
use super::measure::NOTHING;
use super::table::{self, Table};
use super::{cases, goals, repeat};

/// The text before the figures.
const BEGINNING: &str = "\
# What tracing costs

`cargo xtask bench --document` writes this page: change that command and not the page. The figures
for each kernel are those of one run, in which all tracers met the same load. A second run shows how
far they can be trusted:

```
cargo xtask bench --kernel all --json first.json
cargo xtask bench --kernel all --part counts --json second.json
cargo xtask bench --figures first.json --again second.json --document
```

`--quick` makes a quarter of the checks, and `--only NAME` measures some of the tracers. The first
run fetches the kernels and the peers from Debian; nothing is installed.

## How it is measured

Each kernel runs in QEMU with one processor and `-icount shift=0,sleep=off`. Its clock advances by
one nanosecond per executed instruction, in the kernel and in all processes; otherwise time passes
only while the processor is idle. The duration of a load without its idle time is thus the number of
instructions that the whole system executed, including the tracer's process. (7.3 does not tell its
idle time; there, the time that tasks ran is taken.) The result depends neither on the machine nor
on what else it does. An instruction is not a nanosecond of a real processor: the figures are meant
for comparison.

* The load is a loop of 20 000 `setuid(0)`, each of which makes one audited check. It begins 60 s
  after the boot, and counting ends when the tracer has drained its buffers. Each figure is the
  median of three loads, minus the cost of the load with nothing attached.
* *rows*: rows to /dev/null, in the tracer's default format.
* *rows at a low rate*: 1 000 checks in groups of 50, with a pause of 100 ms after each group.
* *JSON to a file*: the file is in memory.
* *kernel stacks*: rows with `-K`.
* *filtered by pid*: the filter admits only another process.
* *unaudited, filtered*: the load opens /proc/kallsyms instead, which asks for CAP_SYSLOG without
  audit.
* *unique repeats*: the tracer shows each distinct check once, and all checks are repeats.
* *counted*: `capable top` between two readings; for bpftrace, a one-liner that counts by process
  and capability.
* *exec to attached*: from the tracer's start to the first check that it shows, at one instruction
  per nanosecond.
* *peak memory*: VmHWM after the load. *program and libraries*: the files that the process has
  mapped.
* *lost at full rate*: the share of the checks of *rows* that is not shown when the rows go to a
  file.
* *burst*: two processors, without the instruction clock. Two processes make 100 000 checks each, as
  fast as they can, while rows go to a file in memory. *not accounted for*: 200 000 minus the rows,
  minus the losses that the tracer reports.

`*` marks a figure that is too low because the tracer lost checks meanwhile, and a lost check is not
formatted. `-` means that the tracer cannot do this. Every peer loses checks of *rows*, so that goal
compares the cost of a row that is shown: the figure divided by the share that is not lost. The goal
for *rows at a low rate* is given twice: for the instructions that are added, as in the first
measurements of the peers (bpftrace 23 300), and for all instructions of the whole system, of which
the load alone takes more than the goal.
";

/// The text after the figures: what was done, and what the rest is spent on.
const END: &str = "
## What was done

Instructions added to a check on 6.1 with the kprobe and the ring buffer, measured with `--quick`
after each step:

| after | rows | rows at a low rate | filtered by pid | unaudited, filtered | counted |
|---|---:|---:|---:|---:|---:|
| before | 1936 | 3287 | 431 | 418 | 1305 |
| credentials in one read, `real_cred`, `cred` and `comm` in another; one counter per check | 1802 | - | 415 | 411 | 1196 |
| each program made for its configuration before it is loaded (`kernel/bpf/specialise/`) | 1664 | - | 389 | 394 | 1076 |
| the process is asked first; what repeats is counted outside of the table | 1644 | 2997 | 380 | 395 | 791 |
| a timer of the kernel, and a mapped word that says whether the reader rests | 1637 | 2227 | 381 | - | 802 |
| a row that repeats the one before is copied | 1430 | 2015 | 382 | 403 | 814 |
| members of the current task and of its credentials read by plain loads, with types that the verifier knows (`typed.rs`) | 1132 | 1759 | 376 | 407 | 592 |
| loads add their offsets themselves; the audit flag is asked first; one record of 16 asks how full the ring is | 1132 | 1697 | 401 | 373 | 570 |
| records are read where they lie in the ring | 1070 | 1659 | 395 | 373 | 584 |
| no row is made for a record that repeats | 954 | 1536 | 386 | 388 | 598 |
| the task is asked for once, and the reader woken once | 929 | 1555 | 379 | 366 | 560 |

The last line was measured with 20 000 checks. Its step gained more on 6.12, where a woken reader
starts later: rows fell from 1023 to 930, rows at a low rate from 2006 to 1515.

Also:

* *Exec to attached*, kprobe, 6.1: 135 ms before, of which the verifier took 60 for the kprobe's
  program. It now takes 15: a namespace's parent, level and owner are one read, flags are set
  without branches, no variable's address goes to a helper, and there is no buffer of 144 bytes. The
  other 76 ms are the start of the process, 5.5 MB of BTF read in pages, the object, and 7 ms for
  the probes (strace -T).
* *Exec to attached* later grew to 105 ms, with what the programs and the objects had gained, and is
  76 ms in a `--quick` run since three things are no longer done. Of the 17 programs of an object,
  only those that are loaded are linked, which saves 9 million instructions. Most of a program is
  ruled out by the settings in its registers alone, so that only the rest is searched for what the
  stack holds. And a string of BTF is compared with the wanted names only if a few bits agree, which
  saves a quarter of the reading. With less on the heap, peak memory fell from 10 660 KiB to 10 420.
* *Kernel stacks*: 22 033 before. Names that need no escape are now copied at once, and the function
  of an address is remembered. The tracer's process took 18 044 for each row and now takes 5 739,
  and at full rate no row is lost any more.
* *kretprobe, filtered by pid*: 1 973 before. The entry of the pair now keeps only the checks that
  pass the filter.

## Where the rest goes

On 6.1, with the kprobe and the ring buffer, of the first run:

* **Rows**: 929 are added, of which the kprobe itself takes 340 and the tracer's process 198. The
  other 391 belong to our program and the helpers that it calls: reserving and submitting in the
  ring, the clock, the pid, the task, the processor, and a look-up of the counters.
* **Rows at a low rate**: in addition, for every 50 checks, the reader is woken once by a record and
  once by its timer, and writes twice.
* **All instructions at a low rate** (goal 2000): the load takes 3 080 untraced. No tracer can reach
  this goal with `setuid(0)`.
* **5.10** has no typed task, so its reads go through `bpf_probe_read_kernel`: 65 instructions for
  eight bytes, four times for a row and three times for a count. This is why its rows (goal 1000)
  and its counting (goal 300) exceed their goals.
* **Perf buffers** wake the reader for each record. Every kernel of the table has the ring buffer,
  so they are used only on request.
* **The tracepoint** does not carry the audit argument. It is inferred from the call path, whose
  frames the kernel unwinds for each check, including those that are then filtered out.

## A soak

`cargo xtask bench --soak 20` on 2026-11-23, on this machine (6.18, tracepoint, two processors, for
half of the time beside two guests): 272 027 200 checks in 1205 s, that is 225 805 a second. All of
them became rows; none was lost or malformed. Resident memory was 10 340 KiB in every sample, taken
ten seconds apart.
";

/// The text before the figures of a machine.
const MACHINE: &str = "\
The machine that the guests ran on, which did other things as well. The load ran five times untraced
and five times traced, in turns. These are the medians of the ratios, and of three starts.

";

/// The document.
pub fn text(reports: &[Figures], again: &[Figures]) -> String {
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
        text += "\nInstructions that a tracer adds to a check, in the whole system. ";
        let base = cases::LOADS.map(|measure| {
            let value = report.value(NOTHING, measure);
            value.map(|value| format!("{value:.0} ({measure})"))
        });
        let base: Vec<String> = base.into_iter().flatten().collect();
        text += &format!("Untraced, it takes {}.\n\n", base.join(", "));
        text += &markdown(&table::instructions(report));
        text += "\nThe rest:\n\n";
        text += &markdown(&table::others(report));
        text += "\nAgainst the goals, with the default hook and transport:\n\n";
        text += &markdown(&goals::table(report));
        text += &repeat::text(report, again);
    }
    wrapped(&(text + END))
}

/// The text with no line of prose longer than the repository has; rows of tables remain.
fn wrapped(text: &str) -> String {
    const WIDTH: usize = 100;
    let mut out = String::new();
    for line in text.lines() {
        let mut rest = line;
        while !line.starts_with('|') && rest.chars().count() > WIDTH {
            let end = rest
                .char_indices()
                .nth(WIDTH + 1)
                .map_or(rest.len(), |(at, _)| at);
            let Some((head, _)) = rest[..end].rsplit_once(' ') else {
                break;
            };
            out += head;
            out.push('\n');
            rest = &rest[head.len() + 1..];
        }
        out += rest;
        out.push('\n');
    }
    out
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

#[cfg(test)]
mod tests {
    use super::super::cases::ROWS;
    use super::super::figure::Figure;
    use super::*;

    #[test]
    fn no_line_of_prose_is_longer_than_100_characters() {
        let report = |rows| {
            let mut report = Figures::new("6.1", "6.1.0-40-cloud-amd64", false);
            report.versions = vec!["libbpf-tools=0.31.0+ds-7".to_owned(); 6];
            report.figures = [NOTHING, "capable"]
                .map(|subject| Figure::new(subject, ROWS, rows))
                .into();
            report
        };
        let text = text(&[report(1000.0)], &[report(1100.0)]);
        assert!(text.contains("A second run counted"), "{text}");
        for line in text.lines().filter(|line| !line.starts_with('|')) {
            assert!(line.chars().count() <= 100, "{line}");
        }
        assert_eq!(wrapped(&"ä ".repeat(60)).lines().count(), 2);
        let row = format!("| {} |\n", "cell ".repeat(40));
        assert_eq!(wrapped(&row), row);
    }
}
