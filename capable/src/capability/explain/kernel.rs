//! What is asked for control of the kernel itself.

use super::{Danger, Explanation, Scope};
use crate::capability::Capability;

pub(super) static KERNEL: &[(Capability, Explanation)] = &[
    (
        Capability::SYS_MODULE,
        Explanation {
            summary: "load and unload kernel modules",
            allows: "Load any module into the kernel and unload it. Let a network device's name, or a \
             terminal line discipline, load a module. Together with CAP_SETPCAP, change what \
             helper programs of the kernel may hold.",
            scope: Scope::Host,
            programs: &[
                "modprobe, insmod, rmmod, kmod",
                "systemd-modules-load and udev",
                "container network plugins and VPNs that load what they need",
                "old iptables: it tried to load modules itself",
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
                "__x64_sys_delete_module",
                "dev_load",
                "tty_ldisc_get",
            ],
            danger: Danger::EqualsRoot,
            holding: "A module is kernel code and does anything. Nothing stops it but module signatures, \
             lockdown and /proc/sys/kernel/modules_disabled.",
            alternatives: &[
                "Load the module at boot: modules-load.d(5).",
                "The kernel loads many modules itself when a program first uses them (file \
                 systems, protocols, netfilter), with no capability of the program's.",
                "ProtectKernelModules= in a unit takes it away; a check that still appears is \
                 mostly a name that doesn't exist as a device (SIOCGIFINDEX).",
            ],
            see: &["init_module(2)", "modules-load.d(5)", "kernel_lockdown(7)"],
        },
    ),
    (
        Capability::SYS_RAWIO,
        Explanation {
            summary: "reach hardware directly",
            allows: "Use I/O ports; open /dev/mem, /dev/port, /proc/kcore and the MSR devices; send \
             arbitrary commands to SCSI, ATA and MMC disks; map PCI resources through \
             /proc/bus/pci; use VFIO without an IOMMU; map memory at address 0; find where a file \
             lies on disk (FIBMAP).",
            scope: Scope::Host,
            programs: &[
                "smartctl, hdparm, sg3-utils and vendors' RAID tools",
                "dmidecode on old kernels, flashrom, rdmsr and wrmsr, turbostat",
                "X servers of the past",
                "DPDK without an IOMMU",
                "wine and DOS emulators (low addresses)",
                "filefrag where it falls back to FIBMAP, LILO",
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
                "__x64_sys_iopl",
                "open_port",
                "open_kcore",
                "msr_open",
                "scsi_cmd_allowed",
                "cap_mmap_addr",
            ],
            danger: Danger::EqualsRoot,
            holding: "Reads and writes physical memory, registers and disks below every protection. It \
             equals root and the kernel too, unless lockdown forbids it.",
            alternatives: &[
                "smartd as a service that others ask, instead of smartctl in each.",
                "VFIO with an IOMMU, and the group's device given to the user, for devices in \
                 user space.",
                "The drivetemp module shows the temperature of disks in /sys/class/hwmon.",
                "The perf events power/* and msr/* (with CAP_PERFMON) for many of the counters in \
                 MSRs.",
                "FIEMAP instead of FIBMAP needs nothing.",
            ],
            see: &["ioperm(2)", "mem(4)", "msr(4)", "kernel_lockdown(7)"],
        },
    ),
    (
        Capability::SYS_ADMIN,
        Explanation {
            summary: "mount, and almost everything else",
            allows: "Mount and unmount; create and enter namespaces; set the host name; quotas; swap; \
             trusted extended attributes; system-wide fanotify; block device, file system and \
             many driver controls; install seccomp filters without no_new_privs; write several \
             sysctls; push characters into a terminal; BPF's remaining rights. It also stands in \
             for CAP_PERFMON, CAP_BPF and CAP_CHECKPOINT_RESTORE.",
            scope: Scope::Mixed,
            programs: &[
                "mount, umount, swapon, losetup, cryptsetup, LVM",
                "systemd, udisks, container runtimes, bubblewrap",
                "unshare and nsenter",
                "quota, btrfs, zfs and file system tools",
                "fanotify scanners",
                "bcc, bpftrace and perf on kernels before 5.8",
                "browsers' sandboxes, in their user namespace",
                "hostname",
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
            holding: "Nearly the same as root, and the usual way out of a container: mount the host's \
             disk, or join its namespaces. Hundreds of unrelated checks share it, so what is \
             granted is never only what was meant.",
            alternatives: &[
                "CAP_PERFMON for perf, CAP_BPF (with CAP_PERFMON or CAP_NET_ADMIN) for BPF, since \
                 5.8; CAP_CHECKPOINT_RESTORE for CRIU, since 5.9.",
                "CAP_SYSLOG for the kernel log, CAP_SYS_NICE for I/O priorities.",
                "An unprivileged user namespace: in it, mounting, namespaces and host names cost \
                 nothing outside.",
                "PrivateMounts=, BindPaths=, PrivateTmp= and the like in a unit: systemd mounts \
                 before the program starts. FUSE with fusermount3, udisks for media.",
                "no_new_privs before a seccomp filter.",
                "User extended attributes in place of trusted ones; an unprivileged fanotify \
                 group since 5.13; inotify.",
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
            allows: "Reboot, halt and power off; load a kernel to start in place of this one (kexec); set \
             how the machine reboots. Inside a pid namespace, reboot only ends that namespace. \
             KVM asks for it before a guest may run without the workaround for a processor flaw \
             that can crash the host (huge pages that are executable).",
            scope: Scope::Mixed,
            programs: &[
                "systemd, shutdown, reboot",
                "kexec and kdump tools",
                "init of a container",
            ],
            syscalls: &["reboot", "kexec_load", "kexec_file_load"],
            functions: &["__x64_sys_reboot", "kexec_load_permitted"],
            danger: Danger::EqualsRoot,
            holding: "Takes the host down at once; and with kexec_load runs any kernel it likes, which is \
             more than root. Signatures, lockdown and /proc/sys/kernel/kexec_load_disabled stop \
             the latter.",
            alternatives: &[
                "systemctl reboot over D-Bus, with a polkit rule for the user.",
                "sysctl kernel.kexec_load_disabled=1 on hosts that don't use it.",
                "In containers: none is needed to stop; end with the main process.",
            ],
            see: &["reboot(2)", "kexec_load(2)", "pid_namespaces(7)"],
        },
    ),
];
