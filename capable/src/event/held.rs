//! A check that outlives the transport's memory.

use capable_common::{Check, Detail, Membership};

use super::{Event, Stack};

/// An [`Event`] with memory of its own, for a row that must wait.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    check: Check,
    membership: Option<Membership>,
    detail: Option<Detail>,
    kernel_stack: HeldStack,
    user_stack: HeldStack,
}

#[derive(Clone, Debug)]
enum HeldStack {
    NotAsked,
    Failed,
    Frames(Box<[u64]>),
}

impl From<Stack<'_>> for HeldStack {
    fn from(stack: Stack<'_>) -> Self {
        match stack {
            Stack::NotAsked => Self::NotAsked,
            Stack::Failed => Self::Failed,
            Stack::Frames(frames) => Self::Frames(frames.into()),
        }
    }
}

impl HeldStack {
    fn stack(&self) -> Stack<'_> {
        match self {
            Self::NotAsked => Stack::NotAsked,
            Self::Failed => Stack::Failed,
            Self::Frames(frames) => Stack::Frames(frames),
        }
    }
}

impl From<Event<'_>> for Held {
    fn from(event: Event<'_>) -> Self {
        Self {
            check: *event.check,
            membership: event.membership.copied(),
            detail: event.detail.copied(),
            kernel_stack: event.kernel_stack.into(),
            user_stack: event.user_stack.into(),
        }
    }
}

impl Held {
    /// The check.
    pub(crate) fn event(&self) -> Event<'_> {
        Event {
            check: &self.check,
            membership: self.membership.as_ref(),
            detail: self.detail.as_ref(),
            kernel_stack: self.kernel_stack.stack(),
            user_stack: self.user_stack.stack(),
        }
    }
}
