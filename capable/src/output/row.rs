//! A row: a check, with what user space adds to it.

use crate::event::Event;

/// One check with everything that the chosen columns require.
///
/// Only what [`super::RowNeeds`] says is filled in; the rest is `None` and no column reads it.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// The check.
    pub event: Event<'a>,
    /// The first kernel function past the capability helpers.
    pub caller: Option<&'a str>,
    /// What a program meets there without the capability.
    pub why: Option<&'a str>,
    /// The name of the system call.
    pub syscall: Option<&'a str>,
    /// The name of the task's real user id.
    pub user: Option<&'a str>,
    /// The name of the task's real group id.
    pub group: Option<&'a str>,
    /// A number that is another one whenever a user or a group may have another name than in the row
    /// before.
    pub names: u32,
    /// The inode number of the initial mount namespace.
    pub initial_mount_namespace: Option<u32>,
    /// The systemd unit that the cgroup belongs to.
    pub unit: Option<&'a str>,
    /// The container that the cgroup belongs to.
    pub container: Option<ContainerRef<'a>>,
    /// The cgroup's path, below the root of the version 2 hierarchy.
    pub cgroup: Option<&'a str>,
    /// The kernel stack.
    pub kernel_stack: NamedStack<'a>,
    /// The user stack.
    pub user_stack: NamedStack<'a>,
}

impl<'a> Row<'a> {
    /// The check alone, for columns that require nothing else.
    pub fn bare(event: Event<'a>) -> Self {
        Self {
            event,
            caller: None,
            why: None,
            syscall: None,
            user: None,
            group: None,
            names: 0,
            initial_mount_namespace: None,
            unit: None,
            container: None,
            cgroup: None,
            kernel_stack: NamedStack::NotAsked,
            user_stack: NamedStack::NotAsked,
        }
    }
}

/// A container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContainerRef<'a> {
    /// Its id, as its runtime names it.
    pub id: &'a str,
    /// The form that runtimes print and accept.
    pub short_id: &'a str,
    /// The runtime: `docker`, `podman`, `containerd`, `cri-o`; unknown if the cgroup does not tell.
    pub runtime: Option<&'a str>,
    /// What users call it.
    pub name: Option<&'a str>,
    /// The image that it was made from.
    pub image: Option<&'a str>,
    /// Its pod.
    pub pod: Option<&'a str>,
    /// The form of the pod that fits in a table: of an id, its first digits.
    pub short_pod: Option<&'a str>,
}

/// A stack with names for its addresses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum NamedStack<'a> {
    /// It was not asked for.
    NotAsked,
    /// The kernel could not capture it.
    NotCaptured,
    /// The process ended before its memory map could be read: the frames have addresses only.
    ProcessGone(&'a [Frame<'a>]),
    /// The frames, in which names are missing for the reason that is told.
    Noted(&'a [Frame<'a>], &'a str),
    /// The frames, the innermost first.
    Frames(&'a [Frame<'a>]),
}

impl<'a> NamedStack<'a> {
    /// Why the stack or names in it are missing.
    pub fn note(self) -> Option<&'a str> {
        match self {
            Self::NotCaptured => Some("the kernel could not capture it"),
            Self::ProcessGone(_) => Some("the process ended before its symbols could be read"),
            Self::Noted(_, note) => Some(note),
            Self::NotAsked | Self::Frames(_) => None,
        }
    }

    /// The frames, the innermost first; none if there is no stack.
    pub fn frames(self) -> &'a [Frame<'a>] {
        match self {
            Self::NotAsked | Self::NotCaptured => &[],
            Self::ProcessGone(frames) | Self::Noted(frames, _) | Self::Frames(frames) => frames,
        }
    }
}

/// One function in a stack. An inlined function is a frame of its own, before the function that it
/// was inlined into.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The address of the frame's next instruction.
    pub address: u64,
    /// The function, demangled; `None` if no symbol covers the address.
    pub function: Option<&'a str>,
    /// Bytes between the start of the function and the address.
    pub offset: u64,
    /// The kernel module, or the path of the mapped file.
    pub module: Option<&'a str>,
    /// The offset of the address in that file, in bytes.
    pub module_offset: Option<u64>,
    /// The build id of that file, in hexadecimal digits.
    pub build_id: Option<&'a str>,
    /// The source file, if there is debug information.
    pub file: Option<&'a str>,
    /// The line in the source file.
    pub line: Option<u32>,
    /// Whether the compiler inlined this function into the frame that follows.
    pub inlined: bool,
}
