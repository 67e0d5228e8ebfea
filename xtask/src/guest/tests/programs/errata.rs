//! What the program once got wrong about a need, each as a program that shows it.
//!
//! Some of these were called needed and are not, others were dropped.

use super::table::{Program, Runs, Works};
use crate::guest::capabilities::{BPF, Capability, NET_ADMIN, SYS_RESOURCE, SYSLOG};

/// They run like those of the table, but are not in the manual.
pub const PROGRAMS: &[Program] = &[
    // Whether it may be read only decides whether its process is dumpable (`would_dump`).
    Program {
        name: "execute_only",
        prepare: "cp /bin/true execute-only\nchmod 711 execute-only",
        command: &["/run/programs/execute-only"],
        runs: Runs::Nobody,
        ..harmless(&[])
    },
    // Frame numbers become zero (`pagemap_read`).
    Program {
        name: "pagemap",
        command: &[
            "dd",
            "if=/proc/self/pagemap",
            "of=/dev/null",
            "bs=8",
            "count=1",
        ],
        ..harmless(&[])
    },
    // CAP_PERFMON only decides whether accesses are masked (`array_map_alloc`).
    Program {
        name: "bpf_array",
        command: &["xtask", "guest", "asks", "bpf-array"],
        // Before 5.11 maps count as locked memory, of which root has used up its own.
        runs: Runs::Nobody,
        harmless: false,
        ..harmless(&[BPF])
    },
    Program {
        name: "receive_buffer_with_a_fallback",
        command: &["python3", "-c", FORCE],
        ..harmless(&[])
    },
    // Addresses become zero (`r_show`, `kallsyms_open`).
    Program {
        name: "iomem",
        command: &["cat", "/proc/iomem"],
        runs: Runs::Root,
        ..harmless(&[])
    },
    Program {
        name: "kallsyms",
        command: &["head", "-n1", "/proc/kallsyms"],
        ..harmless(&[])
    },
    // Asked before it is known whether something is written (`set_permissions`).
    Program {
        name: "limit_of_user_namespaces",
        command: &["sh", "-ec", "echo 1000 >/proc/sys/user/max_user_namespaces"],
        harmless: false,
        ..harmless(&[SYS_RESOURCE])
    },
    Program {
        name: "reading_the_limit_of_user_namespaces",
        command: &["cat", "/proc/sys/user/max_user_namespaces"],
        ..harmless(&[])
    },
    // Asked for every queue, and only a large one needs it (`mqueue_get_inode`).
    Program {
        name: "large_message_queue",
        command: &["xtask", "guest", "asks", "queue"],
        ..harmless(&[SYS_RESOURCE])
    },
    // CAP_SYS_ADMIN would do too, but only before 6.12 (`check_syslog_permissions`).
    Program {
        name: "level_of_the_kernel_log",
        command: &["dmesg", "-n", "4"],
        harmless: false,
        ..harmless(&[SYSLOG])
    },
    Program {
        name: "repair_of_a_connection",
        command: &[
            "python3",
            "-c",
            "import socket; socket.socket().setsockopt(6, 19, 1)",
        ],
        ..harmless(&[NET_ADMIN])
    },
];

/// Falls back to SO_RCVBUF, as many daemons do.
const FORCE: &str = "\
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
try: s.setsockopt(1, 33, 1 << 20)
except PermissionError: s.setsockopt(1, 8, 1 << 20)";

/// A program that works if it ends with 0.
const fn harmless(needs: &'static [Capability]) -> Program {
    Program {
        name: "",
        shown: "",
        prepare: "",
        command: &[],
        works: Works::Ends(""),
        runs: Runs::RootThenNobody,
        needs,
        harmless: true,
    }
}
