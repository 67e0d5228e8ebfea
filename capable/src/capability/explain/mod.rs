//! Explains each capability: what it allows, which programs ask for it, what holding it risks, and
//! what to use instead.
//!
//! The texts are our own. The facts come from the call sites of `capable`, `ns_capable` and their
//! variants in Linux 6.12, from its include/uapi/linux/capability.h, and from capabilities(7).

mod file;
mod identity;
mod kernel;
mod machine;
mod network;
mod observe;
mod process;
mod resource;
mod security;
mod special;

use std::fmt;

use serde::Serialize;

use super::Capability;

/// The explanation of one capability.
#[derive(Debug, Serialize)]
pub struct Explanation {
    /// What it allows, as part of a line.
    pub summary: &'static str,
    /// What it allows, in sentences.
    pub allows: &'static str,
    /// What it is worth if it is held in a user namespace.
    pub scope: Scope,
    /// Programs and kinds of program that commonly ask for it.
    pub programs: &'static [&'static str],
    /// System calls and files that ask for it.
    pub syscalls: &'static [&'static str],
    /// Kernel functions that ask for it, as they appear in a stack (Linux 6.12).
    pub functions: &'static [&'static str],
    /// How dangerous it is to hold it.
    pub danger: Danger,
    /// What its holder could do, in sentences.
    pub holding: &'static str,
    /// What can be used in its place, or needs less.
    pub alternatives: &'static [&'static str],
    /// Further reading, besides capabilities(7).
    pub see: &'static [&'static str],
}

/// How dangerous it is to hold a capability in the initial user namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Danger {
    /// A nuisance at most.
    Limited,
    /// The holder can harm the whole host or other users, but not become root.
    Serious,
    /// The holder can become root on a typical host.
    EqualsRoot,
}

impl fmt::Display for Danger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Limited => "limited",
            Self::Serious => "serious",
            Self::EqualsRoot => "equal to root",
        })
    }
}

/// What a capability is worth if it is held in a user namespace other than the initial one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// It applies to what belongs to the namespace: the checks are `ns_capable`.
    Namespace,
    /// It applies to some of what belongs to the namespace; the other checks ask in the initial
    /// one.
    Mixed,
    /// Nothing: the checks are `capable`, which asks in the initial one.
    Host,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Namespace => "applies only to what belongs to that namespace",
            Self::Mixed => {
                "allows some of this, for what belongs to that namespace; the rest requires it in \
                 the initial user namespace"
            }
            Self::Host => "has no effect: it must be held in the initial user namespace",
        })
    }
}

impl Capability {
    /// The explanation; `None` for a number that has no name here.
    pub fn explanation(self) -> Option<&'static Explanation> {
        [
            file::FILE,
            identity::IDENTITY,
            kernel::KERNEL,
            machine::MACHINE,
            network::NETWORK,
            observe::OBSERVE,
            process::PROCESS,
            resource::RESOURCE,
            security::SECURITY,
            special::SPECIAL,
        ]
        .into_iter()
        .flatten()
        .find(|(capability, _)| *capability == self)
        .map(|(_, explanation)| explanation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The texts as a reader would meet them.
    fn texts(explanation: &Explanation) -> impl Iterator<Item = &'static str> {
        [explanation.summary, explanation.allows, explanation.holding]
            .into_iter()
            .chain(
                [
                    explanation.programs,
                    explanation.syscalls,
                    explanation.functions,
                    explanation.alternatives,
                    explanation.see,
                ]
                .into_iter()
                .flatten()
                .copied(),
            )
    }

    #[test]
    fn every_capability_is_explained_in_full() {
        for capability in Capability::all() {
            let told = capability
                .explanation()
                .unwrap_or_else(|| panic!("{capability} has no explanation"));
            for (what, list) in [
                ("programs", told.programs),
                ("syscalls", told.syscalls),
                ("functions", told.functions),
                ("alternatives", told.alternatives),
                ("see", told.see),
            ] {
                assert!(!list.is_empty(), "{capability}: {what}");
            }
            for text in texts(told) {
                assert!(text.len() > 2, "{capability}: {text:?}");
                assert_eq!(text, text.trim(), "{capability}");
                assert!(!text.contains("  ") && !text.contains('\n'), "{text:?}");
            }
            for sentence in [told.allows, told.holding] {
                assert!(sentence.ends_with('.'), "{capability}: {sentence:?}");
            }
            assert!(told.summary.len() <= 56, "{capability}: {}", told.summary);
        }
        assert!(Capability::from_number(41).explanation().is_none());
    }

    #[test]
    fn every_capability_named_in_a_text_exists() {
        for told in Capability::all().filter_map(Capability::explanation) {
            for word in texts(told)
                .flat_map(|text| text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'))
                .filter(|word| word.starts_with("CAP_"))
            {
                let named: Capability = word.parse().unwrap();
                assert_eq!(named.name(), Some(word));
            }
        }
    }

    #[test]
    fn a_kernel_function_is_a_single_identifier() {
        for told in Capability::all().filter_map(Capability::explanation) {
            for function in told.functions {
                assert!(
                    function
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'),
                    "{function:?}"
                );
            }
        }
    }
}
