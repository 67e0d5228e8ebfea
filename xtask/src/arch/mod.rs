//! What depends on the processor: names of targets, packages, machines and functions.
//!
//! Each architecture has a module with its names; this one chooses those of this machine. Guests
//! and everything built for them use this machine's architecture; eBPF objects are built for all
//! architectures on any machine.

mod x86_64;

/// An architecture.
#[derive(Debug)]
pub struct Architecture {
    /// As Rust calls it; a part of the names of the eBPF objects.
    pub name: &'static str,
    /// Its name in Debian.
    pub debian: &'static str,
    /// The target that our programs are built for.
    pub target: &'static str,
    /// The machine type of its guests.
    pub qemu: Qemu,
    /// The prefix of system call functions in the kernel's symbol table.
    pub system_call_prefixes: &'static [&'static str],
}

/// How QEMU emulates an architecture.
#[derive(Debug)]
pub struct Qemu {
    /// The program.
    pub program: &'static str,
    /// Debian's package with it.
    pub package: &'static str,
    /// The options that choose the machine and its CPU.
    pub machine: &'static [&'static str],
    /// The kernel's names for the serial lines.
    pub lines: Lines,
}

/// The serial lines of a guest.
#[derive(Debug)]
pub struct Lines {
    /// The console of the kernel and of the shell.
    pub console: &'static str,
    /// What the command prints.
    pub output: &'static str,
    /// The outcome of the command.
    pub report: &'static str,
}

/// All architectures.
pub const ALL: [&Architecture; 1] = [&x86_64::ARCHITECTURE];

/// The architecture of this machine.
#[cfg(target_arch = "x86_64")]
pub const THIS: &Architecture = &x86_64::ARCHITECTURE;

impl Architecture {
    /// The variable that names the program by which cargo runs tests (Cargo's reference,
    /// "Configuration", `target.<triple>.runner`).
    pub fn runner_variable(&self) -> String {
        let target = self.target.to_uppercase().replace('-', "_");
        format!("CARGO_TARGET_{target}_RUNNER")
    }

    /// The file name of the eBPF object of a transport.
    pub fn object(&self, transport: &str) -> String {
        format!("{transport}.{}.o", self.name)
    }

    /// The end of the names of the packages of Debian's cloud kernels, and of their releases.
    pub fn cloud_kernel(&self) -> String {
        format!("-cloud-{}", self.debian)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_of_an_architectures() {
        let x86_64 = &x86_64::ARCHITECTURE;
        assert_eq!(
            x86_64.runner_variable(),
            "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER"
        );
        assert_eq!(x86_64.object("ring"), "ring.x86_64.o");
        assert_eq!(x86_64.cloud_kernel(), "-cloud-amd64");
    }

    #[test]
    fn this_machines_architecture_is_one_of_all() {
        assert!(ALL.iter().any(|each| each.name == THIS.name));
        assert_eq!(THIS.name, std::env::consts::ARCH);
    }
}
