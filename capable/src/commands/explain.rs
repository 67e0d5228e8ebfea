//! `capable explain`: what capabilities allow, which programs ask for them, and what to use
//! instead.

pub(in crate::commands) mod layout;
mod page;

use std::process::ExitCode;

use clap::ValueEnum;
use serde::Serialize;

use super::list::{self, ListFormat};
use super::print::print;
use crate::capability::{Capability, CapabilitySet, Explanation, OrChain};
use crate::document::Document;
use page::{heading, paragraphs};

/// Explain capabilities: what they allow, which programs ask for them, what holding them risks, and
/// what to use instead; without any, list them all
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Capabilities by name or number, or sets of them as masks; without any, the list of all
    ///
    /// A name with or without CAP_, in any case; a number; a mask such as 0x3000, or its 16 digits
    /// as in /proc/PID/status; 'all'. Several in one word are separated by commas.
    #[arg(value_name = "CAP")]
    capabilities: Vec<CapabilitySet>,

    /// How to write it
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t = ExplainFormat::Text)]
    output: ExplainFormat,
}

/// How to write explanations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ExplainFormat {
    /// Paragraphs, as wide as the terminal.
    Text,
    /// One object per line for each capability.
    Json,
}

const EXAMPLES: &str = "\
Examples:
  capable explain                    a line for every capability
  capable explain net_raw            one capability
  capable explain 21                 by number
  capable explain 00000000a80425fb   what a mask of /proc/PID/status holds";

/// One line of JSON.
#[derive(Serialize)]
struct Line {
    number: i32,
    name: Option<&'static str>,
    since: Option<&'static str>,
    accepted_instead: Vec<Other>,
    stands_in_for: Vec<Other>,
    #[serde(flatten)]
    explanation: Told,
}

/// An explanation, or null for each of its fields.
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

/// The other end of an or-chain.
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
        }
    }
}

/// Explains each capability once, in the order given; lists all where none is.
///
/// # Errors
///
/// If the output cannot be written.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    if args.capabilities.is_empty() {
        return list::run(list::Args::new(match args.output {
            ExplainFormat::Text => ListFormat::Table,
            ExplainFormat::Json => ListFormat::Json,
        }));
    }
    let asked = in_order(&args.capabilities);
    let text = match args.output {
        ExplainFormat::Text => {
            let columns = layout::columns();
            let mut text = heading(&args.capabilities, columns);
            let each: Vec<_> = asked
                .iter()
                .map(|&each| paragraphs(each, columns))
                .collect();
            text.push_str(&each.join("\n"));
            text
        }
        ExplainFormat::Json => {
            let lines = asked
                .iter()
                .map(|&capability| Document::Explain.line(&Line::new(capability)));
            lines.collect::<Result<String, _>>()?
        }
    };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
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

    fn asked(words: &[&str]) -> Vec<Capability> {
        in_order(&args(words).unwrap().capabilities)
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
        let sets = args(&["0x3000"]).unwrap().capabilities;
        assert_eq!(heading(&sets, 80), "0x3000: CAP_NET_ADMIN, CAP_NET_RAW\n\n");
        let sets = args(&["0x0"]).unwrap().capabilities;
        assert_eq!(heading(&sets, 80), "0x0: none\n");
        let sets = args(&["kill"]).unwrap().capabilities;
        assert_eq!(heading(&sets, 80), "");
    }

    #[test]
    fn a_number_without_a_name_is_unknown_and_null() {
        let unknown = Capability::from_number(41);
        assert_eq!(
            paragraphs(unknown, 80),
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
    fn json_holds_the_whole_explanation() {
        let line = serde_json::to_value(Line::new(Capability::BPF)).unwrap();
        assert_eq!(line["name"], "CAP_BPF");
        assert_eq!(line["danger"], "serious");
        assert_eq!(line["accepted_instead"][0]["name"], "CAP_SYS_ADMIN");
        assert!(
            line["alternatives"]
                .as_array()
                .is_some_and(|all| !all.is_empty())
        );
    }
}
