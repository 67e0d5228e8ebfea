//! C source in the form that the scanner reads: the same length, without what a parser cannot
//! handle.
//!
//! The kernel is read as it is on disk, with all its configurations at once: nothing is
//! preprocessed. Comments, directives and quoted text become blanks, so that every offset stays the
//! same. Both branches of a conditional are kept, unless braces open in one and close in the other;
//! then only the first one stays. Branches that no kernel has are left out (`#if 0`). Macros are
//! stored separately.

/// A macro of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Macro {
    /// Its name.
    pub name: String,
    /// Its parameters; `None` if it takes none.
    pub parameters: Vec<String>,
    /// Its expansion, on one line.
    pub body: String,
    /// Where it begins.
    pub offset: usize,
}

/// A file without comments, directives and the content of strings.
#[derive(Debug, Default)]
pub struct Text {
    /// As long as the file.
    pub code: Vec<u8>,
    /// Its macros.
    pub macros: Vec<Macro>,
    /// What was left out as another branch: its offset and its text.
    pub hidden: Vec<(usize, Vec<u8>)>,
    /// The offsets of `#if`, `#else`, `#endif` and the like.
    pub conditionals: Vec<usize>,
}

/// A conditional directive in a file.
struct Conditional {
    /// The offsets of the beginning and the end of its line.
    line: (usize, usize),
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    If(Branch),
    Else,
    End,
}

/// Which branch of a conditional exists in the kernels that the atlas is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Branch {
    Any,
    First,
    NotFirst,
}

/// Macros that all these kernels define: options that Debian enables on both architectures, and
/// ioctl numbers that both have (include/uapi/asm-generic/ioctls.h; Linux 5.10 to 7.3).
const DEFINED: [&str; 2] = ["CONFIG_PERF_EVENTS", "TCGETS2"];

/// What is known about the branch after `#if`, `#ifdef` or `#ifndef`.
fn branch(directive: &str, rest: &str) -> Branch {
    match directive {
        "if" if rest == "0" => Branch::NotFirst,
        "ifdef" if DEFINED.contains(&rest) => Branch::First,
        "ifndef" if DEFINED.contains(&rest) => Branch::NotFirst,
        _ => Branch::Any,
    }
}

impl Text {
    /// Reads a file.
    pub fn new(raw: &[u8]) -> Self {
        let mut text = Self {
            code: without_comments(raw),
            ..Self::default()
        };
        let conditionals = text.take_directives(raw);
        text.hide(&conditionals);
        text.conditionals = conditionals.iter().map(|it| it.line.0).collect();
        text
    }

    /// The line of an offset, from 1.
    pub fn line(&self, offset: usize) -> usize {
        let before = &self.code[..offset.min(self.code.len())];
        1 + before.iter().filter(|&&byte| byte == b'\n').count()
    }

    /// Blanks all directives, stores macros, and returns those that are conditional.
    fn take_directives(&mut self, raw: &[u8]) -> Vec<Conditional> {
        let mut conditionals = Vec::new();
        let mut start = 0;
        while start < self.code.len() {
            let mut end = line_end(&self.code, start);
            let first = self.code[start..end]
                .iter()
                .position(|byte| !byte.is_ascii_whitespace());
            if first.is_some_and(|at| self.code[start + at] == b'#') {
                while end < self.code.len() && is_continued(raw, start, end) {
                    end = line_end(&self.code, end + 1);
                }
                let line = String::from_utf8_lossy(&self.code[start..end]).into_owned();
                let line = line.replace("\\\n", "  ");
                let rest = line.trim_start().trim_start_matches('#').trim_start();
                let word: String = rest
                    .chars()
                    .take_while(|c| c.is_ascii_alphabetic())
                    .collect();
                let rest = rest[word.len()..].trim();
                let kind = match &*word {
                    "define" => {
                        self.macros.extend(definition(rest, start));
                        None
                    }
                    "if" | "ifdef" | "ifndef" => Some(Kind::If(branch(&word, rest))),
                    "else" | "elif" => Some(Kind::Else),
                    "endif" => Some(Kind::End),
                    _ => None,
                };
                if let Some(kind) = kind {
                    conditionals.push(Conditional {
                        line: (start, end),
                        kind,
                    });
                }
                blank(&mut self.code[start..end]);
            }
            start = end + 1;
        }
        conditionals
    }

    /// Blanks the branches that cannot be kept next to the first one.
    fn hide(&mut self, conditionals: &[Conditional]) {
        let mut open: Vec<(Branch, Vec<(usize, usize)>)> = Vec::new();
        let mut starts: Vec<usize> = Vec::new();
        for conditional in conditionals {
            let (start, end) = conditional.line;
            match conditional.kind {
                Kind::If(branch) => {
                    open.push((branch, Vec::new()));
                    starts.push(end);
                }
                Kind::Else => {
                    if let (Some((_, branches)), Some(from)) = (open.last_mut(), starts.last_mut())
                    {
                        branches.push((*from, start));
                        *from = end;
                    }
                }
                Kind::End => {
                    let (Some((branch, mut branches)), Some(from)) = (open.pop(), starts.pop())
                    else {
                        continue;
                    };
                    branches.push((from, start));
                    self.hide_group(branch, &branches);
                }
            }
        }
    }

    fn hide_group(&mut self, branch: Branch, branches: &[(usize, usize)]) {
        let balanced = |&(from, to): &(usize, usize)| is_balanced(&self.code[from..to]);
        let hidden: Vec<_> = if branch == Branch::NotFirst {
            branches[..1].to_vec()
        } else if branch == Branch::First || !branches.iter().all(balanced) {
            branches[1..].to_vec()
        } else {
            Vec::new()
        };
        for (from, to) in hidden {
            if branch == Branch::Any {
                self.hidden.push((from, self.code[from..to].to_vec()));
            }
            blank(&mut self.code[from..to]);
        }
    }
}

fn line_end(code: &[u8], start: usize) -> usize {
    code[start..]
        .iter()
        .position(|&byte| byte == b'\n')
        .map_or(code.len(), |at| start + at)
}

/// Whether the line that ends here continues: its last byte is a backslash. This looks at the
/// original file, because a comment may have come before it.
fn is_continued(raw: &[u8], start: usize, end: usize) -> bool {
    let line = &raw[start..end.min(raw.len())];
    line.trim_ascii_end().last() == Some(&b'\\')
}

fn is_balanced(code: &[u8]) -> bool {
    let (mut braces, mut parens) = (0i32, 0i32);
    for byte in code {
        match byte {
            b'{' => braces += 1,
            b'}' => braces -= 1,
            b'(' => parens += 1,
            b')' => parens -= 1,
            _ => {}
        }
        if braces < 0 || parens < 0 {
            return false;
        }
    }
    braces == 0 && parens == 0
}

fn blank(code: &mut [u8]) {
    for byte in code {
        if *byte != b'\n' {
            *byte = b' ';
        }
    }
}

/// `NAME(a, b) body` or `NAME body`.
fn definition(rest: &str, offset: usize) -> Option<Macro> {
    let length = rest
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .unwrap_or(rest.len());
    let (name, rest) = rest.split_at(length);
    let (parameters, body) = match rest.strip_prefix('(') {
        Some(rest) => {
            let (parameters, body) = rest.split_once(')')?;
            let parameters = parameters.split(',').map(|it| it.trim().to_owned());
            (parameters.filter(|it| !it.is_empty()).collect(), body)
        }
        None => (Vec::new(), rest),
    };
    (!name.is_empty()).then(|| Macro {
        name: name.into(),
        parameters,
        body: body.trim().into(),
        offset,
    })
}

/// Comments and the content of strings and characters become blanks.
fn without_comments(raw: &[u8]) -> Vec<u8> {
    let mut code = raw.to_vec();
    let mut at = 0;
    while at < code.len() {
        let rest = &raw[at..];
        if rest.starts_with(b"/*") {
            let length = find(&rest[2..], b"*/").map_or(rest.len(), |end| end + 4);
            blank(&mut code[at..at + length]);
            at += length;
        } else if rest.starts_with(b"//") {
            let end = line_end(raw, at);
            blank(&mut code[at..end]);
            at = end;
        } else if let quote @ (b'"' | b'\'') = raw[at] {
            let end = quoted_end(raw, at, quote);
            let content = at + 1..end.saturating_sub(1).max(at + 1);
            // A character literal stays one for the parser.
            let fill = if quote == b'\'' { b'0' } else { b' ' };
            for (index, byte) in code[content].iter_mut().enumerate() {
                if *byte != b'\n' && *byte != b'\\' || quote == b'\'' {
                    *byte = if index == 0 { fill } else { b' ' };
                } else if *byte == b'\\' {
                    *byte = b' ';
                }
            }
            at = end;
        } else {
            at += 1;
        }
    }
    code
}

/// The offset after the closing quote, or the end of the line if there is none.
fn quoted_end(raw: &[u8], start: usize, quote: u8) -> usize {
    let mut at = start + 1;
    while at < raw.len() {
        match raw[at] {
            b'\\' => at += 2,
            b'\n' => return at,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    raw.len()
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}
