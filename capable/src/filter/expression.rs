//! The tree itself.

use std::{fmt, path::PathBuf};

use crate::{
    capability::Capability,
    context::cgroups::{CgroupName, Found},
};

/// Which checks are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    /// All of these hold. Every check satisfies the empty list.
    All(Vec<Expression>),
    /// At least one of these holds. No check satisfies the empty list.
    Any(Vec<Expression>),
    /// This does not hold.
    Not(Box<Expression>),
    /// One field of the check is compared with a value.
    Is(Condition),
}

/// A field of a check, compared with a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// The process, by its PID in this process's pid namespace.
    Process(u32),
    /// The thread, by its TID in this process's pid namespace.
    Thread(u32),
    /// The real user id of the task.
    User(u32),
    /// The real group id of the task.
    Group(u32),
    /// The task's name matches this glob.
    Comm(String),
    /// The capability that was asked for.
    Capability(Capability),
    /// The check was granted, in whatever way.
    Granted,
    /// The check was denied.
    Denied,
    /// The task is in the cgroup with this directory, or in one below it.
    Cgroup(PathBuf),
    /// The task is in a cgroup of this unit of the system's manager, or in one below it, whether it
    /// exists already or is made later. By its own name, no alias; without a suffix it is a service,
    /// and `name@` stands for all instances.
    Unit(String),
    /// The same, of a unit of the managers of users.
    UserUnit(String),
    /// The task is in the cgroup of the container with this name or id, or in one below it, whether
    /// it exists already or is made later.
    Container(String),
    /// The target user namespace, by its inode number.
    UserNamespace(u32),
    /// The task's mount namespace, by its inode number.
    MountNamespace(u32),
    /// The task's pid namespace, by its inode number.
    PidNamespace(u32),
}

/// What a condition looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// The process.
    Process,
    /// The thread.
    Thread,
    /// The real user id.
    User,
    /// The real group id.
    Group,
    /// The task's name.
    Comm,
    /// The capability.
    Capability,
    /// The result.
    Result,
    /// The cgroup.
    Cgroup,
    /// The target user namespace.
    UserNamespace,
    /// The mount namespace.
    MountNamespace,
    /// The pid namespace.
    PidNamespace,
}

impl Expression {
    /// Every check.
    pub fn everything() -> Self {
        Self::All(Vec::new())
    }

    /// Any of these conditions, which are usually on the same field.
    pub fn any(conditions: impl IntoIterator<Item = Condition>) -> Self {
        Self::Any(conditions.into_iter().map(Self::Is).collect())
    }

    /// Writes it as part of another expression: a list of several is put in parentheses unless it
    /// stands alone.
    fn fmt_part(&self, f: &mut fmt::Formatter<'_>, alone: bool) -> fmt::Result {
        match self {
            Self::All(parts) | Self::Any(parts) if parts.len() > 1 && !alone => {
                write!(f, "({self})")
            }
            _ => fmt::Display::fmt(self, f),
        }
    }

    /// Both this expression and the other.
    pub fn and(self, other: Self) -> Self {
        if let Self::All(parts) = &other
            && parts.is_empty()
        {
            return self;
        }
        match self {
            Self::All(mut all) => {
                all.push(other);
                Self::All(all)
            }
            one => Self::All(vec![one, other]),
        }
    }
}

impl From<Condition> for Expression {
    fn from(condition: Condition) -> Self {
        Self::Is(condition)
    }
}

impl std::ops::Not for Expression {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::Not(inner) => *inner,
            other => Self::Not(Box::new(other)),
        }
    }
}

impl Condition {
    /// What the checks in the cgroups with a name satisfy, those to come included if they can be
    /// followed by it. `found` are those that there are.
    pub(crate) fn in_cgroups(name: CgroupName, found: Vec<Found>) -> Vec<Self> {
        match name.followed(&found) {
            Some(CgroupName::Unit(unit)) => vec![Self::Unit(unit)],
            Some(CgroupName::UserUnit(unit)) => vec![Self::UserUnit(unit)],
            Some(CgroupName::Container(name)) => vec![Self::Container(name)],
            Some(CgroupName::Path(_)) | None => {
                let directories = found.into_iter().map(|found| found.directory);
                directories.map(Self::Cgroup).collect()
            }
        }
    }

    /// What it looks at.
    pub fn field(&self) -> Field {
        match self {
            Self::Process(_) => Field::Process,
            Self::Thread(_) => Field::Thread,
            Self::User(_) => Field::User,
            Self::Group(_) => Field::Group,
            Self::Comm(_) => Field::Comm,
            Self::Capability(_) => Field::Capability,
            Self::Granted | Self::Denied => Field::Result,
            Self::Cgroup(_) | Self::Unit(_) | Self::UserUnit(_) | Self::Container(_) => {
                Field::Cgroup
            }
            Self::UserNamespace(_) => Field::UserNamespace,
            Self::MountNamespace(_) => Field::MountNamespace,
            Self::PidNamespace(_) => Field::PidNamespace,
        }
    }
}

impl fmt::Display for Condition {
    /// In words, as `process 7`. Globs and paths are written as they are: they must be escaped
    /// before a terminal shows them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = self.field();
        match self {
            Self::Granted => f.write_str("granted"),
            Self::Denied => f.write_str("denied"),
            Self::Capability(capability) => write!(f, "{capability}"),
            Self::Comm(glob) => write!(f, "{field} {glob}"),
            Self::Cgroup(directory) => write!(f, "{field} {}", directory.display()),
            Self::Unit(name) => write!(f, "unit {name}"),
            Self::UserUnit(name) => write!(f, "user unit {name}"),
            Self::Container(name) => write!(f, "container {name}"),
            Self::Process(number)
            | Self::Thread(number)
            | Self::User(number)
            | Self::Group(number)
            | Self::UserNamespace(number)
            | Self::MountNamespace(number)
            | Self::PidNamespace(number) => write!(f, "{field} {number}"),
        }
    }
}

impl fmt::Display for Expression {
    /// In words, as `(process 7 or process 8) and not CAP_CHOWN`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = |parts: &[Self], between: &str, empty: &str| {
            if parts.is_empty() {
                return f.write_str(empty);
            }
            for (index, part) in parts.iter().enumerate() {
                if index > 0 {
                    write!(f, " {between} ")?;
                }
                part.fmt_part(f, parts.len() == 1)?;
            }
            Ok(())
        };
        match self {
            Self::All(parts) => list(parts, "and", "every check"),
            Self::Any(parts) => list(parts, "or", "no check"),
            Self::Not(inner) => {
                f.write_str("not ")?;
                inner.fmt_part(f, false)
            }
            Self::Is(condition) => fmt::Display::fmt(condition, f),
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Process => "process",
            Self::Thread => "thread",
            Self::User => "user",
            Self::Group => "group",
            Self::Comm => "name",
            Self::Capability => "capability",
            Self::Result => "result",
            Self::Cgroup => "cgroup",
            Self::UserNamespace => "user namespace",
            Self::MountNamespace => "mount namespace",
            Self::PidNamespace => "pid namespace",
        })
    }
}
