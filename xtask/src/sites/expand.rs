//! Functions that a macro makes.
//!
//! A driver may define twenty files of sysfs by one macro that stands for a whole function, with
//! the name pasted together. Only such macros are expanded, where they stand at the top of a file.

use super::items::{matching, split, words};
use super::text::{Macro, Text};
use super::unit::Unit;

/// How deep a macro may stand for another.
const DEPTH: usize = 4;

/// What a macro that is called at an offset stands for, as a file of its own.
pub fn expand(unit: &Unit, at: usize, name: &str) -> Option<Unit> {
    let code = expansion(&unit.text.macros, &unit.text.code, at, name, DEPTH)?;
    code.contains('{').then(|| Unit::new(code.as_bytes()))
}

fn expansion(macros: &[Macro], code: &[u8], at: usize, name: &str, depth: usize) -> Option<String> {
    let it = macros.iter().rfind(|it| it.name == name)?;
    let open = at + name.len() + code[at + name.len()..].iter().position(|&it| it == b'(')?;
    let end = matching(code, open);
    let inside = words(&code[open + 1..end.saturating_sub(1).max(open + 1)]);
    let body = substitute(&it.body, &it.parameters, &split(&inside));
    let Some(depth) = depth.checked_sub(1).filter(|_| !body.contains('{')) else {
        return Some(body);
    };
    // It stands for other macros.
    let mut whole = String::new();
    for other in macros {
        let inner = Text::new(body.as_bytes());
        for at in super::unit::occurrences(&inner.code, &other.name) {
            whole += &expansion(macros, &inner.code, at, &other.name, depth).unwrap_or_default();
        }
    }
    Some(whole)
}

/// The body with arguments in place of parameters, and pasted.
fn substitute(body: &str, parameters: &[String], arguments: &[&str]) -> String {
    let mut text = String::new();
    let mut rest = body;
    while let Some(first) = rest.chars().next() {
        let length = rest
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        if length == 0 {
            text.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let (word, after) = rest.split_at(length);
        let argument = parameters.iter().position(|it| it == word);
        text += argument
            .and_then(|index| arguments.get(index))
            .unwrap_or(&word);
        rest = after;
    }
    while let Some(at) = text.find("##") {
        let (before, after) = text.split_at(at);
        text = format!("{}{}", before.trim_end(), after[2..].trim_start());
    }
    text
}
