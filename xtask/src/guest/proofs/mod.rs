//! Proofs of the atlas: what its lines say, tried on the running kernel.
//!
//! Each proof does one thing twice, in a process of its own each time: with every capability that
//! root has here, and with one less. What the program met is compared with the effect of the line,
//! and the checks that the tracer saw with the site ([`judge`]). A line of the atlas is marked `run`
//! exactly if it has a proof (`marks.rs`).

mod acts;
mod cage;
mod judge;
#[cfg(test)]
mod marks;
mod run;
mod site;
mod table;

use super::scene::Scene;
use super::syscall::Answer;

pub use run::{command, test};

/// What a step of the preparation gives: a file descriptor, a pid or nothing of interest.
type Staged = Result<i32, i32>;

/// What the program meets without the capability.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meets {
    /// What the line says.
    AsTheLineSays,
    /// This errno, where the line leaves it open.
    Errno(i32),
    /// The call succeeds either way, and its result differs: something is not shown, or not done.
    Less,
    /// In the case that is tried, nothing differs.
    Nothing,
}

/// How the capability is taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taken {
    /// From all sets of the process.
    Dropped,
    /// By a user namespace of its own, where it has all capabilities, but not over what is outside.
    Foreign,
}

/// Proves one line of the atlas, or the lines of one site in several kernels.
#[derive(Clone, Copy)]
struct Proof {
    /// The site as the atlas writes it; several, of different kernels, have ` or ` between them, and
    /// ` via HELPER` tells two of one name apart.
    sites: &'static str,
    /// The capabilities as the atlas writes them. The first is taken away; the others are never
    /// there, so that they do not grant what it would.
    capabilities: &'static str,
    /// Prepares it, as root with all capabilities; the result is passed to `act`.
    stage: Option<fn(&Scene) -> Staged>,
    /// Does what asks for the capability.
    act: fn(i32) -> Answer,
    /// It is done by an ordinary user who has root's capabilities.
    is_user: bool,
    taken: Taken,
    meets: Meets,
    /// More capabilities that are never there.
    lacking: &'static [&'static str],
    /// A file below `/proc/sys`, and what it says meanwhile.
    setting: Option<(&'static str, &'static str)>,
    /// The kernels on which it is tried, and why not on the others.
    only: Option<(&'static str, &'static str)>,
}

/// A proof as root, by dropping the capability.
const fn proof(sites: &'static str, capabilities: &'static str, act: fn(i32) -> Answer) -> Proof {
    Proof {
        sites,
        capabilities,
        stage: None,
        act,
        is_user: false,
        taken: Taken::Dropped,
        meets: Meets::AsTheLineSays,
        lacking: &[],
        setting: None,
        only: None,
    }
}

impl Proof {
    const fn staged(mut self, stage: fn(&Scene) -> Staged) -> Self {
        self.stage = Some(stage);
        self
    }

    const fn by_user(mut self) -> Self {
        self.is_user = true;
        self
    }

    const fn in_user_namespace(mut self) -> Self {
        self.taken = Taken::Foreign;
        self
    }

    const fn fails(mut self, errno: i32) -> Self {
        self.meets = Meets::Errno(errno);
        self
    }

    const fn gets_less(mut self) -> Self {
        self.meets = Meets::Less;
        self
    }

    const fn goes_on(mut self) -> Self {
        self.meets = Meets::Nothing;
        self
    }

    const fn lacking(mut self, names: &'static [&'static str]) -> Self {
        self.lacking = names;
        self
    }

    const fn while_set(mut self, path: &'static str, to: &'static str) -> Self {
        self.setting = Some((path, to));
        self
    }

    const fn only_on(mut self, kernels: &'static str, reason: &'static str) -> Self {
        self.only = Some((kernels, reason));
        self
    }
}
