//! docs/performance.md, written from the figures.

use super::figure::{HOST, Report};
use super::measure::NOTHING;
use super::table::{self, Table};
use super::{cases, goals, repeat};

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

/// What stands behind the figures: what was done, and where the rest goes.
const END: &str = "
## What was done

Instructions that are added to a check on 6.1 with the kprobe and the ring buffer, measured with `--quick` after
each step:

| after | rows | rows at a low rate | filtered by pid | unaudited, filtered | counted |
|---|---:|---:|---:|---:|---:|
| before | 1936 | 3287 | 431 | 418 | 1305 |
| credentials in one read, `real_cred`, `cred` and `comm` in another; one counter per check | 1802 | - | 415 | 411 | 1196 |
| each program made for its configuration before it is loaded (`kernel/specialise.rs`) | 1664 | - | 389 | 394 | 1076 |
| the process is asked first; what repeats is counted outside of the table | 1644 | 2997 | 380 | 395 | 791 |
| a timer of the kernel, and a mapped word that says whether the reader rests | 1637 | 2227 | 381 | - | 802 |
| a row that repeats the one before is copied | 1417 | 2037 | 368 | 409 | 806 |

## The runs

All of them are of 2026-11-22 and with `--quick`, on a machine that was busy with other work. The first table of 6.1 is of
one run of the build that was current then. The second is of one run that had all tracers, of the build of an hour before; it was ended
while bcc, which takes longest, was half through, and so has no bursts. Both have capable's rows: their instructions per
check of the whole system differ by 2.0 % for JSON and by at most 0.6 % for everything else.
The machine's own part is a run beside that other work. Other kernels were not measured in this edition.

What was committed last was counted twice more, with the kprobe and the ring buffer alone, on a quiet machine: rows 1430 and
1429, rows at a low rate 2015 and 2024, JSON 13 263 and 13 255, kernel stacks 22 033 and 22 029, filtered by pid 382 and
365, unaudited 403 and 403, unique repeats 903 and 897, counted 814 and 809, exec to attached 135.2 and 135.3 ms, peak
memory 10 140 and 10 156 KiB. Filtered by pid differs by 4.6 %, everything else by at most 0.7 %.

## Where the rest goes

On 6.1, with the kprobe and the ring buffer; what helpers take is counted in the disassembly of that kernel.

* **Rows** (goal 1000): the kprobe itself takes 325, the tracer's process 380, its programs the rest. Of the helpers,
  `bpf_probe_read_kernel` takes 65 for 8 bytes and 7 for each 8 more: 177 for the credentials from `uid` to `user_ns`,
  93 for `real_cred` to `comm`. The others reserve and submit in the ring buffer, read the clock and the pid. Two reads
  of 8 bytes for the effective set and the namespace would take as much as the one that has the user id too. Replaced:
  `bpf_get_current_comm` (`strnlen` and `strscpy`, byte by byte), `bpf_get_current_uid_gid`.
* **Rows at a low rate** (goal 2000 in the whole system): the load takes 2830 untraced, so that the goal cannot be reached
  by any tracer with this load. For each 50 checks the reader is woken twice, writes once or twice, and sets a timer once.
* **Counted** (goal 300 over the empty program): two reads of credentials take 130, the name 72, two look-ups in arrays
  of the processor 40; the program's own instructions are the rest. One read of both words of the credentials (84 bytes)
  takes as much as two of one word.
* **Unaudited, filtered** (goal 60 over the empty program): 58 to 67 in different runs, whose floor differs by as much.

* **Exec to attached** with the kprobe: 127 and 132 ms in the last two runs, 96 and 100 before this work; with fexit 70
  and 69 ms. The verifier looks at 9 486 instructions of the kprobe's program (with `-v`), and remembering less
  while a program is made for its configuration changed nothing. The cause is not found.

## A soak

`cargo xtask bench --soak 20` on 2026-11-22, on this machine (6.18, tracepoint, two processors, other work beside it):
52 005 200 checks in 1211 s, 42 939 a second, all of them rows, none lost, none malformed; resident memory 10 452 KiB in
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
