//! The top level of a C file: functions, and tables that name functions.
//!
//! The kernel's function headers are full of macros (`SYSCALL_DEFINE3(name, ...)`, `__init`,
//! `__acquires(lock)`) that a grammar without a preprocessor cannot parse. But the outline is
//! simple: a top-level brace whose header ends in parentheses begins a function. So the outline is
//! read here, and only each body goes to the parser ([`super::tree`]).

use super::text::Text;

/// A function of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name as on a stack, without the prefix before `sys_`.
    pub name: String,
    /// The names of its parameters; empty for one that a macro defines.
    pub parameters: Vec<String>,
    /// Everything before the brace.
    pub header: String,
    /// It is `static`.
    pub is_static: bool,
    /// It is a system call.
    pub is_syscall: bool,
    /// From its opening brace to just after its closing one.
    pub body: (usize, usize),
}

/// A table: `static const struct file_operations ops = { ... };`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Everything before the brace.
    pub header: String,
    /// From its opening brace to just after its closing one.
    pub body: (usize, usize),
}

/// The top level of a file.
#[derive(Debug, Default)]
pub struct Items {
    /// Its functions, in order.
    pub functions: Vec<Function>,
    /// Its tables, in order.
    pub tables: Vec<Table>,
    /// Everything else, such as declarations and calls of macros.
    pub rest: Vec<(usize, usize)>,
}

impl Items {
    /// Reads the outline of a file.
    pub fn new(text: &Text) -> Self {
        let code = &text.code;
        let mut items = Self::default();
        let module = module(text);
        let mut start = 0;
        let mut at = 0;
        while at < code.len() {
            match code[at] {
                b'(' | b'[' => at = matching(code, at),
                b'{' => {
                    let end = matching(code, at);
                    items.brace(code, (start, at), end, module);
                    at = end;
                    start = end;
                }
                b';' => {
                    items.rest.push((start, at));
                    at += 1;
                    start = at;
                }
                _ => at += 1,
            }
        }
        items.rest.push((start, code.len()));
        items
    }

    fn brace(&mut self, code: &[u8], before: (usize, usize), end: usize, module: &str) {
        let body = (before.1, end);
        let header = words(&code[before.0..before.1]);
        if header.contains('=') {
            self.tables.push(Table { header, body });
        } else if let Some(function) = function(&header, body, module) {
            self.functions.push(function);
        } else {
            self.rest.push(before);
            self.rest.push(body);
        }
    }
}

/// The offset after the bracket that closes the one at `open`; the end of the file if none does.
pub fn matching(code: &[u8], open: usize) -> usize {
    let close = match code[open] {
        b'(' => b')',
        b'[' => b']',
        _ => b'}',
    };
    let mut depth = 0;
    for (index, &byte) in code[open..].iter().enumerate() {
        if byte == code[open] {
            depth += 1;
        } else if byte == close {
            depth -= 1;
            if depth == 0 {
                return open + index + 1;
            }
        }
    }
    code.len()
}

/// With white space reduced to single blanks.
pub fn words(code: &[u8]) -> String {
    let text = String::from_utf8_lossy(code);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Macros with parentheses that annotate a function and are not its name.
const ATTRIBUTES: [&str; 16] = [
    "__acquires",
    "__alloc_size",
    "__attribute__",
    "__cond_acquires",
    "__diag_push",
    "__must_hold",
    "__no_sanitize",
    "__nocfi",
    "__printf",
    "__releases",
    "__scanf",
    "__section",
    "__releases_shared",
    "__acquires_shared",
    "__must_hold_shared",
    "__context_unsafe",
];

/// The function that a header declares, if it does.
fn function(header: &str, body: (usize, usize), module: &str) -> Option<Function> {
    let (word, open, end) = system_call(header).or_else(|| declarator(header))?;
    let inside = &header[open + 1..end.saturating_sub(1).max(open + 1)];
    let arguments = split(inside);
    let first = arguments.first().map_or("", |it| it.trim());
    let (name, is_syscall) = if is_numbered(word, "COMPAT_SYSCALL_DEFINE") {
        (format!("compat_sys_{first}"), true)
    } else if is_numbered(word, "SYSCALL_DEFINE") || is_numbered(word, "SYSCALL32_DEFINE") {
        (format!("sys_{first}"), true)
    } else if is_numbered(word, "BPF_CALL_") {
        (first.to_owned(), false)
    } else if word == HANDLER {
        (format!("{module}_handler_{first}"), false)
    } else {
        (word.to_owned(), false)
    };
    let before: Vec<_> = header[..open].split([' ', '*']).collect();
    Some(Function {
        parameters: arguments.iter().map(|it| parameter(it)).collect(),
        is_static: before.contains(&"static"),
        is_syscall,
        header: header.to_owned(),
        name,
        body,
    })
}

/// The macro that names a handler after its module (include/rdma/uverbs_named_ioctl.h, Linux 5.10
/// to 7.3).
const HANDLER: &str = "UVERBS_HANDLER";

/// The module that the handlers in a file are named after: its own, or that of
/// drivers/infiniband/core/uverbs.h, the only header that defines one (Linux 5.10 to 7.3).
fn module(text: &Text) -> &str {
    let mut macros = text.macros.iter();
    let own = macros.find(|it| it.name == "UVERBS_MODULE_NAME");
    own.map_or("ib_uverbs", |it| it.body.as_str())
}

/// The macro that defines a system call, at the end of a header: another macro called without a
/// semicolon (`DEFINE_CLASS(...)`) may come before it.
fn system_call(header: &str) -> Option<(&str, usize, usize)> {
    let open = header.rfind("SYSCALL_DEFINE")?;
    let open = open + header[open..].find('(')?;
    Some((
        last_word(&header[..open]),
        open,
        matching(header.as_bytes(), open),
    ))
}

/// The declared name, and where its parentheses open and close.
///
/// A macro called without a semicolon may come before it (`EXPORT_SYMBOL(f)`), and attributes may
/// follow it: no word separates those from the parentheses before them.
fn declarator(header: &str) -> Option<(&str, usize, usize)> {
    let bytes = header.as_bytes();
    let mut found = None;
    let mut at = 0;
    while let Some(open) = bytes[at..].iter().position(|&byte| byte == b'(') {
        let open = at + open;
        let end = matching(bytes, open);
        let name = last_word(&header[at..open]);
        let between = header[at..open].trim_end();
        let between = between[..between.len() - name.len()].trim();
        at = end;
        if name.is_empty() || ATTRIBUTES.contains(&name) {
            continue;
        }
        if found.is_none() || !between.is_empty() {
            found = Some((name, open, end));
        }
    }
    found
}

fn is_numbered(name: &str, prefix: &str) -> bool {
    name.strip_prefix(prefix)
        .is_some_and(|rest| rest.len() == 1)
}

/// The name at the end of `const struct file *file` or `int (*fn)(int)`.
fn parameter(declaration: &str) -> String {
    let declaration = match declaration.split_once("(*") {
        Some((_, rest)) => rest.split(')').next().unwrap_or(rest),
        None => declaration.split('[').next().unwrap_or(declaration),
    };
    last_word(declaration).to_owned()
}

/// The identifier that a text ends with.
pub fn last_word(text: &str) -> &str {
    let text = text.trim_end();
    let start = text
        .rfind(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .map_or(0, |at| at + 1);
    &text[start..]
}

/// The parts between commas that are not inside brackets.
pub fn split(list: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0, 0);
    for (index, byte) in list.bytes().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth -= 1,
            b',' if depth == 0 => {
                parts.push(list[start..index].trim());
                start = index + 1;
            }
            _ => {}
        }
    }
    let last = list[start..].trim();
    if !last.is_empty() || !parts.is_empty() {
        parts.push(last);
    }
    parts
}
