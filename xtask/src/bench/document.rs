//! docs/performance.md, written from the figures.

use super::figure::{HOST, Report};
use super::measure::NOTHING;
use super::table::{self, Table};
use super::{cases, goals, repeat};

/// What stands before the figures.
const BEGINNING: &str = "\
# What tracing costs

Written by `cargo xtask bench --document`; change that, not this. The figures are of one run for each
kernel, in which all tracers met the same load, and a second run says how far they can be trusted:

```
cargo xtask bench --kernel all --json first.json
cargo xtask bench --kernel all --part counts --json second.json
cargo xtask bench --figures first.json --again second.json --document
```

`--quick` makes a quarter of the checks, `--only NAME` measures some tracers. The first run fetches the kernels
and the peers from Debian; nothing is installed.

## How it is measured

Each kernel runs in QEMU with one processor and `-icount shift=0,sleep=off`: its clock advances by one
nanosecond per executed instruction, in the kernel and in all processes, and no time passes otherwise but
when the processor is idle. A load's time less its idle time is then the number of instructions that the
whole system executed, the tracer's process included (7.3 does not tell its idle time: there it is the time
that tasks ran). It does not depend on the machine or on what else it does. An instruction is not a nanosecond of a real processor; the figures are for comparing.

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
formatted. `-`: the tracer cannot do this. Every peer loses checks of *rows*, so there the goal compares what a
shown row costs: the figure divided by the share that is not lost. The goal for *rows at a low rate* is given
twice: of what is added, as the first measurements of the peers were (bpftrace 23 300), and of all instructions
of the whole system, of which the load alone takes more than the goal.
";

/// What stands behind the figures: what was done, and where the rest goes.
const END: &str = "
## What was done

Instructions that are added to a check on 6.1 with the kprobe and the ring buffer, measured with `--quick` after
each step:

| after | rows | rows at a low rate | filtered by pid | unaudited, filtered | counted |
|---|---:|---:|---:|---:|---:|
| before | 1936 | 3287 | 431 | 418 | 1305 |
| credentials in one read, `real_cred`, `cred` and `comm` in another; one counter per check | 1802 | - | 415 | 411 | 1196 |
| each program made for its configuration before it is loaded (`kernel/bpf/specialise.rs`) | 1664 | - | 389 | 394 | 1076 |
| the process is asked first; what repeats is counted outside of the table | 1644 | 2997 | 380 | 395 | 791 |
| a timer of the kernel, and a mapped word that says whether the reader rests | 1637 | 2227 | 381 | - | 802 |
| a row that repeats the one before is copied | 1430 | 2015 | 382 | 403 | 814 |
| members of the current task and of its credentials read by plain loads, with types that the verifier knows (`typed.rs`) | 1132 | 1759 | 376 | 407 | 592 |
| loads add their offsets themselves; the audit flag is asked first; one record of 16 asks how full the ring is | 1132 | 1697 | 401 | 373 | 570 |
| records are read where they lie in the ring | 1070 | 1659 | 395 | 373 | 584 |
| no row is made for a record that repeats | 954 | 1536 | 386 | 388 | 598 |
| the task is asked for once, and the reader woken once | 929 | 1555 | 379 | 366 | 560 |

The last line is of 20 000 checks; what it brought is larger on 6.12, where a woken reader starts later: rows from 1023 to
930, rows at a low rate from 2006 to 1515.

Besides:

* *Exec to attached*, kprobe, 6.1: 135 ms before. The verifier took 60 of them for the kprobe's program. One read for a
  namespace's parent, level and owner, flags without branches, no variable of which a helper gets the address, and no buffer of
  144 bytes: 15 ms. The other 76 are the start of the process, 5.5 MB of BTF read in pages, the object, and 7 for the probe (strace -T).
* *Kernel stacks*: 22 033 before; names that need no escape are copied at once, and which function an address is in is
  remembered: the tracer's process took 18 044 for each row and takes 5 739, and no row of the full rate is lost any more.
* *kretprobe, filtered by pid*: 1 973 before. The entry of the pair keeps only what is wanted.

## Where the rest goes

On 6.1, with the kprobe and the ring buffer, of the first run:

* **Rows**: 929 are added, of which the kprobe itself takes 340 and the tracer's process 198. The other 391 are our
  program's, and the helpers' that it calls: reserving and submitting in the ring, the clock, the pid, the task, the processor,
  and a look-up of the counters.
* **Rows at a low rate**: in addition, for each 50 checks, the reader is woken once and by its timer once, and writes twice.
* **All instructions at a low rate** (goal 2000): the load takes 3 080 untraced. No tracer can reach this with `setuid(0)`.
* **5.10** has no typed task: its reads go by `bpf_probe_read_kernel`, 65 instructions for eight bytes, four of them for a row and
  three for a count. That is what its rows (goal 1000) and its counting (goal 300) are over.
* **Perf buffers** wake the reader for each record. Every kernel of the table has the ring buffer, so they are used
  when asked for only.
* **The tracepoint** does not give the audit argument. It is inferred from the call path, whose frames the kernel unwinds for
  each check, also for what is filtered then.

## A soak

`cargo xtask bench --soak 20` on 2026-11-23, on this machine (6.18, tracepoint, two processors, for half of the time beside two
guests): 272 027 200 checks in 1205 s, 225 805 a second, all of them rows, none lost, none malformed; resident memory 10 340 KiB in
each of the samples, ten seconds apart.
";

/// What stands before the figures of a machine.
const MACHINE: &str = "\
The machine that the guests ran on, which did other things too. The load and the load traced took turns five
times; these are the medians of the ratios, and of three starts.

";

/// The document.
pub fn text(reports: &[Report], again: &[Report]) -> String {
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
        text += &repeat::text(report, again);
    }
    text + END
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
