//! `cargo xtask vm`: boots kernels of the table and runs the tests, a command or a shell in them.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::initramfs::Archive;
use crate::kernels::{self, Installed, Rows};
use crate::qemu::VirtualMachine;
use crate::system::{self, Role};
use crate::{binaries, guest_root, packages};

/// What a guest runs if nothing else is requested.
pub const TESTS: &str = "xtask guest tests";

/// The memory in MiB that is enough for a guest with Debian's programs.
pub const MEMORY: u32 = 1280;

/// Options of `cargo xtask vm`.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The kernel to boot: 5.10, 6.1, 6.12, newest, or all of them
    #[arg(long, value_name = "NAME", default_value = "6.1", value_parser = kernels::rows)]
    kernel: Rows,
    /// Add to the kernel's command line, such as "lockdown=confidentiality"
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        allow_hyphen_values = true
    )]
    append: String,
    /// Processors of the guest
    #[arg(long, value_name = "N", default_value_t = 2)]
    cpus: u32,
    /// Memory of the guest, if not as much as it needs
    #[arg(long, value_name = "MIB")]
    memory: Option<u32>,
    /// Let the guest's clock count executed instructions (one processor)
    #[arg(long)]
    icount: bool,
    /// Leave Debian's own programs (ping, nginx, python3, ...) out of the guest: busybox only
    #[arg(long)]
    bare: bool,
    /// Put this file into the guest's /root
    #[arg(long = "file", value_name = "PATH")]
    files: Vec<PathBuf>,
    /// End the guest after this many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 900)]
    limit: u64,
    /// Boot the Debian that belongs to the kernel, as it is installed, with systemd
    #[arg(long, conflicts_with = "bare")]
    system: bool,
    /// The same, with the engines of containers that this Debian has
    #[arg(long, conflicts_with_all = ["bare", "system"])]
    containers: bool,
    /// Fetch the kernel (and with --system or --containers, install Debian) anew, even when it is cached
    #[arg(long)]
    fetch: bool,
    /// Stay in a shell on the guest's console (leave with exit; Ctrl-A X ends the machine)
    #[arg(long, conflicts_with_all = ["command", "icount"])]
    shell: bool,
    /// What to run in the guest instead of the tests
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

impl Options {
    /// What an installed system is for, if one is booted.
    fn role(&self) -> Option<Role> {
        match (self.system, self.containers) {
            (true, _) => Some(Role::Server),
            (_, true) => Some(Role::Containers),
            _ => None,
        }
    }
}

/// Runs the subcommand.
pub fn run(options: &Options) -> Result<ExitCode> {
    let rows = &options.kernel.0;
    if options.shell && rows.len() > 1 {
        bail!("--shell takes one kernel; name it with --kernel");
    }
    let programs = binaries::build()?;
    let role = options.role();
    let (base, layers) = match (role, options.bare) {
        (Some(_), _) => (system::base(&programs)?, Vec::new()),
        (None, true) => (guest_root::base(&programs)?, Vec::new()),
        _ => {
            let debian = packages::root_filesystem(&packages::DEBIAN)?;
            (guest_root::base(&programs)?, vec![debian])
        }
    };
    let installed = kernels::install_all(rows, options.fetch)?;

    let mut code = ExitCode::SUCCESS;
    for kernel in &installed {
        let disk = role
            .map(|role| system::image(kernel.suite, role, options.fetch))
            .transpose()?;
        let machine = VirtualMachine {
            kernel,
            base: &base,
            layers: &layers,
            files: files(&options.files)?,
            append: &options.append,
            processors: options.cpus,
            memory: options.memory.unwrap_or(role.map_or(MEMORY, Role::memory)),
            disk: disk.as_deref(),
            count_instructions: options.icount,
        };
        if options.shell {
            machine.shell()?;
            continue;
        }
        let status = command(options, kernel, machine)?;
        if status != 0 {
            code = ExitCode::from(status);
        }
    }
    Ok(code)
}

fn command(options: &Options, kernel: &Installed, machine: VirtualMachine<'_>) -> Result<u8> {
    let script = if options.command.is_empty() {
        options.role().map_or(TESTS, Role::tests).into()
    } else {
        options
            .command
            .iter()
            .map(|word| quoted(word))
            .collect::<Vec<_>>()
            .join(" ")
    };
    let limit = Duration::from_secs(options.limit);
    let mut stdout = io::stdout();
    let outcome = machine.run(&script, limit, |bytes| {
        // If the reader went away, the final exit status says so; the guest runs to its end.
        let _ = stdout.write_all(bytes).and_then(|()| stdout.flush());
    })?;
    eprintln!(
        "Linux {}: exit {} (boot {:.1} s, whole run {:.1} s)",
        kernel.release,
        outcome.status,
        outcome.boot.as_secs_f64(),
        outcome.total.as_secs_f64()
    );
    Ok(outcome.status)
}

fn files(paths: &[PathBuf]) -> Result<Archive> {
    let mut archive = Archive::default();
    for path in paths {
        let Some(name) = path.file_name().filter(|_| path.is_file()) else {
            bail!("{} is not a file", path.display());
        };
        archive.copy(&format!("root/{}", name.display()), 0o755, path);
    }
    Ok(archive)
}

/// A word that a shell takes unchanged.
pub fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}
