//! The functions and macros through which a check is made.
//!
//! Two of them ask by themselves: `security_capable` and `cap_capable`. All others are found from
//! these: a function or macro that passes on a parameter as the capability is a helper, and so is
//! one that only answers whether a capability is held (`may_mount`). The calls of helpers are the
//! sites.

use std::collections::{BTreeMap, BTreeSet};

use tree_sitter::{Node, Parser};

use super::items::Function;
use super::text::Macro;
use super::tree::Body;

/// What a helper asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Helper {
    /// The argument that is the capability.
    pub argument: Option<usize>,
    /// Capabilities that it asks for regardless of its arguments, in the order in which it asks.
    pub always: Vec<String>,
    /// Whether it answers "false" if they are not granted.
    pub denies: bool,
    /// Whether it looks at something else first, and asks only if that is not enough.
    pub looks_first: bool,
}

/// Helpers by name and by the file that they are known in; without a file, everywhere.
#[derive(Clone, Debug, Default)]
pub struct Helpers {
    everywhere: BTreeMap<String, Helper>,
    in_files: BTreeMap<String, BTreeMap<String, Helper>>,
}

/// A helper, by its name and by the file that it is known in (none: all files).
pub type Room = (Option<String>, String);

/// The functions that all others lead to (security/commoncap.c, Linux 6.12 and 7.3). The first calls
/// the second through a hook (security/security.c).
const SEEDS: [(&str, usize); 4] = [
    ("security_capable", 2),
    ("cap_capable", 2),
    ("cap_capable_helper", 3),
    (READ, 1),
];

/// Functions that read a set without making a check (include/linux/capability.h, Linux 6.12).
const READ: &str = "cap_raised";

/// Functions that compare whole sets without making a check.
const COMPARES: &str = "cap_issubset";

/// Helpers that do more than answer, so that no rule finds them, and what they ask for.
const KNOWN: [(&str, &str); 5] = [
    ("has_cap_mac_admin", "CAP_MAC_ADMIN"),
    ("inode_owner_or_capable", "CAP_FOWNER"),
    ("kallsyms_show_value", "CAP_SYSLOG"),
    ("parent_could_setfcap", "CAP_SETFCAP"),
    ("ptracer_capable", "CAP_SYS_PTRACE"),
];

/// Functions that look at the ownership of a file first (fs/inode.c, Linux 5.10 to 7.3).
const OWNERSHIP: &str = "inode_owner_or_capable";

/// Helpers that answer "false" if the capability is not granted, each read by a person
/// (kernel/capability.c, include/linux/capability.h, net/core/sock.c, net/netlink/af_netlink.c,
/// fs/inode.c, kernel/bpf/token.c; Linux 5.10 to 7.3).
const DENYING: [&str; 22] = [
    "__netlink_ns_capable",
    "bpf_token_capable",
    "capable",
    "capable_noaudit",
    "capable_wrt_inode_uidgid",
    "file_ns_capable",
    "has_cap_mac_admin",
    "has_capability",
    "has_capability_noaudit",
    "has_ns_capability",
    "has_ns_capability_noaudit",
    "inode_owner_or_capable",
    "netlink_capable",
    "netlink_net_capable",
    "netlink_ns_capable",
    "ns_capable",
    "ns_capable_common",
    "ns_capable_noaudit",
    "ns_capable_setid",
    "ptracer_capable",
    "sk_ns_capable",
    "smack_privileged",
];

impl Helpers {
    /// The helpers to start from.
    pub fn seeds() -> Self {
        let mut helpers = Self::default();
        for (name, argument) in SEEDS {
            let argument = Some(argument);
            helpers.add(
                None,
                name,
                Helper {
                    argument,
                    ..Helper::default()
                },
            );
        }
        helpers.add(None, COMPARES, Helper::default());
        for (name, capability) in KNOWN {
            let always = vec![capability.to_owned()];
            helpers.add(
                None,
                name,
                Helper {
                    always,
                    looks_first: name == OWNERSHIP,
                    ..Helper::default()
                },
            );
        }
        helpers
    }

    /// Adds a helper; returns whether it adds anything new. If there are two definitions, what they
    /// ask for is merged.
    pub fn add(&mut self, file: Option<&str>, name: &str, new: Helper) -> bool {
        let room = match file {
            Some(file) => self.in_files.entry(file.to_owned()).or_default(),
            None => &mut self.everywhere,
        };
        let Some(known) = room.get_mut(name) else {
            let denies = new.denies || DENYING.contains(&name);
            room.insert(name.to_owned(), Helper { denies, ..new });
            return true;
        };
        if SEEDS.iter().any(|(seed, _)| *seed == name) {
            return false;
        }
        let before = known.clone();
        if known.always.iter().all(|it| new.always.contains(it))
            && known.always.len() < new.always.len()
        {
            // More is known about it than in the round before, including the order.
            known.always = new.always;
        } else {
            new.always
                .into_iter()
                .for_each(|it| include(&mut known.always, it));
        }
        known.looks_first |= new.looks_first;
        known.argument = known.argument.or(new.argument);
        known.denies &= new.denies || DENYING.contains(&name);
        *known != before
    }

    /// The helper that a name means in a file.
    pub fn get(&self, file: &str, name: &str) -> Option<&Helper> {
        self.in_file(file)
            .and_then(|own| own.get(name))
            .or_else(|| self.everywhere.get(name))
    }

    /// The file that the helper which a name means in a file is known in, and the name.
    pub fn room(&self, file: &str, name: &str) -> Room {
        let own = self.in_file(file).is_some_and(|own| own.contains_key(name));
        (own.then(|| file.to_owned()), name.to_owned())
    }

    /// Those that are known everywhere.
    pub fn everywhere(&self) -> &BTreeMap<String, Helper> {
        &self.everywhere
    }

    /// Those that are known in one file only.
    pub fn in_file(&self, file: &str) -> Option<&BTreeMap<String, Helper>> {
        self.in_files.get(file)
    }

    /// All by name, each with those that it calls through a hook, where no call is written.
    pub fn by_hooks(&self) -> BTreeMap<String, BTreeSet<String>> {
        let own = self.in_files.values().flat_map(BTreeMap::keys);
        let names = self.everywhere.keys().chain(own);
        let mut calls: BTreeMap<_, _> = names.map(|name| (name.clone(), BTreeSet::new())).collect();
        let [(asks, _), (answers, _), ..] = SEEDS;
        calls.insert(asks.to_owned(), BTreeSet::from([answers.to_owned()]));
        calls
    }

    /// Whether a helper answers "false" if the capability is not granted.
    pub fn denies(&self, file: &str, name: &str) -> bool {
        self.get(file, name).is_some_and(|helper| helper.denies)
    }

    /// If a node calls a helper: what it asks for, and its arguments.
    pub fn called<'a>(
        &self,
        file: &str,
        body: &'a Body,
        node: Node<'a>,
    ) -> Option<(&Helper, Vec<Node<'a>>)> {
        let (name, arguments) = body.call(node)?;
        Some((self.get(file, name)?, arguments))
    }

    /// What a function is, if it is a helper.
    pub fn of_function(&self, file: &str, function: &Function, body: &Body) -> Option<Helper> {
        if function.is_syscall {
            return None;
        }
        let asked = self.asked(file, &function.parameters, body);
        let answers = self.only_answers(file, body);
        if asked.argument.is_some() {
            let always = if answers { asked.always } else { Vec::new() };
            return Some(Helper {
                always,
                looks_first: self.looks_first(file, body),
                ..asked
            });
        }
        let known =
            !asked.always.is_empty() && asked.always.iter().all(|it| it.starts_with("CAP_"));
        (known && answers).then(|| Helper {
            denies: self.answer_denies(file, body),
            looks_first: self.looks_first(file, body),
            ..asked
        })
    }

    /// What a macro is, if it is a helper.
    pub fn of_macro(&self, file: &str, parser: &mut Parser, it: &Macro) -> Option<Helper> {
        let body = Body::of_macro(parser, &it.body)?;
        let asked = self.asked(file, &it.parameters, &body);
        let is_helper = asked.argument.is_some() || !asked.always.is_empty();
        is_helper.then(|| Helper {
            denies: self.answer_denies(file, &body),
            looks_first: self.looks_first(file, &body),
            ..asked
        })
    }

    /// What a body asks for: the parameter that it passes on, and the capabilities that it names.
    fn asked(&self, file: &str, parameters: &[String], body: &Body) -> Helper {
        let mut asked = Helper::default();
        for node in body.nodes() {
            let Some((helper, arguments)) = self.called(file, body, node) else {
                continue;
            };
            if let Some(argument) = helper.argument.and_then(|index| arguments.get(index)) {
                let text = body.text(*argument);
                let is_read = body.call(node).is_some_and(|(name, _)| name == READ);
                match parameters.iter().position(|it| it == text) {
                    Some(index) if !is_read => asked.argument = Some(index),
                    _ => include(&mut asked.always, text.to_owned()),
                }
            }
            for it in &helper.always {
                include(&mut asked.always, it.clone());
            }
        }
        asked
    }
}

/// Adds those that are not there yet.
fn include(all: &mut Vec<String>, it: String) {
    if !all.contains(&it) {
        all.push(it);
    }
}
