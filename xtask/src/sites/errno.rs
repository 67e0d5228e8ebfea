//! Errnos as they are written.

use tree_sitter::Node;

use super::tree::Body;

/// `v = -EPERM;`
pub fn assignment(body: &Body, statement: Node) -> Option<(String, String)> {
    if statement.kind() != "expression_statement" || statement.has_error() {
        return None;
    }
    let assignment = statement.named_child(0)?;
    let operator = assignment.child_by_field_name("operator")?;
    let left = assignment.child_by_field_name("left")?;
    if operator.kind() != "=" || left.kind() != "identifier" {
        return None;
    }
    let value = errno(body, assignment.child_by_field_name("right")?)?;
    Some((body.text(left).to_owned(), value))
}

/// `-EPERM` as `EPERM`.
pub fn errno(body: &Body, node: Node) -> Option<String> {
    let text = body.text(node).trim_matches(['(', ')', ' ']);
    let name = text.strip_prefix('-')?.trim_start();
    let is_errno = name.starts_with('E')
        && name.len() > 2
        && name
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    is_errno.then(|| name.to_owned())
}
