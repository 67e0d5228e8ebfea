//! The names of units.

use crate::inspect::Error;

/// A unit's name with its kind: `nginx.service`, `getty@tty1.service`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitName(String);

/// The kinds of units whose processes systemd.exec(5) configures, each with the section that does
/// so.
const EXECUTING: [(&str, &str); 4] = [
    ("service", "Service"),
    ("socket", "Socket"),
    ("mount", "Mount"),
    ("swap", "Swap"),
];

/// The other kinds (systemd.unit(5)).
const OTHERS: [&str; 7] = [
    "device",
    "automount",
    "target",
    "path",
    "timer",
    "slice",
    "scope",
];

impl UnitName {
    /// The name, if it ends in a unit's kind and has only the characters a unit's name may have
    /// (systemd.unit(5)).
    pub fn new(name: &str) -> Option<Self> {
        let (prefix, kind) = name.rsplit_once('.')?;
        let known = OTHERS.contains(&kind) || EXECUTING.iter().any(|(known, _)| *known == kind);
        let valid = |c: char| c.is_ascii_alphanumeric() || ":-_.\\@".contains(c);
        (known && !prefix.is_empty() && name.len() < 256 && name.chars().all(valid))
            .then(|| Self(name.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The kind, without the dot.
    pub fn kind(&self) -> &str {
        self.0.rsplit_once('.').map_or("", |(_, kind)| kind)
    }

    /// The name without the kind.
    fn stem(&self) -> &str {
        self.0.rsplit_once('.').map_or("", |(stem, _)| stem)
    }

    /// The section of the unit's file that configures its processes.
    ///
    /// # Errors
    ///
    /// If units of this kind have no such section.
    pub fn section(&self) -> Result<&'static str, Error> {
        EXECUTING
            .iter()
            .find(|(kind, _)| *kind == self.kind())
            .map(|(_, section)| *section)
            .ok_or_else(|| Error::UnitWithoutProcesses {
                name: self.0.clone(),
                kind: self.kind().to_owned(),
            })
    }

    /// For `getty@tty1.service`, the instance and the template: `tty1`, `getty@.service`.
    pub fn instance(&self) -> Option<(&str, Self)> {
        let (prefix, instance) = self.stem().split_once('@')?;
        let template = Self(format!("{prefix}@.{}", self.kind()));
        (!instance.is_empty()).then_some((instance, template))
    }

    /// For a template, the unit for an instance.
    pub fn with_instance(&self, instance: &str) -> Option<Self> {
        let prefix = self.stem().strip_suffix('@')?;
        Some(Self(format!("{prefix}@{instance}.{}", self.kind())))
    }

    /// The names whose `.d` directories hold drop-ins for it, the most specific first: itself,
    /// its template, and the same for each prefix that ends in a dash (`unit_file_find_dirs`,
    /// src/shared/dropin.c of systemd).
    pub fn with_drop_ins(&self) -> Vec<String> {
        let kind = self.kind();
        let (prefix, suffixes) = match self.stem().split_once('@') {
            Some((prefix, "")) => (prefix, vec!["@".to_owned()]),
            Some((prefix, instance)) => (prefix, vec![format!("@{instance}"), "@".to_owned()]),
            None => (self.stem(), vec![String::new()]),
        };
        let dashes = prefix
            .rmatch_indices('-')
            .map(|(position, _)| &prefix[..=position])
            .filter(|shorter| shorter.len() > 1 && shorter.len() < prefix.len());
        std::iter::once(prefix)
            .chain(dashes)
            .flat_map(|prefix| suffixes.iter().map(move |s| format!("{prefix}{s}.{kind}")))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(name: &str) -> UnitName {
        UnitName::new(name).unwrap()
    }

    #[test]
    fn only_what_ends_in_a_kind_is_a_unit() {
        assert!(UnitName::new("nginx.service").is_some());
        assert!(UnitName::new("apt-daily.timer").is_some());
        for other in ["nginx", ".service", "a.conf", "a b.service", "a/b.service"] {
            assert_eq!(UnitName::new(other), None, "{other}");
        }
        assert!(unit("a.socket").section().is_ok());
        assert!(unit("a.timer").section().is_err());
    }

    #[test]
    fn an_instance_comes_from_its_template() {
        let (instance, template) = match unit("getty@tty1.service").instance() {
            Some((instance, template)) => (instance.to_owned(), template),
            None => panic!("no instance"),
        };
        assert_eq!(instance, "tty1");
        assert_eq!(template, unit("getty@.service"));
        assert_eq!(
            template.with_instance("tty2"),
            Some(unit("getty@tty2.service"))
        );
        assert_eq!(unit("getty@.service").instance(), None);
        assert_eq!(unit("dbus.service").with_instance("a"), None);
    }

    #[test]
    fn drop_ins_are_looked_for_by_name_template_and_prefix() {
        assert_eq!(
            unit("foo-bar-baz.service").with_drop_ins(),
            ["foo-bar-baz.service", "foo-bar-.service", "foo-.service"]
        );
        assert_eq!(
            unit("a-b@c-d.service").with_drop_ins(),
            [
                "a-b@c-d.service",
                "a-b@.service",
                "a-@c-d.service",
                "a-@.service"
            ]
        );
    }
}
