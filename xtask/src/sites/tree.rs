//! A function's body as a syntax tree.
//!
//! The grammar is tree-sitter's for C. Macros that stand for a loop or a block are first replaced
//! with C's own keywords, and annotations that only sparse reads are blanked; all offsets stay the
//! same.

use tree_sitter::{Node, Parser, Tree};

use super::text::Text;

/// Makes a body a function for the parser.
const HEADER: &[u8] = b"void f(void)";

/// Annotations that may occur where the grammar expects none.
const ANNOTATIONS: [&str; 18] = [
    "__always_unused",
    "__bitwise",
    "__counted_by",
    "__force",
    "__free",
    "__init",
    "__initdata",
    "__iomem",
    "__kernel",
    "__maybe_unused",
    "__nocast",
    "__percpu",
    "__private",
    "__rcu",
    "__read_mostly",
    "__safe",
    "__user",
    "fallthrough",
];

/// A body and its tree.
pub struct Body {
    text: Vec<u8>,
    tree: Tree,
    /// Where the body begins in its file.
    offset: usize,
    /// Where the file has conditional directives within the body.
    conditionals: Vec<usize>,
}

impl Body {
    /// Parses the text between two offsets of a file, braces included.
    pub fn new(parser: &mut Parser, text: &Text, (from, to): (usize, usize)) -> Option<Self> {
        let mut body = Self::parse(parser, &text.code[from..to], from)?;
        let conditionals = text.conditionals.iter().copied();
        body.conditionals = conditionals.filter(|it| (from..to).contains(it)).collect();
        Some(body)
    }

    /// Parses the body of a macro. Whatever it pastes together becomes one word.
    pub fn of_macro(parser: &mut Parser, body: &str) -> Option<Self> {
        let pieces: Vec<_> = body.split("##").map(str::trim).collect();
        Self::parse(parser, format!("{{{};}}", pieces.join("_")).as_bytes(), 0)
    }

    fn parse(parser: &mut Parser, body: &[u8], offset: usize) -> Option<Self> {
        let mut text = HEADER.to_vec();
        text.extend_from_slice(body);
        put_into_c(&mut text[HEADER.len()..]);
        let tree = parser.parse(&text, None)?;
        Some(Self {
            text,
            tree,
            offset,
            conditionals: Vec::new(),
        })
    }

    /// The root node.
    pub fn root(&self) -> Node<'_> {
        self.tree.root_node()
    }

    /// The function's block.
    pub fn block(&self) -> Option<Node<'_>> {
        let function = self.root().named_child(0)?;
        function.child_by_field_name("body")
    }

    /// The text of a node.
    pub fn text(&self, node: Node) -> &str {
        std::str::from_utf8(&self.text[node.byte_range()]).unwrap_or("")
    }

    /// Where a node begins in the file.
    pub fn offset(&self, node: Node) -> usize {
        (node.start_byte() + self.offset).saturating_sub(HEADER.len())
    }

    /// Whether there is a conditional directive within a node.
    pub fn is_conditional(&self, node: Node) -> bool {
        let (from, to) = (
            self.offset(node),
            self.offset(node) + node.byte_range().len(),
        );
        self.conditionals.iter().any(|it| (from..to).contains(it))
    }

    /// Whether there is a conditional directive between two nodes.
    pub fn is_conditional_between(&self, first: Node, second: Node) -> bool {
        let (from, to) = (self.offset(first), self.offset(second));
        self.conditionals.iter().any(|it| (from..to).contains(it))
    }

    /// Whether there is a conditional directive between the beginning of a node and the end of
    /// another.
    pub fn is_conditional_to_end(&self, first: Node, last: Node) -> bool {
        let (from, to) = (
            self.offset(first),
            self.offset(last) + last.byte_range().len(),
        );
        self.conditionals.iter().any(|it| (from..to).contains(it))
    }

    /// All nodes, each before its children.
    pub fn nodes(&self) -> Vec<Node<'_>> {
        let mut nodes = Vec::new();
        let mut open = vec![self.root()];
        while let Some(node) = open.pop() {
            nodes.push(node);
            for index in (0..node.child_count()).rev() {
                open.extend(node.child(index as u32));
            }
        }
        nodes
    }

    /// The function that a call names, and its arguments. Reading a member that stands for a check
    /// counts as such a call, without arguments.
    pub fn call<'a>(&'a self, node: Node<'a>) -> Option<(&'a str, Vec<Node<'a>>)> {
        if node.kind() == "field_expression" {
            let member = self.text(node.child_by_field_name("field")?);
            return (MEMBERS.contains(&member) && !is_set(node)).then(|| (member, Vec::new()));
        }
        if node.kind() != "call_expression" {
            return None;
        }
        let function = node.child_by_field_name("function")?;
        if function.kind() != "identifier" {
            return None;
        }
        let arguments = node.child_by_field_name("arguments")?;
        Some((self.text(function), children(arguments)))
    }
}

/// Members that store an earlier answer: whether the creator of a user namespace had SETFCAP
/// (kernel/user_namespace.c create_user_ns, verify_root_map; Linux 6.1).
const MEMBERS: [&str; 1] = ["parent_could_setfcap"];

/// Whether the node is the target of an assignment.
fn is_set(node: Node) -> bool {
    let parent = node.parent();
    parent.is_some_and(|it| it.child_by_field_name("left") == Some(node))
}

/// The named children that are not comments.
pub fn children(node: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = node.walk();
    let all = node.named_children(&mut cursor);
    all.filter(|child| child.kind() != "comment").collect()
}

/// A parser of C.
pub fn parser() -> anyhow::Result<Parser> {
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_c::LANGUAGE.into())?;
    Ok(parser)
}

/// Replaces the kernel's own keywords with C's, of the same length.
fn put_into_c(code: &mut [u8]) {
    let mut at = 0;
    while at < code.len() {
        if !is_word(code[at]) {
            at += 1;
            continue;
        }
        let length = code[at..]
            .iter()
            .position(|&byte| !is_word(byte))
            .unwrap_or(code.len() - at);
        let word = String::from_utf8_lossy(&code[at..at + length]).into_owned();
        let called = code[at + length..].trim_ascii_start().first() == Some(&b'(');
        let instead = if ANNOTATIONS.contains(&&*word) {
            Some("")
        } else if called && (word.contains("for_each") || word.starts_with("foreach")) {
            Some("while")
        } else if called && word.starts_with("scoped_") {
            Some("if")
        } else {
            None
        };
        if let Some(instead) = instead {
            for (index, byte) in code[at..at + length].iter_mut().enumerate() {
                *byte = instead.as_bytes().get(index).copied().unwrap_or(b' ');
            }
        }
        at += length;
    }
}

/// Whether the byte can be part of an identifier.
pub fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// All nodes of a kind within a node, itself included.
pub fn collect<'a>(node: Node<'a>, kind: &str) -> Vec<Node<'a>> {
    let mut found = Vec::new();
    let mut open = vec![node];
    while let Some(node) = open.pop() {
        if node.kind() == kind {
            found.push(node);
        }
        open.extend((0..node.named_child_count()).filter_map(|it| node.named_child(it as u32)));
    }
    found
}
