//! Debian's own programs and the capabilities that each one needs: a single table for the guests,
//! this machine and the manual.

use crate::guest::capabilities::{
    AUDIT_WRITE, CHOWN, Capability, DAC_OVERRIDE, DAC_READ_SEARCH, FOWNER, NET_BIND_SERVICE,
    NET_RAW, SETGID, SETUID, SYS_ADMIN, SYS_CHROOT, SYS_NICE, SYS_RESOURCE, SYS_TIME,
};

/// A program, how it is started, and what it needs.
#[derive(Debug)]
pub struct Program {
    /// The name of the test.
    pub name: &'static str,
    /// Its entry in the manual, in Markdown.
    pub shown: &'static str,
    /// A bash script that creates what it needs, as root, before each run; leftovers from an
    /// earlier run are removed. The directory is [`FOLDER`].
    pub prepare: &'static str,
    /// The program and its arguments.
    pub command: &'static [&'static str],
    /// How to tell that it works.
    pub works: Works,
    /// The users that it runs as.
    pub runs: Runs,
    /// What it needs, by number of the capability.
    pub needs: &'static [Capability],
    /// Whether it changes nothing on the machine outside of its own directory and namespaces.
    pub harmless: bool,
}

/// The directory for the programs' files. Everyone may write there.
pub const FOLDER: &str = "/run/programs";

/// How to tell that a program works.
#[derive(Debug)]
pub enum Works {
    /// It ends with 0, and then so does this shell script, which finds what the program printed in
    /// `program.stdout`.
    Ends(&'static str),
    /// After this has happened, the script ends with 0; then SIGTERM ends the program.
    Serves(Ready, &'static str),
}

/// When a server is ready to be queried.
#[derive(Debug)]
pub enum Ready {
    /// A TCP or UDP socket has this port.
    Port(u16),
    /// It has said this on standard error.
    Says(&'static str),
    /// This file exists.
    File(&'static str),
}

/// The users that a program runs as: first to find what it needs, then to try it with only that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runs {
    /// As root, which it requires; then as root with a smaller bounding set.
    Root,
    /// As root; then as nobody.
    RootThenNobody,
    /// As nobody with all capabilities; then as nobody with what it needs. As root it would do
    /// more.
    Nobody,
}

/// All programs.
pub const PROGRAMS: &[Program] = &[
    Program {
        name: "ping",
        shown: "`ping -c1 127.0.0.1`",
        prepare: "",
        command: &["ping", "-c1", "127.0.0.1"],
        works: Works::Ends("grep -q ' 0% packet loss' program.stdout"),
        runs: Runs::RootThenNobody,
        needs: &[NET_RAW],
        harmless: true,
    },
    Program {
        name: "tcpdump",
        shown: "`tcpdump -i lo -c1`",
        prepare: "",
        command: &["tcpdump", "-i", "lo", "-c1", "-n", "-l", "udp port 9"],
        works: Works::Serves(
            Ready::Says("listening on lo"),
            // The discard port, on which nothing listens.
            "until grep -q '127.0.0.1.9: UDP' program.stdout; do echo >/dev/udp/127.0.0.1/9; done",
        ),
        runs: Runs::Root,
        needs: &[SETGID, SETUID, NET_RAW],
        harmless: true,
    },
    Program {
        name: "nginx",
        shown: "`nginx` on port 80, workers as www-data",
        prepare: NGINX,
        command: &["nginx", "-c", "/run/programs/nginx.conf"],
        works: Works::Serves(Ready::Port(80), HTTP),
        runs: Runs::Root,
        needs: &[CHOWN, SETGID, SETUID, NET_BIND_SERVICE],
        harmless: true,
    },
    Program {
        name: "nginx_of_a_user",
        shown: "`nginx` on port 80",
        prepare: NGINX,
        command: &["nginx", "-c", "/run/programs/nginx.conf"],
        works: Works::Serves(Ready::Port(80), HTTP),
        runs: Runs::Nobody,
        needs: &[NET_BIND_SERVICE],
        harmless: true,
    },
    Program {
        name: "python",
        shown: "`python3` with a socket on port 80",
        prepare: "",
        command: &[
            "python3",
            "-c",
            "import socket; socket.create_server(('127.0.0.1', 80)).accept()",
        ],
        works: Works::Serves(Ready::Port(80), ""),
        runs: Runs::RootThenNobody,
        needs: &[NET_BIND_SERVICE],
        harmless: true,
    },
    Program {
        name: "dnsmasq",
        shown: "`dnsmasq --user=dnsmasq` for DNS",
        prepare: "rm -f dnsmasq.pid",
        command: &[
            "dnsmasq",
            "--keep-in-foreground",
            "--conf-file=/dev/null",
            "--no-resolv",
            "--no-hosts",
            "--user=dnsmasq",
            "--pid-file=/run/programs/dnsmasq.pid",
            "--address=/capable.test/127.0.0.9",
        ],
        works: Works::Serves(
            Ready::Port(53),
            "busybox nslookup -type=a capable.test 127.0.0.1 | grep -q 127.0.0.9\n\
             [ $(stat -c %U dnsmasq.pid) = dnsmasq ]",
        ),
        runs: Runs::Root,
        needs: &[CHOWN, SETGID, SETUID, NET_BIND_SERVICE],
        harmless: true,
    },
    Program {
        name: "chronyd",
        shown: "`chronyd -u _chrony` with clients",
        prepare: "rm -rf /run/chrony\n\
                  install -d -m 750 -o _chrony -g _chrony /run/chrony /var/lib/chrony",
        command: &[
            "chronyd",
            "-d",
            "-u",
            "_chrony",
            "local stratum 5",
            "allow 127.0.0.1",
            "driftfile /var/lib/chrony/drift",
        ],
        works: Works::Serves(
            Ready::File("/run/chrony/chronyd.sock"),
            "chronyc tracking | grep -q '^Stratum *: 5'\n\
             grep -q ' 0*:007B ' /proc/net/udp",
        ),
        runs: Runs::Root,
        needs: &[
            DAC_OVERRIDE,
            DAC_READ_SEARCH,
            SETGID,
            SETUID,
            NET_BIND_SERVICE,
            SYS_TIME,
        ],
        harmless: false,
    },
    Program {
        name: "sshd",
        shown: "`sshd` on port 22, and a login by key",
        prepare: SSHD,
        command: &[
            "/usr/sbin/sshd",
            "-D",
            "-e",
            "-f",
            "/run/programs/sshd.conf",
        ],
        works: Works::Serves(
            Ready::Port(22),
            "[ $(cat /proc/$(cat sshd.pid)/oom_score_adj) = -1000 ]\n\
             [ $(ssh -i key -o BatchMode=yes -o StrictHostKeyChecking=no \
                 -o UserKnownHostsFile=/dev/null user@127.0.0.1 id -un) = user ]",
        ),
        runs: Runs::Root,
        needs: &[SETGID, SETUID, NET_BIND_SERVICE, SYS_CHROOT, SYS_RESOURCE],
        harmless: true,
    },
    Program {
        name: "mount_and_umount",
        shown: "`mount -t tmpfs` and `umount`",
        prepare: "mkdir -p mnt",
        command: &[
            "sh",
            "-ec",
            "mount -t tmpfs capable /run/programs/mnt; umount /run/programs/mnt",
        ],
        works: Works::Ends(""),
        runs: Runs::Root,
        needs: &[SYS_ADMIN],
        harmless: true,
    },
    Program {
        name: "useradd",
        shown: "`useradd -m newcomer`",
        prepare: "sed -i '/^newcomer:/d' /etc/passwd /etc/group /etc/shadow\n\
                  rm -rf /home/newcomer skel\n\
                  mkdir skel\n\
                  echo text >skel/file",
        command: &["useradd", "-m", "-k", "/run/programs/skel", "newcomer"],
        works: Works::Ends("[ $(stat -c %U:%a /home/newcomer/file) = newcomer:644 ]"),
        runs: Runs::Root,
        needs: &[CHOWN, DAC_OVERRIDE, FOWNER, AUDIT_WRITE],
        harmless: true,
    },
    Program {
        name: "su",
        shown: "`su user`",
        prepare: "",
        command: &["su", "user", "-c", "id -un"],
        works: Works::Ends("grep -qx user program.stdout"),
        runs: Runs::Root,
        needs: &[SETGID, SETUID, AUDIT_WRITE],
        harmless: true,
    },
    Program {
        name: "hwclock",
        shown: "`hwclock --systohc`",
        prepare: "",
        command: &["hwclock", "--systohc"],
        works: Works::Ends(""),
        runs: Runs::Root,
        needs: &[SYS_TIME, AUDIT_WRITE],
        harmless: false,
    },
    Program {
        name: "nice",
        shown: "`nice -n -5`",
        prepare: "",
        command: &["nice", "-n", "-5", "nice"],
        works: Works::Ends("grep -qx -e -5 program.stdout"),
        runs: Runs::RootThenNobody,
        needs: &[SYS_NICE],
        harmless: true,
    },
];

/// Its own directories, so that nothing of an earlier user gets in the way.
const NGINX: &str = "\
rm -rf nginx
mkdir -m 777 nginx
cat >nginx.conf <<'END'
user www-data;
daemon off;
pid /run/programs/nginx/pid;
error_log stderr;
events {}
http {
    access_log off;
    client_body_temp_path /run/programs/nginx/body;
    proxy_temp_path /run/programs/nginx/proxy;
    fastcgi_temp_path /run/programs/nginx/fastcgi;
    uwsgi_temp_path /run/programs/nginx/uwsgi;
    scgi_temp_path /run/programs/nginx/scgi;
    server {
        listen 80;
        location / { return 200 hello; }
    }
}
END";

/// Without PAM, whose modules depend on the configuration, and with a key exchange that is fast
/// under emulation.
const SSHD: &str = "\
mkdir -p /run/sshd
[ -e key ] || ssh-keygen -q -t ed25519 -N '' -f key
cat >sshd.conf <<'END'
Port 22
ListenAddress 127.0.0.1
HostKey /run/programs/key
AuthorizedKeysFile /run/programs/key.pub
StrictModes no
UsePAM no
KexAlgorithms curve25519-sha256
PidFile /run/programs/sshd.pid
END";

/// Asks the web server.
const HTTP: &str = "\
exec 3<>/dev/tcp/127.0.0.1/80
printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3
timeout 1 grep -q hello <&3";
