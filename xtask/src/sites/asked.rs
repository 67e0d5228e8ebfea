//! Which capabilities a call asks for.

use std::collections::BTreeSet;

use tree_sitter::Node;

use super::helpers::Helper;
use super::tree::Body;

/// What a call asks for: the capabilities that it names, then those that its helper asks for
/// anyway, in the helper's order. For a variable: what the function assigns to it, the widest last.
pub fn capabilities(helper: &Helper, body: &Body, arguments: &[Node]) -> Vec<String> {
    let mut all = Vec::new();
    if let Some(argument) = helper.argument.and_then(|index| arguments.get(index)) {
        let mut direct = constants(body, *argument);
        if direct.is_empty() {
            direct = assigned(body, body.text(*argument));
        }
        all.extend(direct);
        all.sort_by_key(|name| name == "CAP_SYS_ADMIN");
    }
    for name in &helper.always {
        if !all.contains(name) {
            all.push(name.clone());
        }
    }
    all
}

/// The capabilities that a function assigns to a variable.
fn assigned(body: &Body, variable: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for node in body.nodes() {
        let (left, right) = match node.kind() {
            "assignment_expression" => ("left", "right"),
            "init_declarator" => ("declarator", "value"),
            _ => continue,
        };
        if let (Some(left), Some(right)) = (
            node.child_by_field_name(left),
            node.child_by_field_name(right),
        ) && body.text(left) == variable
        {
            all.extend(constants(body, right));
        }
    }
    all
}

/// The capabilities that an expression names.
fn constants(body: &Body, node: Node) -> BTreeSet<String> {
    let text = body.text(node);
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let constants = words.filter(|word| word.starts_with("CAP_") && word.len() > 5);
    constants.map(str::to_owned).collect()
}
