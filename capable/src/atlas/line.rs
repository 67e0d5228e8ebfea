//! A line of the atlas: a site, what the kernel does with the answer, and how that is known.
//!
//! `capable/atlas/README.md` describes the format. Lines are read and written here, and invalid
//! ones are rejected.

use std::fmt::{self, Display, Formatter};

use anyhow::{Context, Result, bail, ensure};

use super::kernels::Kernels;

/// What identifies the same site in different kernels.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The source file.
    pub file: String,
    /// The function.
    pub function: String,
    /// The label of the `case` that contains it.
    pub label: Option<String>,
    /// Which of several sites with the same fields above, counted from 1.
    pub number: usize,
    /// The capabilities, without `CAP_`: `PERFMON/SYS_ADMIN` means one after the other,
    /// `CHOWN,FOWNER` either of the two, `?` unknown.
    pub capabilities: String,
    /// The helper.
    pub helper: String,
}

/// A line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The site.
    pub key: Key,
    /// The caller that the line is about; `None` for all others.
    pub under: Option<String>,
    /// The kernels that it applies to.
    pub kernels: Kernels,
    /// What the kernel does with the answer.
    pub effect: Effect,
    /// How that is known.
    pub proof: Proof,
    /// What a program meets without the capability; continues the words "without it ".
    pub sentence: String,
}

/// How the content of a line is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Proof {
    /// Not at all: the site was found, but not read yet.
    Unread,
    /// From a program that reads the source.
    Plain,
    /// From a person who read the source.
    Read,
    /// From reading the source, and seen on a running kernel.
    Run,
}

const PROOFS: [(Proof, &str); 4] = [
    (Proof::Unread, "unread"),
    (Proof::Plain, "plain"),
    (Proof::Read, "read"),
    (Proof::Run, "run"),
];

/// What the kernel does with the answer: a verb, an errno, and further words.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Effect {
    /// In the words of the file.
    pub words: Vec<String>,
}

/// Verbs, and whether an errno follows.
const VERBS: [(&str, bool); 5] = [
    ("?", false),
    ("refuses", true),
    ("sometimes", true),
    ("chooses", false),
    ("passes", false),
];

/// Further words: how a refusal arrives if not as the system call's errno, and when the kernel
/// asks.
const WORDS: [&str; 8] = [
    "ack", "cqe", "unseen", "early", "limit", "else", "write", "more",
];

impl Effect {
    /// Not read yet.
    pub fn unread() -> Self {
        Self {
            words: vec!["?".into()],
        }
    }

    /// Refused with this errno; further words may follow.
    pub fn refuses(errno: &str, words: &[&str]) -> Self {
        let words = words.iter().map(|word| (*word).to_owned());
        Self {
            words: ["refuses".to_owned(), errno.to_owned()]
                .into_iter()
                .chain(words)
                .collect(),
        }
    }

    fn parse(text: &str) -> Result<Self> {
        let words: Vec<_> = text.split_whitespace().map(str::to_owned).collect();
        let mut rest = words.iter();
        let verb = rest.next().context("there is no effect")?;
        let Some((_, has_errno)) = VERBS.iter().find(|(it, _)| it == verb) else {
            let verbs: Vec<_> = VERBS.iter().map(|(verb, _)| *verb).collect();
            bail!("{verb:?} is no effect; there are {}", verbs.join(", "));
        };
        if *has_errno {
            let errno = rest.next().context("an errno follows, or -")?;
            let valid = errno == "-" || errno.starts_with('E');
            ensure!(valid, "{errno:?} is no errno");
        }
        for word in rest {
            let known = WORDS.contains(&word.as_str())
                || word.starts_with("or:")
                || word.starts_with("if:");
            let all = WORDS.join(", ");
            ensure!(
                known,
                "{word:?} is no word; there are {all}, or:CAP, if:NAME"
            );
        }
        Ok(Self { words })
    }
}

impl Display for Effect {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        f.write_str(&self.words.join(" "))
    }
}

impl Line {
    /// Reads a line from below the name of its file.
    pub fn parse(file: &str, text: &str) -> Result<Self> {
        // A label may contain a bar without spaces; if the sentence is empty, the line ends with
        // the bar.
        let padded = format!("{text} ");
        let fields: Vec<_> = padded.splitn(7, " | ").map(str::trim).collect();
        let [site, capabilities, helper, kernels, effect, proof, sentence] = fields.as_slice()
        else {
            bail!("a line has seven fields with | between them");
        };
        let (site, under) = match site.split_once('<') {
            Some((site, under)) => (site.trim(), Some(under.trim().to_owned())),
            None => (*site, None),
        };
        let (site, number) = match site.split_once('#') {
            Some((site, number)) => (site, number.parse().context("no number after #")?),
            None => (site, 1),
        };
        let (function, label) = match site.split_once('@') {
            Some((function, label)) => (function, Some(label.to_owned())),
            None => (site, None),
        };
        let proof = PROOFS.iter().find(|(_, name)| name == proof);
        let (proof, _) = proof.context("how it is known is unread, plain, read or run")?;
        let line = Self {
            key: Key {
                file: file.into(),
                function: function.into(),
                label,
                number,
                capabilities: (*capabilities).into(),
                helper: (*helper).into(),
            },
            under,
            kernels: Kernels::parse(kernels)?,
            effect: Effect::parse(effect)?,
            proof: *proof,
            sentence: (*sentence).into(),
        };
        let is_open = line.effect == Effect::unread();
        ensure!(
            is_open == (line.proof == Proof::Unread),
            "what is read has an effect, and what is unread has none"
        );
        ensure!(
            line.proof < Proof::Read || !line.sentence.is_empty(),
            "what is read has a sentence"
        );
        ensure!(
            !line.sentence.ends_with('.'),
            "a sentence goes on after \"without it\" and has no full stop"
        );
        Ok(line)
    }
}

/// Reads a file of lines, each of them below the name of its source file.
pub fn all(text: &str) -> Result<Vec<Line>> {
    let mut lines = Vec::new();
    let mut file = None;
    for (number, text) in text.lines().enumerate() {
        let place = || format!("line {}", number + 1);
        let text = text.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        if let Some(name) = text.strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
            file = Some(name);
        } else if let Some(file) = file {
            lines.push(Line::parse(file, text).with_context(place)?);
        } else {
            bail!("{}: no [file] stands before it", place());
        }
    }
    Ok(lines)
}

impl Display for Key {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        f.write_str(&self.function)?;
        if let Some(label) = &self.label {
            write!(f, "@{label}")?;
        }
        if self.number > 1 {
            write!(f, "#{}", self.number)?;
        }
        Ok(())
    }
}

impl Display for Line {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        let Key {
            capabilities,
            helper,
            ..
        } = &self.key;
        write!(f, "{}", self.key)?;
        if let Some(under) = &self.under {
            write!(f, " < {under}")?;
        }
        let name = PROOFS.iter().find(|(proof, _)| *proof == self.proof);
        let proof = name.map_or("", |(_, name)| name);
        let (kernels, effect) = (&self.kernels, &self.effect);
        write!(
            f,
            " | {capabilities} | {helper} | {kernels} | {effect} | {proof} |"
        )?;
        if !self.sentence.is_empty() {
            write!(f, " {}", self.sentence)?;
        }
        Ok(())
    }
}
