//! Devices that every guest has: terminals, memory, random numbers, the clock, loops, PCI.

use super::prelude::*;

const ADMIN: &str = "SYS_ADMIN";
const CONSOLE: &str = "SYS_TTY_CONFIG";

/// A virtual console, which is not the process's terminal.
fn console(_: &Scene) -> Staged {
    open(c"/dev/tty2", libc::O_RDWR | libc::O_NOCTTY)
}

/// A virtual console that is the process's terminal.
fn own_console(_: &Scene) -> Staged {
    call!(SYS_setsid)?;
    let console = open(c"/dev/tty3", libc::O_RDWR)?;
    // TIOCSCTTY, from whoever had it before
    ioctl_number(console, 0x540e, 1)?;
    Ok(console)
}

/// The other end of a new terminal of its own.
fn terminal(_: &Scene) -> Staged {
    let master = open(c"/dev/ptmx", libc::O_RDWR | libc::O_NOCTTY)?;
    // TIOCSPTLCK and TIOCGPTPEER
    ioctl(master, 0x4004_5431, 0)?;
    number(call!(
        SYS_ioctl,
        master,
        0x5441,
        libc::O_RDWR | libc::O_NOCTTY
    )?)
}

fn serial(_: &Scene) -> Staged {
    open(
        c"/dev/ttyS3",
        libc::O_RDWR | libc::O_NOCTTY | libc::O_NONBLOCK,
    )
}

fn random(_: &Scene) -> Staged {
    open(c"/dev/random", libc::O_RDWR)
}

fn clock(_: &Scene) -> Staged {
    open(c"/dev/rtc0", libc::O_RDONLY)
}

/// A loop device, opened only to read.
fn loop_device(_: &Scene) -> Staged {
    call!(SYS_truncate, OWN_FILE, 1 << 20)?;
    let device = open(c"/dev/loop0", libc::O_RDWR)?;
    // LOOP_SET_FD; in the second try it is there already
    match ioctl_number(device, 0x4c00, open(OWN_FILE, libc::O_RDWR)?) {
        Ok(_) | Err(libc::EBUSY) => open(c"/dev/loop0", libc::O_RDONLY),
        Err(errno) => Err(errno),
    }
}

fn ioctl_number(file: i32, request: u64, argument: i32) -> Answer {
    call!(SYS_ioctl, file, request, argument)
}

/// TIOCLINUX with this command
fn linux(console: i32, command: u8) -> Answer {
    ioctl(console, 0x541c, [command, 0, 0, 0, 0, 0, 0, 0])
}

/// A file of the first PCI device that has it.
fn pci(file: &str) -> Staged {
    let devices = std::fs::read_dir("/sys/bus/pci/devices").map_err(|error| errno(&error))?;
    for device in devices.flatten() {
        let path = device.path().join(file);
        if path.exists() {
            let path = std::ffi::CString::new(path.display().to_string()).unwrap_or_default();
            return open(&path, libc::O_RDWR);
        }
    }
    Err(libc::ENOENT)
}

/// Proofs about devices.
pub const PROOFS: &[Proof] = &[
    // TIOCCONS, TIOCSTI, TIOCVHANGUP, TIOCSLCKTRMIOS, TIOCSCTTY
    proof("tioccons", ADMIN, |it| ioctl(it, 0x541d, 0)).staged(terminal),
    proof("tiocsti", ADMIN, |it| ioctl(it, 0x5412, b'a')).staged(terminal),
    proof("tty_ioctl@TIOCVHANGUP", ADMIN, |it| ioctl(it, 0x5437, 0)).staged(terminal),
    proof(
        "tty_mode_ioctl@TIOCSLCKTRMIOS",
        "CHECKPOINT_RESTORE/SYS_ADMIN",
        |it| ioctl(it, 0x5457, [0_u8; 64]),
    )
    .staged(terminal),
    proof("tty_reopen", ADMIN, |it| {
        open_of(
            std::process::id().cast_signed(),
            &format!("fd/{it}"),
            libc::O_RDWR,
        )
    })
    .staged(|scene| {
        let terminal = terminal(scene)?;
        // TIOCEXCL
        ioctl_number(terminal, 0x540c, 0)?;
        Ok(terminal)
    }),
    proof("vt_ioctl", CONSOLE, |it| ioctl_number(it, 0x4b3a, 0)).staged(console),
    proof("vt_ioctl@VT_LOCKSWITCH", CONSOLE, |it| {
        ioctl_number(it, 0x560b, 0)
    })
    .staged(console),
    proof("vt_ioctl@VT_UNLOCKSWITCH", CONSOLE, |it| {
        ioctl_number(it, 0x560c, 0)
    })
    .staged(console),
    // KDKBDREP, KDSIGACCEPT, KDSETKEYCODE
    proof("vt_k_ioctl@KDKBDREP", CONSOLE, |it| {
        ioctl(it, 0x4b52, [-1_i32, -1])
    })
    .staged(console),
    proof("vt_k_ioctl@KDSIGACCEPT", "KILL", |it| {
        ioctl_number(it, 0x4b4e, 0)
    })
    .staged(console),
    proof("vt_k_ioctl@KDGETKEYCODE", CONSOLE, |it| {
        ioctl(it, 0x4b4d, [0_u32, 0])
    })
    .staged(console),
    // KDSKBENT, KDSKBSENT
    proof(
        "vt_do_kdsk_ioctl or vt_do_kdsk_ioctl@KDSKBENT",
        CONSOLE,
        |it| ioctl(it, 0x4b47, 0_u64),
    )
    .staged(own_console),
    proof(
        "vt_do_kdgkb_ioctl or vt_do_kdgkb_ioctl@KDSKBSENT",
        CONSOLE,
        |it| ioctl(it, 0x4b49, [0_u8; 513]),
    )
    .staged(own_console),
    proof("tioclinux", ADMIN, |it| linux(it, 6)).staged(console),
    proof("tioclinux@TIOCL_SETKMSGREDIRECT", ADMIN, |it| linux(it, 11)).staged(console),
    // TIOCSSERIAL, TIOCSERCONFIG
    proof("uart_set_info", ADMIN, |it| ioctl(it, 0x541f, [1_u32; 18])).staged(serial),
    proof("uart_do_autoconfig", ADMIN, |it| ioctl(it, 0x5453, 0)).staged(serial),
    proof("open_port", "SYS_RAWIO", |_| {
        call!(SYS_open, c"/dev/mem", libc::O_RDONLY)
    }),
    // RNDADDTOENTCNT, RNDADDENTROPY, RNDZAPENTCNT, RNDRESEEDCRNG
    proof("random_ioctl@RNDADDTOENTCNT", ADMIN, |it| {
        ioctl(it, 0x4004_5201, 0)
    })
    .staged(random),
    proof("random_ioctl@RNDADDENTROPY", ADMIN, |it| {
        ioctl(it, 0x4008_5203, [0_u32; 4])
    })
    .staged(random),
    proof("random_ioctl@RNDZAPENTCNT", ADMIN, |it| {
        ioctl(it, 0x5204, 0)
    })
    .staged(random),
    proof("random_ioctl@RNDRESEEDCRNG", ADMIN, |it| {
        ioctl(it, 0x5207, 0)
    })
    .staged(random),
    // RTC_EPOCH_SET, RTC_IRQP_SET
    proof("rtc_dev_ioctl@RTC_EPOCH_SET", "SYS_TIME", |it| {
        ioctl_number(it, 0x4008_700e, 1900)
    })
    .staged(clock),
    proof("rtc_dev_ioctl@RTC_IRQP_SET", "SYS_RESOURCE", |it| {
        ioctl_number(it, 0x4008_700c, 8192)
    })
    .staged(clock),
    // BLKBSZSET, BLKRASET, BLKRRPART, BLKFLSBUF, BLKROSET, BLKPG
    proof("blkdev_bszset", ADMIN, |it| ioctl(it, 0x4008_1271, 512)).staged(loop_device),
    proof("blkdev_common_ioctl@BLKRASET", ADMIN, |it| {
        ioctl_number(it, 0x1262, 256)
    })
    .staged(loop_device),
    proof("blkdev_common_ioctl@BLKRRPART", ADMIN, |it| {
        ioctl_number(it, 0x125f, 0)
    })
    .staged(loop_device),
    proof("blkdev_flushbuf", ADMIN, |it| ioctl_number(it, 0x1261, 0)).staged(loop_device),
    proof("blkdev_roset", ADMIN, |it| ioctl(it, 0x125d, 0)).staged(loop_device),
    proof("blkpg_do_ioctl", ADMIN, |it| ioctl(it, 0x1269, [0_u64; 3])).staged(loop_device),
    // IOC_PR_REGISTER, RESERVE, RELEASE, PREEMPT, CLEAR
    proof("blkdev_pr_allowed or blkdev_pr_register", ADMIN, |it| {
        ioctl(it, 0x4018_70c8, [0_u64; 3])
    })
    .staged(loop_device),
    proof("blkdev_pr_reserve", ADMIN, |it| {
        ioctl(it, 0x4010_70c9, [0_u64; 2])
    })
    .staged(loop_device),
    proof("blkdev_pr_release", ADMIN, |it| {
        ioctl(it, 0x4010_70ca, [0_u64; 2])
    })
    .staged(loop_device),
    proof("blkdev_pr_preempt", ADMIN, |it| {
        ioctl(it, 0x4018_70cb, [0_u64; 3])
    })
    .staged(loop_device),
    proof("blkdev_pr_clear", ADMIN, |it| {
        ioctl(it, 0x4010_70cd, [0_u64; 2])
    })
    .staged(loop_device),
    // LOOP_SET_STATUS, LOOP_SET_STATUS64, LOOP_SET_CAPACITY, LOOP_SET_BLOCK_SIZE
    proof("lo_ioctl@LOOP_SET_STATUS", ADMIN, |it| {
        ioctl(it, 0x4c02, [0_u8; 256])
    })
    .staged(loop_device),
    proof("lo_ioctl@LOOP_SET_STATUS64", ADMIN, |it| {
        ioctl(it, 0x4c04, [0_u8; 256])
    })
    .staged(loop_device),
    proof("lo_ioctl@LOOP_SET_CAPACITY", ADMIN, |it| {
        ioctl_number(it, 0x4c07, 0)
    })
    .staged(loop_device),
    proof("lo_ioctl@LOOP_SET_BLOCK_SIZE", ADMIN, |it| {
        ioctl_number(it, 0x4c09, 512)
    })
    .staged(loop_device),
    proof("enable_store", ADMIN, |it| write_to(it, "1")).staged(|_| pci("enable")),
    proof("msi_bus_store", ADMIN, |it| write_to(it, "1")).staged(|_| pci("msi_bus")),
    proof("numa_node_store", ADMIN, |it| write_to(it, "x")).staged(|_| pci("numa_node")),
    proof("pci_read_config", ADMIN, |_| {
        let it = pci("config")?;
        let mut bytes = [0_u8; 256];
        call!(SYS_read, it, Argument::write(&mut bytes), 256)
    })
    .gets_less(),
];
