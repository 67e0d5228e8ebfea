//! What `capable explain` is asked about: capabilities, system calls, functions of the kernel,
//! topics, and texts of sets.

use std::str::FromStr;

use super::text::{BadText, Text};
use super::topic::{TOPICS, Topic};
use crate::atlas::Atlas;
use crate::capability::CapabilitySet;

/// A word of the command line, and all that it may mean, the capability first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Subject {
    /// The capabilities that it names.
    pub capabilities: Option<CapabilitySet>,
    /// The system call that asks for some.
    pub syscall: Option<String>,
    /// The function of the kernel that asks for one.
    pub function: Option<String>,
    /// The topic.
    pub topic: Option<Topic>,
    /// Sets, and the text that was given.
    pub text: Option<(String, Text)>,
}

/// What may stand before a word, with a colon, to choose what it means.
const KINDS: [&str; 5] = ["cap", "call", "fn", "topic", "text"];

impl FromStr for Subject {
    type Err = String;

    /// Reads `net_raw`, `mount`, `can_nice`, `execve`, `cap_net_raw=ep`, or what `cap:`, `call:`, `fn:`,
    /// `topic:` or `text:` narrow to one of these.
    fn from_str(given: &str) -> Result<Self, Self::Err> {
        let (kind, name) = match given.split_once(':') {
            Some((kind, name)) if KINDS.contains(&kind) => (Some(kind), name),
            _ => (None, given),
        };
        if kind == Some("text") || kind.is_none() && Text::is_meant(name) {
            let text = Text::parse(name).map_err(|bad| pointed_at(name, &bad))?;
            return Ok(Self {
                text: Some((name.to_owned(), text)),
                ..Self::default()
            });
        }
        let wanted = |this: &str| kind.is_none_or(|kind| kind == this);
        let set = wanted("cap").then(|| name.parse::<CapabilitySet>());
        let atlas = Atlas::get();
        let call = name.strip_suffix("(2)").unwrap_or(name);
        let syscall = wanted("call") && atlas.of_syscall(call).next().is_some();
        let function = wanted("fn") && atlas.about_function(name).next().is_some();
        let subject = Self {
            capabilities: set.clone().and_then(Result::ok),
            syscall: syscall.then(|| call.to_owned()),
            function: function.then(|| name.to_owned()),
            topic: Topic::named(name).filter(|_| wanted("topic")),
            text: None,
        };
        if subject != Self::default() {
            return Ok(subject);
        }
        Err(match (kind, set) {
            (Some("call"), _) => {
                format!("'{name}' is no system call that is known to check capabilities")
            }
            (Some("fn"), _) => {
                format!("'{name}' is no kernel function that is known to check capabilities")
            }
            (Some("topic"), _) => {
                let names: Vec<_> = TOPICS.iter().map(|(name, _)| *name).collect();
                format!("there is no topic '{name}'; there are {}", names.join(", "))
            }
            (None, Some(Err(error))) => {
                let error = error.to_string();
                let end = if error.ends_with('?') { "" } else { "." };
                format!(
                    "{error}{end} Nor is it a topic, or a system call or kernel function that is \
                     known to check capabilities"
                )
            }
            (_, Some(Err(error))) => error.to_string(),
            _ => format!("'{given}' is not known"),
        })
    }
}

/// The mistake in a text, with a line that points at it.
fn pointed_at(text: &str, bad: &BadText) -> String {
    let printable = text
        .bytes()
        .all(|byte| byte == b' ' || byte.is_ascii_graphic());
    match printable {
        true => format!("{bad}\n  {text}\n  {:at$}^", "", at = bad.at),
        false => bad.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capability::Capability;

    fn subject(word: &str) -> Subject {
        word.parse().unwrap()
    }

    #[test]
    fn a_word_may_be_a_capability_and_a_system_call() {
        let both = subject("setuid");
        let capabilities = both.capabilities.unwrap();
        assert!(capabilities.contains(Capability::SETUID));
        assert_eq!(both.syscall.as_deref(), Some("setuid"));
        assert_eq!(subject("call:setuid").capabilities, None);
        assert_eq!(subject("cap:setuid").syscall, None);
        assert_eq!(subject("mount(2)").syscall.as_deref(), Some("mount"));
    }

    #[test]
    fn a_system_call_is_known_by_those_that_are_like_it() {
        for name in [
            "fchownat",
            "openat2",
            "mkdirat",
            "tgkill",
            "umount2",
            "prlimit64",
        ] {
            assert_eq!(subject(name).syscall.as_deref(), Some(name));
        }
        let about = |name| Atlas::get().of_syscall(name).collect::<Vec<_>>();
        assert_eq!(about("fchownat"), about("chown"));
        let walks = about("statx");
        assert!(
            walks
                .iter()
                .any(|line| line.under.as_deref() == Some("link_path_walk"))
        );
    }

    #[test]
    fn a_function_is_known_as_a_stack_names_it_and_a_helper_by_its_sites() {
        for name in [
            "__x64_sys_chroot",
            "can_nice",
            "fn:set_one_prio",
            "fn:would_dump",
        ] {
            assert!(subject(name).function.is_some(), "{name}");
        }
    }

    #[test]
    fn a_word_may_be_a_topic_as_well_and_be_narrowed_to_it() {
        let setuid = subject("setuid");
        assert!(setuid.capabilities.is_some() && setuid.topic.is_some());
        assert_eq!(subject("topic:setuid").capabilities, None);
        assert_eq!(subject("cap:setuid").topic, None);
        assert_eq!(subject("no-new-privs"), subject("topic:no_new_privs"));
        let error = "topic:umask".parse::<Subject>().unwrap_err();
        assert!(error.contains("there are sets, execve, setuid"), "{error}");
    }

    #[test]
    fn a_text_is_read_and_its_mistake_is_pointed_at() {
        let (given, text) = subject("=ep cap_sys_admin-ep").text.unwrap();
        assert_eq!(given, "=ep cap_sys_admin-ep");
        assert_eq!(text.permitted.len(), 40);
        assert!(subject("text:cap_kill+ep").text.is_some());
        let error = "cap_net_raw=eq".parse::<Subject>().unwrap_err();
        assert_eq!(
            error,
            "'q' is no set; there are e (effective), i (inheritable) and p (permitted)\n  \
             cap_net_raw=eq\n               ^"
        );
    }

    #[test]
    fn what_nobody_knows_is_an_error_that_suggests_the_nearest() {
        let error = "net_rwa".parse::<Subject>().unwrap_err();
        assert!(
            error.contains("did you mean CAP_NET_RAW? Nor is it a topic"),
            "{error}"
        );
        let error = "call:getpid".parse::<Subject>().unwrap_err();
        assert!(error.contains("'getpid'"), "{error}");
        let error = "fn:nothing_like_it".parse::<Subject>().unwrap_err();
        assert!(error.contains("'nothing_like_it'"), "{error}");
    }
}
