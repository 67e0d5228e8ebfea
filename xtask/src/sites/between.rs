//! Which callers that lines name may have no frame of their own on a stack, and where.
//!
//! A line about a caller holds where that caller is on the stack. The compiler inlines it into its own
//! callers, or lets it jump to what it calls last: then the stack shows the frame above it next to the
//! frame below it. For such pairs of neighbours, the source tells all ways from one to the other.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::rc::Rc;

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};

use super::index::Index;
use super::items::{Function, matching};
use super::line::Line;
use super::source::Source;
use super::unit::{Unit, is_called, occurrences};

/// How far below a caller the site may be, in calls.
const BELOW: usize = 4;
/// How many functions in a row may have no frame.
const HIDDEN: usize = 4;

/// For two functions that follow each other on a stack, the outer one first: the ways from one to the
/// other, each with the named callers on it, the nearest to the site first.
pub type Between = BTreeMap<(String, String), BTreeSet<Vec<String>>>;

/// A function of a source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Place {
    file: String,
    name: String,
    is_static: bool,
}

impl Place {
    fn new(file: &str, function: &Function) -> Self {
        Self {
            file: file.into(),
            name: function.name.clone(),
            is_static: function.is_static,
        }
    }

    /// It belongs to every file that calls it.
    fn is_in_header(&self) -> bool {
        self.file.ends_with(".h")
    }
}

/// A call of a function.
struct Call {
    from: Place,
    /// The caller returns what this call returns, so that it may be a jump.
    is_last: bool,
}

/// The callers that lines name, by the file and the function of the site.
type Named<'a> = BTreeMap<(&'a str, &'a str), BTreeSet<&'a str>>;

/// The pairs of a kernel, given its lines: from the cache, or else by reading its source.
pub fn find<'a>(source: &Source, lines: impl Iterator<Item = &'a Line>) -> Result<Between> {
    let mut named = Named::new();
    for line in lines {
        if let Some(under) = &line.under {
            let site = (&*line.key.file, &*line.key.function);
            named.entry(site).or_default().insert(under);
        }
    }
    let made_of = format!("{}{named:?}{}", source.package, include_str!("between.rs"));
    let digest = format!("{:x}", Sha256::digest(made_of));
    let name = format!("between-{}.json", &digest[..16]);
    let cached = source.root.with_file_name(name);
    let pairs: Vec<_> = if cached.is_file() {
        let text = fs::read_to_string(&cached)?;
        serde_json::from_str(&text)
            .with_context(|| format!("{} is broken; remove it", cached.display()))?
    } else {
        let pairs = read(source, &named)?.into_iter().collect();
        fs::write(&cached, serde_json::to_string(&pairs)?)?;
        pairs
    };
    Ok(pairs.into_iter().collect())
}

fn read(source: &Source, named: &Named<'_>) -> Result<Between> {
    let mut search = Search {
        index: Index::new(source)?,
        units: HashMap::new(),
        calls: HashMap::new(),
    };
    let mut between = Between::new();
    for ((file, function), callers) in named {
        for inner in search.below(file, function, callers)? {
            let mut ways = Between::new();
            search.climb(&inner, &inner, &mut Vec::new(), callers, &mut ways)?;
            ways.retain(|_, ways| ways.iter().any(|way| !way.is_empty()));
            for (pair, ways) in ways {
                between.entry(pair).or_default().extend(ways);
            }
        }
    }
    Ok(between)
}

struct Search<'a> {
    index: Index<'a>,
    units: HashMap<String, Rc<Unit>>,
    calls: HashMap<Place, Rc<Vec<Call>>>,
}

impl Search<'_> {
    fn unit(&mut self, file: &str) -> Result<Rc<Unit>> {
        if let Some(unit) = self.units.get(file) {
            return Ok(Rc::clone(unit));
        }
        let unit = Rc::new(self.index.unit(file)?);
        self.units.insert(file.into(), Rc::clone(&unit));
        Ok(unit)
    }

    /// The functions that may be the frame below a named caller: that of the site, those that call it,
    /// and so on, up to the named callers.
    fn below(
        &mut self,
        file: &str,
        function: &str,
        callers: &BTreeSet<&str>,
    ) -> Result<BTreeSet<Place>> {
        let unit = self.unit(file)?;
        let is_it = |it: &&Function| it.name == function;
        let mut level: BTreeSet<Place> = unit
            .items
            .functions
            .iter()
            .filter(is_it)
            .map(|it| Place::new(file, it))
            .collect();
        let mut all = level.clone();
        for _ in 0..BELOW {
            let mut next = BTreeSet::new();
            for place in level {
                for call in self.calls_of(&place)?.iter() {
                    let is_named = callers.contains(&*call.from.name);
                    if !is_named && all.insert(call.from.clone()) {
                        next.insert(call.from.clone());
                    }
                }
            }
            level = next;
        }
        Ok(all)
    }

    /// Goes from a frame, `inner`, to all frames that may be next to it, over functions that may have
    /// none: `hidden`, of which `at` is the last.
    fn climb(
        &mut self,
        inner: &Place,
        at: &Place,
        hidden: &mut Vec<Place>,
        named: &BTreeSet<&str>,
        ways: &mut Between,
    ) -> Result<()> {
        for call in self.calls_of(at)?.iter() {
            let from = &call.from;
            let is_inlined = hidden
                .last()
                .is_none_or(|last| last.is_in_header() || last.file == from.file);
            let jumped = self.jumps(hidden, inner)?;
            if !(is_inlined || jumped) || hidden.contains(from) || from == inner {
                continue;
            }
            let way = hidden.iter().map(|place| &*place.name);
            let way = way.filter(|name| named.contains(name)).map(str::to_owned);
            ways.entry((from.name.clone(), inner.name.clone()))
                .or_default()
                .insert(way.collect());
            if hidden.len() < HIDDEN {
                hidden.push(from.clone());
                self.climb(inner, from, hidden, named, ways)?;
                hidden.pop();
            }
        }
        Ok(())
    }

    /// Whether the last of these functions may have left no frame because it ended with a jump.
    fn jumps(&mut self, hidden: &[Place], inner: &Place) -> Result<bool> {
        let Some((last, rest)) = hidden.split_last() else {
            return Ok(true);
        };
        let called = rest.last().unwrap_or(inner).clone();
        let calls = self.calls_of(&called)?;
        Ok(calls.iter().any(|call| call.from == *last && call.is_last))
    }

    fn calls_of(&mut self, called: &Place) -> Result<Rc<Vec<Call>>> {
        if let Some(calls) = self.calls.get(called) {
            return Ok(Rc::clone(calls));
        }
        let files: Vec<String> = match called.is_static && !called.is_in_header() {
            true => vec![called.file.clone()],
            false => {
                let files = self.index.with(std::iter::once(&called.name));
                files.into_iter().map(str::to_owned).collect()
            }
        };
        let mut calls = Vec::new();
        for file in files {
            let unit = self.unit(&file)?;
            // Another function of this name hides it.
            let hides = |it: &Function| it.name == called.name && it.is_static;
            if file != called.file && unit.items.functions.iter().any(hides) {
                continue;
            }
            for function in &unit.items.functions {
                let code = unit.code(function.body);
                let mut at = occurrences(code, &called.name);
                at.retain(|&at| is_called(code, at, &called.name));
                if !at.is_empty() && function.name != called.name {
                    calls.push(Call {
                        from: Place::new(&file, function),
                        is_last: at.iter().any(|&at| is_last(code, at)),
                    });
                }
            }
        }
        let calls = Rc::new(calls);
        self.calls.insert(called.clone(), Rc::clone(&calls));
        Ok(calls)
    }
}

/// Whether the call at an offset is what a function returns, or the last that it does.
fn is_last(code: &[u8], at: usize) -> bool {
    let returned = code[..at].trim_ascii_end().ends_with(b"return");
    let Some(open) = code[at..].iter().position(|&byte| byte == b'(') else {
        return false;
    };
    let behind = code[matching(code, at + open)..].trim_ascii_start();
    let ends = behind.strip_prefix(b";").map(<[u8]>::trim_ascii_start);
    ends.is_some_and(|rest| returned || rest == b"}")
}

#[cfg(test)]
mod tests {
    use super::{super::tests::source, *};

    const PERMISSION: &str = "
int ask(struct inode *inode)
{
	return capable(CAP_SYS_ADMIN) ? 0 : -EPERM;
}
";
    const CALLERS: &str = "
static int may_make(struct inode *dir)
{
	int error = ask(dir);
	if (error)
		return error;
	return 0;
}

static int may_look(struct inode *inode)
{
	return ask(inode);
}

int make(struct inode *dir)
{
	return may_make(dir) ?: 0;
}

int move(struct inode *from, struct inode *to)
{
	int error = ask(from);
	return error ? error : may_make(to);
}
";

    /// The ways in a source with two files, of a line about `ask` under `caller`.
    fn ways(caller: &str) -> Vec<String> {
        let (_folder, source) = source(&[("fs/ask.c", PERMISSION), ("fs/callers.c", CALLERS)]);
        let named = Named::from([(("fs/ask.c", "ask"), BTreeSet::from([caller]))]);
        let pair = |((outer, inner), ways): ((String, String), BTreeSet<Vec<String>>)| {
            let ways: Vec<_> = ways.iter().map(|way| way.join(",")).collect();
            format!("{outer} {inner}: {}", ways.join("|"))
        };
        read(&source, &named)
            .unwrap()
            .into_iter()
            .map(pair)
            .collect()
    }

    #[test]
    fn the_ways_over_a_caller_that_may_be_inlined_are_told_from_those_past_it() {
        assert_eq!(
            ways("may_make"),
            ["make ask: may_make", "move ask: |may_make"]
        );
    }

    #[test]
    fn a_caller_that_nobody_calls_hides_behind_nothing() {
        assert_eq!(ways("may_look"), [""; 0]);
    }

    #[test]
    fn a_call_may_be_a_jump_if_its_result_is_returned_or_nothing_follows() {
        let is_last = |code: &str| is_last(code.as_bytes(), code.find("ask").unwrap());
        assert!(is_last("{ return ask(a, (b)); x(); }"));
        assert!(is_last("{ x(); ask(a);\n}"));
        assert!(!is_last("{ int error = ask(a); return error; }"));
        assert!(!is_last("{ return ask(a) ? 0 : 1; }"));
    }
}
