//! The options that all commands which trace share, as typed.

use std::time::Duration;

use clap::Args as ClapArgs;

use crate::session::{Builder, Hook, Transport};

/// Which checks to show. All filters act in the kernel. Values of one filter, separated by commas or
/// given again, are alternatives; different filters must all match.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "Filters")]
pub struct FilterArgs {
    /// Only this process, with all its threads; a trace ends with it
    #[arg(short = 'p', long = "pid", value_name = "PID", value_delimiter = ',', allow_negative_numbers = true, value_parser = pid)]
    pub pids: Vec<u32>,

    /// Only this thread
    #[arg(long = "tid", hide_short_help = true, value_name = "TID", value_delimiter = ',', allow_negative_numbers = true, value_parser = pid)]
    pub tids: Vec<u32>,

    /// With -p: also its descendants, including those forked later
    #[arg(long, requires = "pids")]
    pub children: bool,

    /// Only this real user, by name or number; '!USER' means all but it
    #[arg(short = 'u', long = "user", value_name = "USER", value_delimiter = ',')]
    pub users: Vec<String>,

    /// Only this real group, by name or number; '!GROUP' means all but it
    #[arg(long = "gid", value_name = "GROUP", value_delimiter = ',')]
    pub groups: Vec<String>,

    /// Only tasks whose name matches this glob
    #[arg(short = 'c', long = "comm", value_name = "GLOB", value_delimiter = ',')]
    pub comms: Vec<String>,

    /// Only this capability; '!CAP' means all but it
    ///
    /// By name, with or without CAP_ and in any case, or by number.
    #[arg(short = 'C', long = "cap", value_name = "CAP", value_delimiter = ',')]
    pub capabilities: Vec<String>,

    /// Only checks that were granted
    #[arg(long, conflicts_with = "denied")]
    pub granted: bool,

    /// Only checks that were denied
    #[arg(long)]
    pub denied: bool,

    /// Only this cgroup and those below it
    #[arg(long = "cgroup", value_name = "PATH", value_delimiter = ',')]
    pub cgroups: Vec<String>,

    /// Only this unit of the system's systemd, with all that it starts
    #[arg(long = "unit", value_name = "NAME", value_delimiter = ',')]
    pub units: Vec<String>,

    /// Only this unit of users' systemd, of each user who runs it
    #[arg(
        long = "user-unit",
        hide_short_help = true,
        value_name = "NAME",
        value_delimiter = ','
    )]
    pub user_units: Vec<String>,

    /// Only this container, by its name or the first characters of its id
    ///
    /// One that does not run yet is waited for, and one that is started again, or made again with
    /// this name, is followed.
    #[arg(long = "container", value_name = "NAME|ID", value_delimiter = ',')]
    pub containers: Vec<String>,

    /// Only this user namespace, by its number or a process in it
    #[arg(
        hide_short_help = true,
        long = "userns",
        value_name = "NUMBER|PID",
        value_delimiter = ','
    )]
    pub user_namespaces: Vec<String>,

    /// Only this mount namespace, by its number or a process in it
    #[arg(
        hide_short_help = true,
        long = "mntns",
        value_name = "NUMBER|PID",
        value_delimiter = ','
    )]
    pub mount_namespaces: Vec<String>,

    /// Only this pid namespace, by its number or a process in it
    #[arg(
        hide_short_help = true,
        long = "pidns",
        value_name = "NUMBER|PID",
        value_delimiter = ','
    )]
    pub pid_namespaces: Vec<String>,
}

/// How to trace.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "Tracing")]
pub struct TracingArgs {
    /// Hook to use; by default the most complete one that works here
    #[arg(long, hide_short_help = true, value_name = "HOOK", value_enum)]
    pub hook: Option<Hook>,

    /// Transport to use; by default the best that works here
    #[arg(long, hide_short_help = true, value_name = "TRANSPORT", value_enum)]
    pub transport: Option<Transport>,
}

impl TracingArgs {
    /// A session that traces in this way.
    pub fn session(&self) -> Builder {
        let Self { hook, transport } = *self;
        let mut session = Builder::new();
        if let Some(hook) = hook {
            session = session.hook(hook);
        }
        if let Some(transport) = transport {
            session = session.transport(transport);
        }
        session
    }
}

/// The buffer between the kernel and a command that reads records. Commands that only count have
/// none.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "Tracing")]
pub struct BufferArgs {
    /// Size of the buffer for records, such as 512K or 8M
    #[arg(long, hide_short_help = true, value_name = "BYTES", allow_negative_numbers = true, value_parser = buffer_size)]
    pub buffer_size: Option<u32>,
}

/// Parses the number of a process or a thread.
pub fn pid(text: &str) -> Result<u32, String> {
    let wanted = "it takes the number of a process or thread (see ps -eL), such as 812; to filter \
                  by name use -c NAME, by service use --unit NAME";
    if text.starts_with('!') {
        return Err(
            "it cannot leave a process or thread out; what can be left out is a user, a \
                    group or a capability, as in -u '!root'"
                .to_owned(),
        );
    }
    text.parse().map_err(|_| wanted.to_owned())
}

/// Parses a time as timeout(1) does: a number with s, m, h or d, or of seconds.
pub fn duration(text: &str) -> Result<Duration, String> {
    let wanted = || {
        "a time is a number of seconds, or a number with s, m, h or d, such as 30s or \
     1.5h"
            .to_owned()
    };
    let (number, unit) = match text.char_indices().last() {
        Some((at, unit)) if unit.is_ascii_alphabetic() => (&text[..at], unit),
        _ => (text, 's'),
    };
    let seconds = match unit {
        's' => 1.0,
        'm' => 60.0,
        'h' => 3600.0,
        'd' => 86400.0,
        _ => return Err(wanted()),
    };
    let number: f64 = number.parse().map_err(|_| wanted())?;
    match Duration::try_from_secs_f64(number * seconds) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err(wanted()),
    }
}

/// Parses a number of bytes with an optional K, M or G; the kernel takes powers of two, and whole
/// pages.
fn buffer_size(text: &str) -> Result<u32, String> {
    let page = rustix::param::page_size() as u64;
    let wanted = || {
        format!(
            "a size is a number of bytes from {}K to 1G, optionally with K, M or G, such as 8M",
            page >> 10
        )
    };
    let (number, shift) = match text.to_ascii_uppercase().trim_end_matches("IB") {
        upper if upper.ends_with('K') => (upper.trim_end_matches('K').to_owned(), 10),
        upper if upper.ends_with('M') => (upper.trim_end_matches('M').to_owned(), 20),
        upper if upper.ends_with('G') => (upper.trim_end_matches('G').to_owned(), 30),
        upper => (upper.to_owned(), 0),
    };
    let bytes: u64 = number
        .parse::<u64>()
        .map_err(|_| wanted())?
        .saturating_mul(1 << shift);
    if !(page..=1 << 30).contains(&bytes) {
        return Err(wanted());
    }
    Ok((bytes as u32).next_power_of_two())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_timeout_reads_them() {
        assert_eq!(duration("30"), Ok(Duration::from_secs(30)));
        assert_eq!(duration("1.5m"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("2d"), Ok(Duration::from_secs(172_800)));
        for wrong in ["", "s", "-1s", "0", "1x", "1e400", "nan"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn sizes_become_powers_of_two_that_the_kernel_takes() {
        let page = rustix::param::page_size() as u32;
        assert_eq!(buffer_size(&page.to_string()), Ok(page));
        assert_eq!(buffer_size(&format!("{}K", page >> 10)), Ok(page));
        assert_eq!(buffer_size("5M"), Ok(8 << 20));
        assert_eq!(buffer_size("1GiB"), Ok(1 << 30));
        for wrong in ["", "1", "2G", "M", "-4K", "4 K"] {
            assert!(buffer_size(wrong).is_err(), "{wrong}");
        }
    }
}
