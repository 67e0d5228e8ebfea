//! Sets of capabilities as written by libcap's programs and `capable inspect`.

use std::fs;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// The three sets that libcap's text contains.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sets {
    /// What checks look at.
    pub effective: u64,
    /// What can be made effective.
    pub permitted: u64,
    /// What execve keeps if the file has it too.
    pub inheritable: u64,
}

/// The set that an array of names in JSON stands for.
///
/// # Errors
/// If it is not such an array.
pub fn bits(names_of: &Value, names: &[String]) -> Result<u64> {
    let listed = names_of
        .as_array()
        .with_context(|| format!("no set: {names_of}"))?;
    listed.iter().try_fold(0, |set, name| {
        let name = name.as_str().context("no name")?;
        Ok(set | 1 << number(&name.to_ascii_lowercase(), names)?)
    })
}

/// The sets of a process, as `inspect` tells them.
///
/// # Errors
/// When one is missing.
pub fn sets(process: &Value, names: &[String]) -> Result<Sets> {
    Ok(Sets {
        effective: bits(&process["effective"], names)?,
        permitted: bits(&process["permitted"], names)?,
        inheritable: bits(&process["inheritable"], names)?,
    })
}

fn number(name: &str, names: &[String]) -> Result<usize> {
    names
        .iter()
        .position(|known| known == name)
        .with_context(|| format!("{name} is not in the list"))
}

/// Reads cap_to_text(3): clauses of names and operators, such as `=ep cap_kill-e`.
///
/// # Errors
/// When it is not of this form.
pub fn parse(text: &str, names: &[String]) -> Result<Sets> {
    let last: u32 = fs::read_to_string("/proc/sys/kernel/cap_last_cap")?
        .trim()
        .parse()?;
    let all = u64::MAX >> (63 - last);
    let mut sets = Sets::default();
    for clause in text.split_whitespace() {
        let end = clause.find(['=', '+', '-']).context("no operator")?;
        let (listed, operators) = clause.split_at(end);
        let mut chosen = 0;
        for name in listed.split(',').filter(|name| !name.is_empty()) {
            chosen |= match name {
                "all" => all,
                _ => 1 << number(name, names)?,
            };
        }
        if listed.is_empty() {
            chosen = all;
        }
        let mut operator = '=';
        for c in operators.chars() {
            let set = match c {
                '=' | '+' | '-' => {
                    operator = c;
                    if c == '=' {
                        sets.effective &= !chosen;
                        sets.permitted &= !chosen;
                        sets.inheritable &= !chosen;
                    }
                    continue;
                }
                'e' => &mut sets.effective,
                'p' => &mut sets.permitted,
                'i' => &mut sets.inheritable,
                _ => bail!("not from libcap: {text:?}"),
            };
            if operator == '-' {
                *set &= !chosen;
            } else {
                *set |= chosen;
            }
        }
    }
    Ok(sets)
}
