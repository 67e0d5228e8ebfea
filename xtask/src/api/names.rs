//! Names of public types.

use std::collections::BTreeMap;

/// The names that occur more than once, each with its paths.
pub fn shared<'a>(items: impl IntoIterator<Item = &'a String>) -> Vec<String> {
    let mut paths: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for path in items.into_iter().filter_map(|item| path(item)) {
        let name = path.rsplit("::").next().unwrap_or(path);
        paths.entry(name).or_default().push(path);
    }
    paths
        .into_values()
        .filter(|paths| paths.len() > 1)
        .map(|paths| paths.join(", "))
        .collect()
}

/// The path of a type that an item declares.
fn path(item: &str) -> Option<&str> {
    let (_, declared) = item.split_once("pub ")?;
    let kinds = ["struct ", "enum ", "trait ", "union "];
    let path = kinds.iter().find_map(|kind| declared.strip_prefix(kind))?;
    let end = path.find(['<', '(', ' ']).unwrap_or(path.len());
    Some(&path[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_with_one_name_are_found_whatever_they_are() {
        let items = [
            "pub mod a::Same",
            "pub struct a::Same<'a>",
            "#[non_exhaustive] pub enum b::Same",
            "pub fn c::Same()",
            "pub a::Other::Same",
            "pub struct a::Other(_)",
        ]
        .map(str::to_owned);
        assert_eq!(shared(&items), ["a::Same, b::Same"]);
        assert!(shared(&items[2..]).is_empty());
    }
}
