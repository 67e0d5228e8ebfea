//! Follows an errno through a function to its return.
//!
//! Only straight ahead: out of blocks, along labels, out of a switch. The walk ends at a statement
//! that leaves and does not depend on the errno alone, and at one that might change the errno.

use tree_sitter::Node;

use super::errno::{assignment, errno};
use super::tree::{Body, children, collect};

/// How many statements are followed.
const STATEMENTS: usize = 40;

/// A walk on its way to a return.
pub struct Walk<'a> {
    body: &'a Body,
    /// A variable that holds an errno, and the errno.
    known: Option<(String, String)>,
    /// How many more statements are looked at.
    left: usize,
}

/// What a statement leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// The next statement.
    Next,
    /// The function returns this errno.
    Returns(String),
    /// It cannot be determined.
    Lost,
}

impl<'a> Walk<'a> {
    /// A walk in which this variable is known to hold an errno.
    pub fn new(body: &'a Body, known: Option<(String, String)>) -> Self {
        Self {
            body,
            known,
            left: STATEMENTS,
        }
    }

    /// What the function returns if this statement is executed.
    pub fn from(mut self, statement: Node) -> Option<String> {
        match self.on(statement) {
            Step::Returns(errno) => Some(errno),
            _ => None,
        }
    }

    /// What the function returns if it continues after this statement.
    pub fn behind(mut self, statement: Node) -> Option<String> {
        match self.after(statement) {
            Step::Returns(errno) => Some(errno),
            _ => None,
        }
    }

    /// A statement and, if it does not leave, those that follow.
    fn on(&mut self, statement: Node) -> Step {
        match self.statement(statement) {
            Step::Next => self.after(statement),
            step => step,
        }
    }

    fn statement(&mut self, statement: Node) -> Step {
        let Some(left) = self.left.checked_sub(1) else {
            return Step::Lost;
        };
        self.left = left;
        if statement.has_error() || self.body.is_conditional(statement) {
            return Step::Lost;
        }
        match statement.kind() {
            "comment" | "declaration" | ";" => Step::Next,
            "compound_statement" => self.block(statement),
            "expression_statement" => self.expression(statement),
            "return_statement" => self.returned(statement),
            "goto_statement" => self.jump(statement),
            "break_statement" => self.out_of_switch(statement),
            "labeled_statement" => statement
                .named_child(1)
                .map_or(Step::Next, |inner| self.statement(inner)),
            "if_statement" => self.branch(statement),
            _ => Step::Lost,
        }
    }

    fn block(&mut self, block: Node) -> Step {
        for inner in children(block) {
            match self.statement(inner) {
                Step::Next => {}
                step => return step,
            }
        }
        Step::Next
    }

    fn expression(&mut self, statement: Node) -> Step {
        if let Some(known) = assignment(self.body, statement) {
            self.known = Some(known);
        } else if self.mentions(statement) && !self.only_tells(statement) {
            self.known = None;
        }
        Step::Next
    }

    /// Whether the statement prints or logs and takes no address.
    fn only_tells(&self, statement: Node) -> bool {
        let Some(name) = statement
            .named_child(0)
            .and_then(|call| self.body.call(call))
            .map(|(name, _)| name)
        else {
            return false;
        };
        let logs = ["audit_", "dev_", "pr_", "printk", "trace_"];
        logs.iter().any(|prefix| name.starts_with(prefix))
            && collect(statement, "pointer_expression").is_empty()
            && collect(statement, "assignment_expression").is_empty()
    }

    /// If the errno alone decides an `if`, it is followed; any other must make no difference.
    fn branch(&mut self, statement: Node) -> Step {
        let decided = statement
            .child_by_field_name("condition")
            .and_then(|condition| self.decided(condition));
        let side = match decided {
            Some(true) => statement.child_by_field_name("consequence"),
            Some(false) => statement.child_by_field_name("alternative"),
            None => return self.aside(statement),
        };
        let inner = side.map(|side| match side.kind() {
            "else_clause" => children(side).first().copied().unwrap_or(side),
            _ => side,
        });
        inner.map_or(Step::Next, |inner| self.statement(inner))
    }

    /// Whether a condition holds, if the errno alone decides: `if (v)`, `if (v < 0)`, `if (!v)`.
    fn decided(&self, condition: Node) -> Option<bool> {
        let (variable, errno) = self.known.as_ref()?;
        let text: String = self.body.text(condition).split_whitespace().collect();
        let mut text = text.as_str();
        loop {
            let inner = text
                .strip_prefix("unlikely(")
                .or_else(|| text.strip_prefix("likely("))
                .or_else(|| text.strip_prefix('('))
                .and_then(|rest| rest.strip_suffix(')'));
            match inner {
                Some(inner) if !inner.contains(['(', ')']) => text = inner,
                Some(inner) if inner.starts_with(['(', 'u', 'l']) => text = inner,
                _ => break,
            }
        }
        if let Some(negated) = text.strip_prefix('!') {
            return (negated == variable).then_some(false);
        }
        match text.strip_prefix(variable.as_str())? {
            "" | "<0" | "!=0" => Some(true),
            "==0" | ">=0" | ">0" => Some(false),
            other => {
                let (same, other) = match other.strip_prefix("==-E") {
                    Some(other) => (true, other),
                    None => (false, other.strip_prefix("!=-E")?),
                };
                let is_name = |byte: u8| byte.is_ascii_alphanumeric();
                other
                    .bytes()
                    .all(is_name)
                    .then_some((errno.strip_prefix('E')? == other) == same)
            }
        }
    }

    /// Whether a statement only does something else and continues: nothing in it leaves, and it
    /// does not change the variable.
    fn aside(&self, statement: Node) -> Step {
        let leaves = [
            "return_statement",
            "goto_statement",
            "break_statement",
            "continue_statement",
        ];
        let leaves = leaves
            .iter()
            .any(|kind| !collect(statement, kind).is_empty());
        if leaves || self.mentions(statement) {
            return Step::Lost;
        }
        Step::Next
    }

    fn mentions(&self, statement: Node) -> bool {
        self.known.as_ref().is_some_and(|(variable, _)| {
            let names = collect(statement, "identifier");
            names.iter().any(|name| self.body.text(*name) == variable)
        })
    }

    fn returned(&self, statement: Node) -> Step {
        let Some(value) = children(statement).first().copied() else {
            return Step::Lost;
        };
        if let Some(errno) = errno(self.body, value) {
            return Step::Returns(errno);
        }
        match &self.known {
            Some((variable, errno)) if self.body.text(value) == variable => {
                Step::Returns(errno.clone())
            }
            _ => Step::Lost,
        }
    }

    fn jump(&mut self, statement: Node) -> Step {
        let Some(name) = statement.child_by_field_name("label") else {
            return Step::Lost;
        };
        let mut labels = collect(self.body.root(), "labeled_statement");
        labels.retain(|label| {
            let own = label.child_by_field_name("label");
            own.is_some_and(|own| self.body.text(own) == self.body.text(name))
        });
        match labels.as_slice() {
            [one] => self.on(*one),
            _ => Step::Lost,
        }
    }

    fn out_of_switch(&mut self, statement: Node) -> Step {
        let mut at = statement;
        while let Some(parent) = at.parent() {
            match parent.kind() {
                "switch_statement" => return self.after(parent),
                "while_statement" | "for_statement" | "do_statement" => return Step::Lost,
                _ => at = parent,
            }
        }
        Step::Lost
    }

    /// What follows a statement: in its block, and after the block.
    fn after(&mut self, statement: Node) -> Step {
        let Some(parent) = statement.parent() else {
            return Step::Lost;
        };
        match parent.kind() {
            "if_statement" | "labeled_statement" => self.after(parent),
            "else_clause" => parent
                .parent()
                .map_or(Step::Lost, |owner| self.after(owner)),
            "compound_statement" | "case_statement" => self.siblings(statement, parent),
            _ => Step::Lost,
        }
    }

    fn siblings(&mut self, statement: Node, block: Node) -> Step {
        let mut last = statement;
        while let Some(next) = last.next_named_sibling() {
            if self.body.is_conditional_between(last, next) {
                return Step::Lost;
            }
            match self.statement(next) {
                Step::Next => last = next,
                step => return step,
            }
        }
        // The end of a case falls through to the next one.
        if block.kind() == "case_statement" || self.body.is_conditional_to_end(last, block) {
            return Step::Lost;
        }
        self.after(block)
    }
}
