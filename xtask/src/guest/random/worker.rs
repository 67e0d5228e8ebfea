//! A process with a random user and random sets, which makes checks and notes how they ended.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Result, ensure};

use super::COMM;
use super::generator::Generator;
use super::tree::{Tree, USERS};
use crate::guest::capabilities::{Capability, KILL, SYS_CHROOT, SYS_RESOURCE};
use crate::guest::fork::Child;
use crate::guest::syscall::{Argument, call};

/// How many checks one process makes.
const CHECKS: usize = 100;

/// A check, and what the kernel did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Made {
    /// The capability's number.
    pub capability: u8,
    /// The system call succeeded.
    pub granted: bool,
    /// The capability was in the effective set.
    pub raised: bool,
}

impl Made {
    fn pack(self) -> u64 {
        u64::from(self.capability) | u64::from(self.granted) << 8 | u64::from(self.raised) << 9
    }

    fn unpack(word: u64) -> Self {
        Self {
            capability: (word & 0xff) as u8,
            granted: word >> 8 & 1 == 1,
            raised: word >> 9 & 1 == 1,
        }
    }
}

/// Memory that a worker shares with its parent, so that reporting a result takes no system call.
#[derive(Debug)]
pub struct Memory(&'static [AtomicU64; CHECKS]);

impl Memory {
    /// Maps it, for as long as this process lives.
    ///
    /// # Errors
    /// What mmap(2) answers.
    pub fn map() -> io::Result<Self> {
        // SAFETY: a new mapping at an address chosen by the kernel affects no other memory.
        let page = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                size_of::<[AtomicU64; CHECKS]>(),
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        if page == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the mapping is page-aligned, zeroed, large enough, and never unmapped.
        Ok(Self(unsafe { &*page.cast() }))
    }
}

/// Runs a worker; returns its pid and its results.
///
/// # Errors
/// When it cannot become what it should be.
pub fn run(tree: &Tree, generator: &mut Generator, memory: &Memory) -> Result<(u32, Vec<Made>)> {
    let mut own = Generator::new(generator.bits());
    let worker = Child::start(|| match work(tree, &mut own, memory) {
        Ok(()) => 0,
        Err(errno) => errno,
    })?;
    let pid = u32::try_from(worker.pid())?;
    let status = worker.wait()?;
    ensure!(
        status == 0,
        "a process could not become what it should be: {}",
        io::Error::from_raw_os_error(libc::WEXITSTATUS(status))
    );
    let made = memory
        .0
        .iter()
        .map(|word| Made::unpack(word.load(Ordering::Relaxed)));
    Ok((pid, made.collect()))
}

fn work(tree: &Tree, generator: &mut Generator, memory: &Memory) -> Result<(), i32> {
    let home = &tree.nodes[generator.below(tree.nodes.len())];
    home.enter()
        .map_err(|error| error.raw_os_error().unwrap_or(libc::EIO))?;
    call!(SYS_chdir, c"/")?;
    let effective = become_random(generator)?;
    let mut name = [0_u8; 16];
    name[..COMM.len()].copy_from_slice(COMM.as_bytes());
    call!(SYS_prctl, libc::PR_SET_NAME, &name[..])?;
    for word in memory.0 {
        let made = check(tree, generator, effective)?;
        word.store(made.pack(), Ordering::Relaxed);
    }
    Ok(())
}

/// Makes one check. The system call succeeds if it is granted and fails with EPERM if not.
fn check(tree: &Tree, generator: &mut Generator, effective: u64) -> Result<Made, i32> {
    let target = tree.nodes[generator.below(tree.nodes.len())].pid();
    let (capability, outcome): (Capability, _) = match generator.below(5) {
        // kernel/signal.c, kill_ok_by_cred: over the target's namespace.
        0 | 1 => (KILL, call!(SYS_kill, target, 0)),
        // kernel/sys.c, check_prlimit_permission: over the target's namespace.
        2 | 3 => {
            let mut limit = [0_u64; 2];
            let limit = Argument::write(&mut limit);
            (
                SYS_RESOURCE,
                call!(SYS_prlimit64, target, libc::RLIMIT_CORE, 0, limit),
            )
        }
        // fs/open.c, chroot: over its own namespace.
        _ => (SYS_CHROOT, call!(SYS_chroot, c"/")),
    };
    let granted = match outcome {
        Ok(_) => true,
        Err(libc::EPERM) => false,
        Err(errno) => return Err(errno),
    };
    Ok(Made {
        capability: capability.number,
        granted,
        raised: effective >> capability.number & 1 == 1,
    })
}

/// Sets a random bounding set, securebits, users, and permitted, effective, inheritable and ambient
/// sets, in the order that the kernel allows; returns the resulting effective set.
fn become_random(generator: &mut Generator) -> Result<u64, i32> {
    for _ in 0..generator.below(4) {
        let capability = generator.one_of(&INTERESTING);
        call!(SYS_prctl, libc::PR_CAPBSET_DROP, capability, 0, 0, 0)?;
    }
    if generator.once_in(2) {
        // include/uapi/linux/securebits.h, SECBIT_NO_SETUID_FIXUP
        call!(SYS_prctl, libc::PR_SET_SECUREBITS, 4, 0, 0, 0)?;
    }
    let users = [(); 3].map(|()| generator.one_of(&USERS));
    call!(SYS_setresuid, users[0], users[1], users[2])?;

    let [_, permitted, _] = sets()?;
    let permitted = permitted & (generator.bits() | generator.bits());
    let effective = permitted & generator.bits();
    let inheritable = permitted & generator.bits();
    match set_sets(effective, permitted, inheritable) {
        // What is no longer in the bounding set cannot become inheritable.
        Err(libc::EPERM) => set_sets(effective, permitted, 0)?,
        outcome => outcome?,
    };
    for capability in INTERESTING {
        if generator.once_in(3) {
            // PR_CAP_AMBIENT_RAISE is refused if a set lacks it, which does no harm.
            let _ = call!(SYS_prctl, libc::PR_CAP_AMBIENT, 2, capability, 0, 0);
        }
    }
    let [effective, _, _] = sets()?;
    Ok(effective)
}

/// What is checked, and `CAP_SETPCAP`, which governs some of the sets.
const INTERESTING: [u8; 4] = [KILL.number, SYS_RESOURCE.number, SYS_CHROOT.number, 8];

/// include/uapi/linux/capability.h, `_LINUX_CAPABILITY_VERSION_3` and this process
const HEADER: [u32; 2] = [0x2008_0522, 0];

/// The effective, the permitted and the inheritable set.
fn sets() -> Result<[u64; 3], i32> {
    let mut words = [0_u32; 6];
    call!(
        SYS_capget,
        Argument::read(&HEADER),
        Argument::write(&mut words)
    )?;
    let set = |index| u64::from(words[index]) | u64::from(words[index + 3]) << 32;
    Ok([set(0), set(1), set(2)])
}

fn set_sets(effective: u64, permitted: u64, inheritable: u64) -> Result<i64, i32> {
    let mut words = [0_u32; 6];
    for (index, set) in [effective, permitted, inheritable].into_iter().enumerate() {
        words[index] = (set & u64::from(u32::MAX)) as u32;
        words[index + 3] = (set >> 32) as u32;
    }
    call!(SYS_capset, Argument::read(&HEADER), Argument::read(&words))
}
