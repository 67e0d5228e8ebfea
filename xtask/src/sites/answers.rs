//! Functions and macros that only answer.

use tree_sitter::Node;

use super::helpers::Helpers;
use super::tree::{Body, children};

impl Helpers {
    /// Whether the body only answers: it consists of declarations, and returns of truth values. One
    /// that returns an errno is a site of its own.
    pub fn only_answers(&self, file: &str, body: &Body) -> bool {
        let Some(block) = body.block() else {
            return false;
        };
        let statements = children(block);
        !block.has_error()
            && statements.len() <= 8
            && statements
                .iter()
                .all(|statement| self.is_answer(file, body, *statement))
    }

    fn is_answer(&self, file: &str, body: &Body, statement: Node) -> bool {
        let inner = children(statement);
        match statement.kind() {
            "declaration" => true,
            "return_statement" => inner.len() == 1 && self.is_truth(file, body, inner[0]),
            "if_statement" => ["consequence", "alternative"]
                .iter()
                .filter_map(|name| statement.child_by_field_name(name))
                .all(|branch| self.is_answer(file, body, branch)),
            "compound_statement" | "else_clause" => {
                inner.iter().all(|it| self.is_answer(file, body, *it))
            }
            _ => false,
        }
    }

    /// A constant truth value, or an expression of comparisons and calls joined by `&&`, `||`, `!`.
    fn is_truth(&self, file: &str, body: &Body, node: Node) -> bool {
        let operator = node.child_by_field_name("operator").map(|it| it.kind());
        match node.kind() {
            "true" | "false" => true,
            "number_literal" => ["0", "1"].contains(&body.text(node)),
            "parenthesized_expression" => {
                let inner = children(node);
                inner.iter().all(|it| self.is_truth(file, body, *it))
            }
            "unary_expression" => operator == Some("!"),
            "binary_expression" => operator
                .is_some_and(|it| ["&&", "||", "==", "!=", "<", ">", "<=", ">="].contains(&it)),
            "call_expression" => self.called(file, body, node).is_some(),
            _ => false,
        }
    }

    /// Whether the body is one answer (for a macro: one expression) made of helpers that deny,
    /// joined by `||`, or by `&&` with anything.
    pub fn answer_denies(&self, file: &str, body: &Body) -> bool {
        answer(body).is_some_and(|it| self.expression_denies(file, body, it))
    }

    /// Whether the only answer of a body is something else `||` a helper, or that of a helper for
    /// which this is true.
    pub fn looks_first(&self, file: &str, body: &Body) -> bool {
        answer(body).is_some_and(|it| self.expression_looks_first(file, body, it))
    }

    fn expression_looks_first(&self, file: &str, body: &Body, node: Node) -> bool {
        let operator = node.child_by_field_name("operator").map(|it| it.kind());
        let inner = children(node);
        match (node.kind(), operator) {
            ("parenthesized_expression", _) => inner
                .first()
                .is_some_and(|it| self.expression_looks_first(file, body, *it)),
            ("binary_expression", Some("||")) => match inner.as_slice() {
                [left, right] => {
                    self.expression_looks_first(file, body, *left)
                        || !self.is_in(file, body, *left) && self.is_in(file, body, *right)
                }
                _ => false,
            },
            ("call_expression", _) => body
                .call(node)
                .and_then(|(name, _)| self.get(file, name))
                .is_some_and(|helper| helper.looks_first),
            _ => false,
        }
    }

    /// Whether a helper is called within a node.
    fn is_in(&self, file: &str, body: &Body, node: Node) -> bool {
        body.call(node)
            .is_some_and(|(name, _)| self.get(file, name).is_some())
            || children(node).iter().any(|it| self.is_in(file, body, *it))
    }

    fn expression_denies(&self, file: &str, body: &Body, node: Node) -> bool {
        let side = |name| {
            node.child_by_field_name(name)
                .is_some_and(|it| self.expression_denies(file, body, it))
        };
        let operator = node.child_by_field_name("operator").map(|it| it.kind());
        match (node.kind(), operator) {
            ("parenthesized_expression", _) => children(node)
                .first()
                .is_some_and(|it| self.expression_denies(file, body, *it)),
            // The left side is evaluated first: if it holds, the helper is not asked.
            ("binary_expression", Some("||")) => {
                let left = node.child_by_field_name("left");
                side("right")
                    && (side("left") || !left.is_some_and(|it| self.is_in(file, body, it)))
            }
            ("binary_expression", Some("&&")) => side("left") || side("right"),
            ("call_expression", _) => body
                .call(node)
                .is_some_and(|(name, _)| self.denies(file, name)),
            _ => false,
        }
    }
}

/// The answer of a body that gives only one.
fn answer<'a>(body: &'a Body) -> Option<Node<'a>> {
    let statements = children(body.block()?);
    let mut returns = statements.iter().filter(|it| it.kind() != "declaration");
    match (returns.next(), returns.next()) {
        (Some(statement), None)
            if ["return_statement", "expression_statement"].contains(&statement.kind()) =>
        {
            children(*statement).first().copied()
        }
        _ => None,
    }
}
