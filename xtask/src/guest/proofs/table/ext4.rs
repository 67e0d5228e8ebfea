//! ext4, which the kernels have built in, on a loop device.

use std::process::Command;

use super::prelude::*;

const ADMIN: &str = "SYS_ADMIN";

/// A new file system on the empty folder, with a file of another user.
fn file_system() -> Staged {
    let _ = call!(SYS_unlink, c"image");
    let image = open(c"image", libc::O_CREAT | libc::O_RDWR)?;
    call!(SYS_ftruncate, image, 4 << 20)?;
    let made = Command::new("mke2fs").args(["-F", "image"]).output();
    if !made.is_ok_and(|made| made.status.success()) {
        return Err(libc::ENOEXEC);
    }
    let control = open(c"/dev/loop-control", libc::O_RDWR)?;
    // LOOP_CTL_GET_FREE
    let free = ioctl(control, 0x4c82, 0)?;
    let device = std::ffi::CString::new(format!("/dev/loop{free}")).unwrap_or_default();
    let open_device = open(&device, libc::O_RDWR)?;
    // LOOP_CONFIGURE: struct loop_config with LO_FLAGS_AUTOCLEAR, so that it goes with the mount
    let mut configuration = [0_u32; 76];
    configuration[0] = image.cast_unsigned();
    configuration[15] = 4;
    ioctl(open_device, 0x4c0a, configuration)?;
    call!(SYS_mount, device.as_c_str(), c"mnt", c"ext4", 0, 0)?;
    call!(SYS_close, open_device)?;
    number(free)
}

fn root(_: &Scene) -> Staged {
    file_system()?;
    open(c"mnt", libc::O_RDONLY)
}

fn own(_: &Scene) -> Staged {
    file_system()?;
    open(FILE, libc::O_CREAT | libc::O_RDWR)
}

fn others(scene: &Scene) -> Staged {
    let file = own(scene)?;
    call!(SYS_chown, FILE, OTHER, OTHER)?;
    Ok(file)
}

const FILE: &std::ffi::CStr = c"mnt/file";
/// FS_IOC_SETFLAGS
const SET_FLAGS: u64 = 0x4008_6602;
/// FS_IOC_FSSETXATTR
const SET_ATTRIBUTES: u64 = 0x401c_5820;

/// Proofs about ext4, and about file flags in general.
pub const PROOFS: &[Proof] = &[
    proof("__ext4_ioctl@FITRIM", ADMIN, |it| {
        ioctl(it, 0xc018_5879, [0_u64; 3])
    })
    .staged(root),
    proof("ext4_ioctl_checkpoint", ADMIN, |it| {
        ioctl(it, 0x4004_662b, 0)
    })
    .staged(root),
    proof("ext4_ioctl_setlabel", ADMIN, |it| {
        ioctl(it, 0x4100_9432, [0_u8; 256])
    })
    .staged(root),
    proof("ext4_ioctl_setuuid", ADMIN, |it| {
        ioctl(it, 0x4008_662c, [0_u32; 6])
    })
    .staged(root),
    // A way to go down that there is not
    proof("ext4_shutdown or ext4_ioctl_shutdown", ADMIN, |it| {
        ioctl(it, 0x8004_587d, 99)
    })
    .staged(root),
    proof("ext4_resize_begin", "SYS_RESOURCE", |it| {
        ioctl(it, 0x4008_6607, 0_u64)
    })
    .staged(root),
    // EXT4_JOURNAL_DATA_FL
    proof("ext4_ioctl_setflags", "SYS_RESOURCE", |it| {
        ioctl(it, SET_FLAGS, 0x4000_u64)
    })
    .staged(own)
    .only_on("6.1+", "up to 5.10 it succeeds and does nothing"),
    proof("swap_inode_boot_loader", ADMIN, |it| ioctl(it, 0x6611, 0)).staged(own),
    proof("swap_inode_boot_loader", "FOWNER", |it| {
        ioctl(it, 0x6611, 0)
    })
    .staged(others),
    proof("__ext4_ioctl@EXT4_IOC_SETVERSION", "FOWNER", |it| {
        ioctl(it, 0x4008_7602, 1_u64)
    })
    .staged(others),
    proof("__ext4_ioctl@EXT4_IOC_MIGRATE", "FOWNER", |it| {
        ioctl(it, 0x6609, 0)
    })
    .staged(others),
    proof("__ext4_ioctl@EXT4_IOC_ALLOC_DA_BLKS", "FOWNER", |it| {
        ioctl(it, 0x660c, 0)
    })
    .staged(others),
    proof("__ext4_ioctl@EXT4_IOC_CLEAR_ES_CACHE", "FOWNER", |it| {
        ioctl(it, 0x6628, 0)
    })
    .staged(others),
    proof("__ext4_ioctl@FS_IOC_SETFLAGS", "FOWNER", |it| {
        ioctl(it, SET_FLAGS, 0_u64)
    })
    .staged(others),
    proof("__ext4_ioctl@FS_IOC_FSSETXATTR", "FOWNER", |it| {
        ioctl(it, SET_ATTRIBUTES, [0_u32; 7])
    })
    .staged(others),
    proof("vfs_fileattr_set", "FOWNER", |it| {
        ioctl(it, SET_FLAGS, 0_u64)
    })
    .staged(others),
    // FS_IMMUTABLE_FL and FS_XFLAG_IMMUTABLE
    proof(
        "fileattr_set_prepare or vfs_ioc_setflags_prepare",
        "LINUX_IMMUTABLE",
        |it| ioctl(it, SET_FLAGS, 0x10_u64),
    )
    .staged(own),
    proof("vfs_ioc_fssetxattr_check", "LINUX_IMMUTABLE", |it| {
        ioctl(it, SET_ATTRIBUTES, [8_u32, 0, 0, 0, 0, 0, 0])
    })
    .staged(own),
    proof("trigger_test_error", ADMIN, |number| {
        let path = format!("/sys/fs/ext4/loop{number}/trigger_fs_error");
        write(&std::ffi::CString::new(path).unwrap_or_default(), "proof")
    })
    .staged(|_| file_system()),
    // Q_GETQUOTA of another user
    proof("check_quotactl_permission@default", ADMIN, |number| {
        let device = std::ffi::CString::new(format!("/dev/loop{number}")).unwrap_or_default();
        let mut quota = [0_u64; 9];
        call!(
            SYS_quotactl,
            0x8000_0700_u32,
            device.as_c_str(),
            OTHER,
            Argument::write(&mut quota)
        )
    })
    .staged(|_| file_system()),
];
