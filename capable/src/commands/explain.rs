//! `capable explain`: what capabilities allow, which programs ask for them, and what to use
//! instead; what system calls and functions of the kernel ask for; the rules by which sets change;
//! and what texts of sets mean.

pub(in crate::commands) mod layout;
mod page;
mod sites;
mod subject;
mod text;
mod topic;
mod without;

use std::process::ExitCode;

use clap::ValueEnum;
use serde::Serialize;

use super::list::{self, ListFormat};
use super::print::print;
use crate::atlas::{Atlas, Line as AtlasLine};
use crate::capability::{Capability, CapabilitySet, Explanation, OrChain};
use crate::document::Document;
use page::{heading, paragraphs};
use sites::{Places, Site};
use subject::Subject;
use text::Text;

/// The names of the topics.
pub(in crate::commands) fn topics() -> impl Iterator<Item = &'static str> {
    topic::TOPICS.iter().map(|(name, _)| *name)
}

/// Explain capabilities, what system calls and kernel functions need them for, and the rules of the
/// sets; without any, list all capabilities
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Capabilities, system calls, functions of the kernel, topics or texts; without any, the list of
    /// all capabilities
    ///
    /// A capability is a name with or without CAP_, in any case; a number; a mask such as 0x3000, or
    /// its 16 digits as in /proc/PID/status; 'all'. Several in one word are separated by commas. A
    /// function is named as in the CALLER column. A text is sets as getcap and capsh write them:
    /// cap_net_raw=ep; one that has blanks stands between quotes. A word that means several things
    /// explains all of them; 'cap:', 'call:', 'fn:', 'topic:' and 'text:' before it choose one.
    #[arg(value_name = "WHAT")]
    subjects: Vec<Subject>,

    /// List every place in the kernel that asks for the capability, not only the most telling
    #[arg(long)]
    sites: bool,

    /// How to write it
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t = ExplainFormat::Text)]
    output: ExplainFormat,
}

/// How to write explanations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ExplainFormat {
    /// Paragraphs, as wide as the terminal.
    Text,
    /// One object per line for each capability, system call, function, topic and text.
    Json,
}

const EXAMPLES: &str = "\
Examples:
  capable explain                    a line for every capability
  capable explain net_raw            one capability
  capable explain 21                 by number
  capable explain mount              what a system call can ask for
  capable explain can_nice           what a function of the kernel asks for
  capable explain execve             a system call, and the rules of execve
  capable explain cap_net_raw=ep     what a text of getcap or capsh means
  capable explain 00000000a80425fb   what a mask of /proc/PID/status holds

Topics:
  sets, execve, setuid, ambient, inheritable, bounding, no_new_privs, securebits,
  file-capabilities, user-namespaces";

/// One line of JSON.
#[derive(Serialize)]
struct Line {
    kind: &'static str,
    number: i32,
    name: Option<&'static str>,
    since: Option<&'static str>,
    accepted_instead: Vec<Other>,
    stands_in_for: Vec<Other>,
    #[serde(flatten)]
    explanation: Told,
    sites: Vec<Site<'static>>,
}

/// One line of JSON about a text of sets.
#[derive(Serialize)]
struct TextLine<'a> {
    kind: &'static str,
    name: &'a str,
    effective: Vec<String>,
    permitted: Vec<String>,
    inheritable: Vec<String>,
    as_file: Vec<String>,
    as_process: Vec<String>,
}

impl<'a> TextLine<'a> {
    fn new(given: &'a str, text: &Text) -> Self {
        let names = |set: CapabilitySet| set.into_iter().map(|it| it.to_string()).collect();
        Self {
            kind: "text",
            name: given,
            effective: names(text.effective),
            permitted: names(text.permitted),
            inheritable: names(text.inheritable),
            as_file: text.as_file(),
            as_process: text.as_process(),
        }
    }
}

/// An explanation, or null for each of its fields if there is none.
#[derive(Serialize)]
#[serde(untagged)]
enum Told {
    Known(&'static Explanation),
    Unknown(Untold),
}

/// The fields of an [`Explanation`], each null.
#[derive(Default, Serialize)]
struct Untold {
    summary: (),
    allows: (),
    scope: (),
    programs: (),
    syscalls: (),
    functions: (),
    danger: (),
    holding: (),
    alternatives: (),
    see: (),
}

/// The other capability of an or-chain.
#[derive(Serialize)]
struct Other {
    name: String,
    place: &'static str,
    functions: &'static [&'static str],
}

impl Other {
    fn new(capability: Capability, chain: &OrChain) -> Self {
        Self {
            name: capability.to_string(),
            place: chain.place,
            functions: chain.functions,
        }
    }
}

impl Line {
    fn new(capability: Capability) -> Self {
        Self {
            kind: "capability",
            number: capability.number(),
            name: capability.name(),
            since: capability.since(),
            accepted_instead: capability
                .accepted_instead()
                .map(|chain| Other::new(chain.wide, chain))
                .collect(),
            stands_in_for: capability
                .stands_in_for()
                .map(|chain| Other::new(chain.narrow, chain))
                .collect(),
            explanation: capability
                .explanation()
                .map_or_else(|| Told::Unknown(Untold::default()), Told::Known),
            sites: Atlas::get()
                .of_capability(capability)
                .map(Site::new)
                .collect(),
        }
    }
}

/// Explains each capability once, in the order given, then system calls, functions, topics and
/// texts; lists all capabilities if nothing is given.
///
/// # Errors
///
/// If the output cannot be written.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    if args.subjects.is_empty() {
        return list::run(list::Args::new(match args.output {
            ExplainFormat::Text => ListFormat::Table,
            ExplainFormat::Json => ListFormat::Json,
        }));
    }
    let sets: Vec<_> = args
        .subjects
        .iter()
        .filter_map(|it| it.capabilities)
        .collect();
    let asked = in_order(&sets);
    let places = args.subjects.iter().flat_map(places);
    let text = match args.output {
        ExplainFormat::Text => {
            let columns = layout::columns();
            let mut text = heading(&sets, columns);
            let capabilities = asked
                .iter()
                .map(|&each| paragraphs(each, args.sites, columns));
            let places = places.map(|(kind, name, lines)| {
                let title = match kind {
                    "syscall" => {
                        format!(
                            "{name}(2): a system call for which the kernel may check capabilities"
                        )
                    }
                    _ => format!("{name}: a function of the kernel that checks capabilities"),
                };
                sites::paragraphs(&title, &lines, columns)
            });
            let places: Vec<_> = places.collect();
            let covered = (!places.is_empty()).then(|| sites::covered(columns));
            let topics = args.subjects.iter().filter_map(|it| it.topic.as_ref());
            let topics = topics.map(|topic| topic.paragraphs(columns));
            let texts = args.subjects.iter().filter_map(|it| it.text.as_ref());
            let texts = texts.map(|(given, text)| text.paragraphs(given, columns));
            let each: Vec<_> = capabilities
                .chain(places)
                .chain(covered)
                .chain(topics)
                .chain(texts)
                .collect();
            text.push_str(&each.join("\n"));
            text
        }
        ExplainFormat::Json => {
            let mut text = String::new();
            for &capability in &asked {
                text.push_str(&Document::Explain.line(&Line::new(capability))?);
            }
            for (kind, name, lines) in places {
                text.push_str(&Document::Explain.line(&Places::new(kind, name, &lines))?);
            }
            for subject in &args.subjects {
                if let Some(topic) = &subject.topic {
                    text.push_str(&Document::Explain.line(topic)?);
                }
                if let Some((given, sets)) = &subject.text {
                    text.push_str(&Document::Explain.line(&TextLine::new(given, sets))?);
                }
            }
            text
        }
    };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// What a word means besides capabilities: the kind, the name, and what the atlas has.
fn places(
    subject: &Subject,
) -> impl Iterator<Item = (&'static str, &str, Vec<&'static AtlasLine>)> + use<'_> {
    let atlas = Atlas::get();
    let syscall = subject.syscall.as_deref();
    let syscall = syscall.map(|name| ("syscall", name, atlas.of_syscall(name).collect()));
    let function = subject.function.as_deref();
    let function = function.map(|name| ("function", name, atlas.about_function(name).collect()));
    syscall.into_iter().chain(function)
}

/// The capabilities of the sets, each once.
fn in_order(sets: &[CapabilitySet]) -> Vec<Capability> {
    let mut seen = CapabilitySet::EMPTY;
    sets.iter()
        .copied()
        .flatten()
        .filter(|&capability| seen.insert(capability))
        .collect()
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, FromArgMatches as _};

    use super::*;

    fn args(words: &[&str]) -> Result<Args, clap::Error> {
        let command = Args::augment_args(clap::Command::new("explain").no_binary_name(true));
        Args::from_arg_matches(&command.try_get_matches_from(words)?)
    }

    fn given(words: &[&str]) -> Vec<CapabilitySet> {
        let subjects = args(words).unwrap().subjects;
        subjects.iter().filter_map(|it| it.capabilities).collect()
    }

    fn asked(words: &[&str]) -> Vec<Capability> {
        in_order(&given(words))
    }

    #[test]
    fn names_numbers_and_masks_are_explained_once_in_the_order_given() {
        assert_eq!(
            asked(&["sys_admin", "0x3000", "CAP_NET_RAW", "0"]),
            [
                Capability::SYS_ADMIN,
                Capability::NET_ADMIN,
                Capability::NET_RAW,
                Capability::CHOWN
            ]
        );
        assert_eq!(asked(&["00000000a80425fb"]).len(), 14);
        assert_eq!(asked(&["all"]).len(), 41);
    }

    #[test]
    fn a_misspelt_capability_is_a_usage_error_that_suggests_the_nearest() {
        let error = args(&["net_rwa"]).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(
            error.to_string().contains("did you mean CAP_NET_RAW?"),
            "{error}"
        );
    }

    #[test]
    fn a_mask_is_spelt_out_first() {
        let sets = given(&["0x3000"]);
        assert_eq!(heading(&sets, 80), "0x3000: CAP_NET_ADMIN, CAP_NET_RAW\n\n");
        let sets = given(&["0x0"]);
        assert_eq!(heading(&sets, 80), "0x0: none\n");
        let sets = given(&["kill"]);
        assert_eq!(heading(&sets, 80), "");
    }

    #[test]
    fn a_number_without_a_name_is_unknown_and_null() {
        let unknown = Capability::from_number(41);
        assert_eq!(
            paragraphs(unknown, false, 80),
            "CAP_41 (41): not known to this version of capable\n"
        );
        let line = serde_json::to_value(Line::new(unknown)).unwrap();
        assert_eq!(line["number"], 41);
        assert!(line["name"].is_null());
        let known = serde_json::to_value(Line::new(Capability::KILL)).unwrap();
        for field in known.as_object().unwrap().keys() {
            assert!(line.get(field).is_some(), "{field}");
        }
        assert!(line["allows"].is_null());
    }

    #[test]
    fn the_help_names_every_topic() {
        let named: Vec<_> = EXAMPLES
            .split_once("Topics:")
            .unwrap()
            .1
            .split(',')
            .map(str::trim)
            .collect();
        assert_eq!(named, topics().collect::<Vec<_>>());
    }

    #[test]
    fn json_holds_the_whole_explanation() {
        let line = serde_json::to_value(Line::new(Capability::BPF)).unwrap();
        assert_eq!(line["name"], "CAP_BPF");
        assert_eq!(line["danger"], "serious");
        assert_eq!(line["accepted_instead"][0]["name"], "CAP_SYS_ADMIN");
        let lines = Atlas::get().of_capability(Capability::BPF).count();
        assert_eq!(line["sites"].as_array().unwrap().len(), lines);
        assert!(
            line["alternatives"]
                .as_array()
                .is_some_and(|all| !all.is_empty())
        );
    }
}
