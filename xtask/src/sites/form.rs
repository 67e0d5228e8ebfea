//! What a function does with the answer, if that is plain to see.
//!
//! Plain means: if it is not granted, the function returns an errno, either directly or by way of a
//! variable and a label, with nothing in between that could change it. Everything else is left for
//! a person to read: leaving it open is better than a mistake.

use tree_sitter::Node;

use super::errno::{assignment, errno};
use super::flow::Walk;
use super::helpers::Helpers;
use super::tree::{Body, children, collect};

/// What is plain about a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// If it is not granted, the function returns this errno.
    Refuses(String),
    /// The same, but the condition looks at something else first, and asks only if that does not
    /// decide.
    RefusesIf(String),
    /// A person has to read it.
    Open,
}

/// The form of the call at a node.
pub fn of(helpers: &Helpers, file: &str, body: &Body, call: Node) -> Form {
    let denied = Denied {
        helpers,
        file,
        body,
        call,
    };
    denied.form().unwrap_or(Form::Open)
}

/// A call, assumed to answer "false".
struct Denied<'a> {
    helpers: &'a Helpers,
    file: &'a str,
    body: &'a Body,
    call: Node<'a>,
}

impl Denied<'_> {
    fn form(&self) -> Option<Form> {
        let name = self.body.call(self.call)?.0;
        if !self.helpers.denies(self.file, name) {
            return None;
        }
        let (condition, owner) = self.condition()?;
        let changes = [
            "assignment_expression",
            "update_expression",
            "comma_expression",
        ];
        if owner.has_error()
            || changes
                .iter()
                .any(|kind| !collect(condition, kind).is_empty())
        {
            return None;
        }
        let holds = self.value(condition)?;
        let returned = |holds| match owner.kind() {
            "if_statement" => self.refusal(owner, holds),
            _ => self.chosen(owner, holds),
        };
        let errno = returned(holds)?;
        // If the result is the same whether granted or not, something else decides.
        if returned(!holds).as_ref() == Some(&errno) {
            return None;
        }
        Some(if self.comes_first(condition) {
            Form::Refuses(errno)
        } else {
            Form::RefusesIf(errno)
        })
    }

    /// The condition that the call is part of, and the `if` or `?:` that it belongs to.
    fn condition(&self) -> Option<(Node<'_>, Node<'_>)> {
        let mut at = self.call;
        loop {
            let parent = at.parent()?;
            match parent.kind() {
                "parenthesized_expression"
                | "unary_expression"
                | "binary_expression"
                | "argument_list" => at = parent,
                "call_expression" if self.hint(parent).is_some() => at = parent,
                "if_statement" | "conditional_expression" => {
                    let condition = parent.child_by_field_name("condition")?;
                    return (condition == at).then_some((condition, parent));
                }
                _ => return None,
            }
        }
    }

    /// What `likely(x)` or `unlikely(x)` holds.
    fn hint<'a>(&self, node: Node<'a>) -> Option<Node<'a>> {
        if node.kind() != "call_expression" {
            return None;
        }
        let function = node.child_by_field_name("function")?;
        if !["likely", "unlikely"].contains(&self.body.text(function)) {
            return None;
        }
        let arguments = children(node.child_by_field_name("arguments")?);
        match arguments.as_slice() {
            [one] => Some(*one),
            _ => None,
        }
    }

    fn holds_call(&self, node: Node) -> bool {
        node.byte_range().start <= self.call.byte_range().start
            && self.call.byte_range().end <= node.byte_range().end
    }

    /// The value of an expression if the call was made and answered "false"; `None` if something
    /// else decides, including another helper that may be granted.
    fn value(&self, node: Node) -> Option<bool> {
        self.value_with(node, None)
    }

    /// The same, given what the other helpers answer.
    fn value_with(&self, node: Node, others: Option<bool>) -> Option<bool> {
        if let Some(inner) = self.hint(node) {
            return self.value_with(inner, others);
        }
        let side = |name| node.child_by_field_name(name);
        let operator = side("operator").map(|it| it.kind());
        match (node.kind(), operator) {
            ("parenthesized_expression", _) if children(node).len() == 1 => {
                self.value_with(children(node)[0], others)
            }
            ("unary_expression", Some("!")) => {
                let value = self.value_with(side("argument")?, others)?;
                Some(!value)
            }
            ("binary_expression", Some(operator @ ("&&" | "||"))) => {
                let (left, right) = (side("left")?, side("right")?);
                // The right side is evaluated only if the left one does not decide.
                if self.holds_call(right) {
                    return self.value_with(right, others);
                }
                match self.value_with(left, others)? {
                    value if value == (operator == "||") => Some(value),
                    _ => self.value_with(right, others),
                }
            }
            ("call_expression", _) if node == self.call => Some(false),
            ("call_expression", _) => {
                let (name, _) = self.body.call(node)?;
                others.filter(|_| self.helpers.denies(self.file, name))
            }
            _ => None,
        }
    }

    /// Whether nothing else is evaluated first, apart from helpers that were granted. If the call
    /// is made because another one was not granted (`!capable(A) && !capable(B)`), it is an
    /// alternative.
    fn comes_first(&self, node: Node) -> bool {
        let side = |name| node.child_by_field_name(name);
        match node.kind() {
            "binary_expression" => {
                let (Some(left), Some(right)) = (side("left"), side("right")) else {
                    return false;
                };
                if self.holds_call(left) {
                    return self.comes_first(left);
                }
                let decides = side("operator").is_some_and(|it| it.kind() == "||");
                self.value_with(left, Some(false)) == Some(decides) && self.comes_first(right)
            }
            "call_expression" if node == self.call => true,
            _ => children(node)
                .into_iter()
                .filter(|inner| self.holds_call(*inner))
                .all(|inner| self.comes_first(inner)),
        }
    }

    /// `return granted ? 0 : -EPERM`.
    fn chosen(&self, choice: Node, holds: bool) -> Option<String> {
        let mut statement = choice.parent()?;
        while statement.kind() == "parenthesized_expression" {
            statement = statement.parent()?;
        }
        if statement.kind() != "return_statement" || self.body.is_conditional(statement) {
            return None;
        }
        let side = if holds { "consequence" } else { "alternative" };
        errno(self.body, choice.child_by_field_name(side)?)
    }

    /// What the function returns if the condition of an `if` holds, or if it does not.
    fn refusal(&self, statement: Node, holds: bool) -> Option<String> {
        if self.body.is_conditional(statement) {
            return None;
        }
        let walk = Walk::new(self.body, self.before(statement));
        let side = if holds { "consequence" } else { "alternative" };
        match statement.child_by_field_name(side) {
            Some(clause) if clause.kind() == "else_clause" => walk.from(*children(clause).first()?),
            Some(side) => walk.from(side),
            None => walk.behind(statement),
        }
    }

    /// A variable that the preceding statement sets to an errno.
    fn before(&self, statement: Node) -> Option<(String, String)> {
        let before = statement.prev_named_sibling()?;
        if self.body.is_conditional_between(before, statement) {
            return None;
        }
        assignment(self.body, before)
    }
}
