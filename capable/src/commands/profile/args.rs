//! The options of `capable profile`, as typed.

use std::time::Duration;

use clap::Args as ClapArgs;

use super::super::{
    reporting::ReportArgs,
    tracing::{TracingArgs, duration, keeps_only, number, pid, tell_names},
};
use crate::{
    context::cgroups::CgroupName,
    kernel::trace::counts,
    learn::{Workload, WorkloadError},
};

/// Examples for `--help`.
const EXAMPLES: &str = "\
Without --duration it ends at Ctrl-C. Checks are counted in the kernel and read
at the end, so it can stay on for days. It does not know what was asked for
before it began, above all at the start of the program: use `capable run` there.
A unit is followed by its name: before it runs, and over its restarts.

Examples:
  capable profile --unit nginx --duration 1d --emit systemd=nginx.conf
  capable profile --pid 812
  capable profile --container 4f1c -o json --report report.json";

/// Report which capabilities a running process, unit or container needs
#[derive(Clone, Debug, ClapArgs)]
#[command(
    after_long_help = EXAMPLES,
    override_usage = "capable profile [OPTIONS] --pid PID|--unit NAME|--container NAME|..."
)]
pub struct Args {
    /// What to profile.
    #[command(flatten)]
    pub target: TargetArgs,

    /// Stop and report after this time: 30s, 5m, 1.5h, 2d
    #[arg(short = 'd', long, help_heading = None::<&'static str>, value_name = "TIME", allow_negative_numbers = true, value_parser = duration)]
    pub duration: Option<Duration>,

    /// Number of rows in the kernel's table of counts
    #[arg(long, help_heading = None::<&'static str>, hide_short_help = true, value_name = "ROWS", default_value_t = counts::ENTRIES, allow_negative_numbers = true, value_parser = number::<u32>(1..=1 << 20, 65536))]
    pub table_size: u32,

    /// The report.
    #[command(flatten)]
    pub report: ReportArgs,

    /// How to trace.
    #[command(flatten)]
    pub tracing: TracingArgs,
}

/// What to profile; several targets are profiled together.
#[derive(Clone, Debug, Default, ClapArgs)]
#[group(required = true, multiple = true)]
#[command(next_help_heading = "Target")]
pub struct TargetArgs {
    /// This process and its descendants, including those forked later
    #[arg(short = 'p', long = "pid", value_name = "PID", value_delimiter = ',', allow_negative_numbers = true, value_parser = pid, conflicts_with_all = ["cgroups", "units", "user_units", "containers"])]
    pub pids: Vec<u32>,

    /// This unit of the system's systemd, with all that it starts
    #[arg(long = "unit", value_name = "NAME", value_delimiter = ',')]
    pub units: Vec<String>,

    /// This unit of users' systemd, of each user who runs it
    #[arg(
        long = "user-unit",
        hide_short_help = true,
        value_name = "NAME",
        value_delimiter = ','
    )]
    pub user_units: Vec<String>,

    /// This cgroup and those below it
    #[arg(long = "cgroup", value_name = "PATH", value_delimiter = ',')]
    pub cgroups: Vec<String>,

    /// This container, by its name or the first characters of its id
    ///
    /// One that does not run yet is waited for, and one that is started again, or made again with
    /// this name, is followed.
    #[arg(long = "container", value_name = "NAME|ID", value_delimiter = ',')]
    pub containers: Vec<String>,
}

impl TargetArgs {
    /// Refuses what asks for something to be left out, and names that are empty.
    ///
    /// # Errors
    ///
    /// There is such a name.
    pub(super) fn keeps_only(&self) -> Result<(), anyhow::Error> {
        keeps_only("--unit", &self.units)?;
        keeps_only("--user-unit", &self.user_units)?;
        keeps_only("--cgroup", &self.cgroups)
    }

    /// What they name.
    ///
    /// # Errors
    ///
    /// If something that was named does not exist.
    pub(super) fn workload(&self) -> Result<Workload, WorkloadError> {
        if !self.pids.is_empty() {
            return Workload::processes(self.pids.iter().copied());
        }
        let units = self.units.iter().cloned().map(CgroupName::Unit);
        let user_units = self.user_units.iter().cloned().map(CgroupName::UserUnit);
        let cgroups = self.cgroups.iter().cloned().map(CgroupName::Path);
        let containers = self.containers.iter().cloned().map(CgroupName::Container);
        let names: Vec<CgroupName> = units
            .chain(user_units)
            .chain(cgroups)
            .chain(containers)
            .collect();
        tell_names(&names)?;
        Workload::cgroups(names)
    }
}
