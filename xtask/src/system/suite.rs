//! The suites of Debian that are installed, and what for.

/// A suite.
#[derive(Debug, PartialEq, Eq)]
pub struct Suite {
    /// Its name.
    pub name: &'static str,
    /// The releases that packages come from.
    pub releases: &'static [&'static str],
}

/// Debian 11.
pub const BULLSEYE: Suite = Suite {
    name: "bullseye",
    releases: &["bullseye", "bullseye-security"],
};

/// Debian 12.
pub const BOOKWORM: Suite = Suite {
    name: "bookworm",
    releases: &["bookworm", "bookworm-security"],
};

/// Debian 13.
pub const TRIXIE: Suite = Suite {
    name: "trixie",
    releases: &["trixie", "trixie-security"],
};

/// What an installed system is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It runs services, and a user's session.
    Server,
    /// It runs containers, of every engine that the suite has.
    Containers,
}

impl Role {
    /// What an image is called after its suite.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Server => "",
            Self::Containers => "-containers",
        }
    }

    /// What is installed in addition to what every system has.
    pub fn packages(self) -> &'static [&'static str] {
        match self {
            Self::Server => &["git", "nginx-light", "openssh-server", "python3-minimal"],
            Self::Containers => &[
                "apparmor",
                "catatonit",
                "containerd",
                "crun",
                "docker.io",
                "lxc",
                "podman",
                "runc",
                "systemd-container",
                "uidmap",
            ],
        }
    }

    /// What completes it, after what completes every system.
    pub fn complete(self) -> &'static str {
        match self {
            Self::Server => "",
            Self::Containers => include_str!("engines.sh"),
        }
    }
}
