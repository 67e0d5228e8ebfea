//! Capabilities over the kernel itself.

use super::{Danger, Explanation, Scope};
use crate::{arch::entry, capability::Capability};

pub(super) static KERNEL: &[(Capability, Explanation)] = &[
    (
        Capability::SYS_MODULE,
        Explanation {
            summary: "load and unload kernel modules",
            allows: "Load any module into the kernel and unload it. Have the kernel load a module \
             by the name of a network device or for a terminal line discipline. Together with \
             CAP_SETPCAP, change which capabilities the kernel's helper programs may hold.",
            scope: Scope::Host,
            programs: &[
                "modprobe, insmod, rmmod, kmod",
                "systemd-modules-load and udev",
                "container network plugins and VPNs that load the modules they need",
                "old iptables, which tried to load modules itself",
            ],
            syscalls: &[
                "init_module",
                "finit_module",
                "delete_module",
                "ioctl SIOCGIFINDEX of a device that does not exist",
                "ioctl TIOCSETD",
            ],
            functions: &[
                "may_init_module",
                entry!("delete_module"),
                "dev_load",
                "tty_ldisc_get",
            ],
            danger: Danger::EqualsRoot,
            holding: "A module is kernel code and can do anything. Only module signatures, \
             lockdown and /proc/sys/kernel/modules_disabled stop it.",
            alternatives: &[
                "Load the module at boot: modules-load.d(5).",
                "The kernel loads many modules itself when a program first uses them (file \
                 systems, protocols, netfilter); the program needs no capability for that.",
                "ProtectKernelModules= in a unit drops it. If the check still appears, the program \
                 usually asked for a network device that does not exist (SIOCGIFINDEX).",
            ],
            see: &["init_module(2)", "modules-load.d(5)", "kernel_lockdown(7)"],
        },
    ),
    (
        Capability::SYS_RAWIO,
        Explanation {
            summary: "access hardware directly",
            allows: "Use I/O ports; open /dev/mem, /dev/port, /proc/kcore and the MSR devices; \
             send arbitrary commands to SCSI, ATA and MMC disks; map PCI resources through \
             /proc/bus/pci; reach special memory and objects of RDMA cards; use VFIO without an IOMMU; map memory at address 0; find the disk \
             blocks of a file (FIBMAP).",
            scope: Scope::Host,
            programs: &[
                "smartctl, hdparm, sg3-utils and RAID tools of vendors",
                "dmidecode on old kernels, flashrom, rdmsr and wrmsr, turbostat",
                "old X servers",
                "DPDK without an IOMMU",
                "tools of vendors for RDMA cards",
                "wine and DOS emulators (low addresses)",
                "filefrag when it falls back to FIBMAP, LILO",
            ],
            syscalls: &[
                "ioperm",
                "iopl",
                "open of /dev/mem, /dev/port, /proc/kcore, /dev/cpu/*/msr",
                "ioctl SG_IO",
                "ioctl FIBMAP",
                "mmap below /proc/sys/vm/mmap_min_addr",
            ],
            functions: &[
                "ksys_ioperm",
                entry!("iopl"),
                "open_port",
                "open_kcore",
                "msr_open",
                "scsi_cmd_allowed",
                "cap_mmap_addr",
            ],
            danger: Danger::EqualsRoot,
            holding: "The holder can read and write physical memory, registers and disks, \
             bypassing every protection. Unless lockdown forbids this, it is equal to root and \
             even to the kernel.",
            alternatives: &[
                "A single smartd service, instead of smartctl in every program.",
                "VFIO with an IOMMU, and the group's device owned by the user, for drivers in user \
                 space.",
                "The drivetemp module shows the temperature of disks in /sys/class/hwmon.",
                "The perf events power/* and msr/* (with CAP_PERFMON), which cover many of the \
                 counters in MSRs.",
                "FIEMAP in place of FIBMAP, which needs no capability.",
            ],
            see: &["ioperm(2)", "mem(4)", "msr(4)", "kernel_lockdown(7)"],
        },
    ),
    (
        Capability::SYS_ADMIN,
        Explanation {
            summary: "mount, and almost everything else",
            allows: "Mount and unmount; create and enter namespaces; set the host name; quotas; \
             swap; trusted extended attributes; system-wide fanotify; block device, file system \
             and many driver controls; install seccomp filters without no_new_privs; write several \
             sysctls; push characters into a terminal; see the addresses in /proc/iomem and \
             /proc/PID/pagemap, kernel stacks in /proc/PID/stack, and all of a PCI device's \
             configuration; the remaining rights of BPF. It is also accepted in place of CAP_PERFMON, CAP_BPF and CAP_CHECKPOINT_RESTORE.",
            scope: Scope::Mixed,
            programs: &[
                "mount, umount, swapon, losetup, cryptsetup, LVM",
                "systemd, udisks, container runtimes, bubblewrap",
                "unshare and nsenter",
                "quota, btrfs, zfs and file system tools",
                "fanotify scanners",
                "bcc, bpftrace and perf on kernels before 5.8",
                "sandboxes of browsers, in their user namespace",
                "hostname, lspci -v, and tools that read /proc/kpageflags or pagemap",
            ],
            syscalls: &[
                "mount",
                "umount2",
                "pivot_root",
                "fsopen",
                "move_mount",
                "mount_setattr",
                "unshare",
                "clone",
                "setns",
                "sethostname",
                "swapon",
                "quotactl",
                "bpf",
                "seccomp",
                "fanotify_init",
                "keyctl",
                "setxattr of trusted.*",
                "ioctl of many devices",
            ],
            functions: &[
                "may_mount",
                "unshare_nsproxy_namespaces",
                "copy_namespaces",
                "seccomp_prepare_filter",
                "bpf_token_capable",
                "perf_check_permission",
            ],
            danger: Danger::EqualsRoot,
            holding: "Nearly the same as root, and the usual way out of a container: mount the \
             host's disk, or join its namespaces. Hundreds of unrelated checks share it, so \
             granting it always allows more than intended.",
            alternatives: &[
                "CAP_PERFMON for perf, CAP_BPF (with CAP_PERFMON or CAP_NET_ADMIN) for BPF, since \
                 5.8; CAP_CHECKPOINT_RESTORE for CRIU, since 5.9.",
                "CAP_SYSLOG for the kernel log, CAP_SYS_NICE for I/O priorities.",
                "An unprivileged user namespace: inside it, mounting, creating namespaces and \
                 setting the host name need no capability outside.",
                "PrivateMounts=, BindPaths=, PrivateTmp= and the like in a unit: systemd mounts \
                 before the program starts. FUSE with fusermount3, udisks for media.",
                "no_new_privs before a seccomp filter.",
                "Extended attributes user.* in place of trusted.*; an unprivileged fanotify group \
                 since 5.13; inotify.",
            ],
            see: &[
                "mount(2)",
                "namespaces(7)",
                "bpf(2)",
                "seccomp(2)",
                "fanotify(7)",
                "quotactl(2)",
            ],
        },
    ),
    (
        Capability::SYS_BOOT,
        Explanation {
            summary: "reboot, and start another kernel",
            allows: "Reboot, halt and power off; load another kernel to start in place of this one \
             (kexec); set how the machine reboots. Inside a pid namespace, reboot ends only that \
             namespace. KVM asks for it before it lets a guest run without the workaround for a \
             processor flaw by which executable huge pages can crash the host.",
            scope: Scope::Mixed,
            programs: &[
                "systemd, shutdown, reboot",
                "kexec and kdump tools",
                "init of a container",
            ],
            syscalls: &["reboot", "kexec_load", "kexec_file_load"],
            functions: &[entry!("reboot"), "kexec_load_permitted"],
            danger: Danger::EqualsRoot,
            holding: "The holder can take the host down at once, and with kexec_load start any \
             kernel, which is more than root can do. Signatures, lockdown and \
             /proc/sys/kernel/kexec_load_disabled prevent the latter.",
            alternatives: &[
                "systemctl reboot over D-Bus, with a polkit rule for the user.",
                "sysctl kernel.kexec_load_disabled=1 on hosts that do not use kexec.",
                "A container needs none to stop: it ends with its main process.",
            ],
            see: &["reboot(2)", "kexec_load(2)", "pid_namespaces(7)"],
        },
    ),
];
