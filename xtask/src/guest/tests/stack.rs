//! Kernel stacks.

use anyhow::{Context as _, Result, ensure};

use super::Bench;
use super::act::Actor;
use crate::guest::capabilities::SYS_NICE;
use crate::guest::exceptions::{Field, may_be_unknown};
use crate::guest::syscall::call;
use crate::guest::tracer::Tracer;

/// How frames of a tracer begin: its programs, their trampolines, and the probes that call them.
const TRACER_FRAMES: &[&str] = &[
    "bpf_",
    "__bpf_",
    "trace_call_bpf",
    "kprobe_",
    "kretprobe_",
    "ftrace_",
    "arch_ftrace",
    "fprobe_",
    "aggr_pre_handler",
    "optimized_callback",
    "perf_trace_",
    "__traceiter_",
    "trampoline_",
    "arch_rethook",
    "rethook_",
];

/// `-K` of nice: the functions that lead to the check, and none of the tracer's.
pub fn nice(bench: &Bench) -> Result<()> {
    for way in &bench.ways {
        let actor = Actor::prepare(b"nice", || {
            call!(SYS_setpriority, libc::PRIO_PROCESS, 0, -5).is_ok()
        })?;
        let pid = actor.pid().to_string();
        let tracer = Tracer::start(&[
            "-K",
            "-p",
            &pid,
            "-o",
            "json",
            "--hook",
            way.hook,
            "--transport",
            way.transport,
        ])?;
        actor.run()?;
        let (rows, _) = tracer.rows()?;
        let name = format!("{} {}", way.hook, way.transport);
        let row = rows
            .iter()
            .find(|row| row.capability_number == i32::from(SYS_NICE.number))
            .with_context(|| format!("{name}: no row for nice"))?;
        let stack = row
            .kernel_stack
            .as_ref()
            .with_context(|| format!("{name}: no stack"))?;
        let functions: Vec<&str> = stack
            .iter()
            .map(|frame| frame.function.as_deref().unwrap_or("?"))
            .collect();
        ensure!(
            functions.first() == Some(&"cap_capable")
                || (functions.first() == Some(&"security_capable")
                    && may_be_unknown(way.hook, Field::InnermostFrame)),
            "{name}: the stack does not begin with the check: {functions:?}"
        );
        ensure!(
            functions.contains(&"can_nice"),
            "{name}: no can_nice in {functions:?}"
        );
        ensure!(
            functions.iter().any(|name| name.contains("setpriority")),
            "{name}: the stack does not reach the system call: {functions:?}"
        );
        for function in &functions {
            ensure!(
                !TRACER_FRAMES
                    .iter()
                    .any(|frame| function.starts_with(frame)),
                "{name}: a frame of the tracer: {functions:?}"
            );
        }
    }
    Ok(())
}
