//! The settings of a unit that affect capabilities, read from its files.

use std::collections::BTreeSet;

use crate::capability::{Capability, CapabilitySet};
use crate::inspect::secure_bits::SecureBits;

/// The settings of the files, merged as systemd does (systemd.exec(5);
/// `config_parse_capability_set`, src/core/load-fragment.c of systemd).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// `CapabilityBoundingSet=`; `None` if it is not set.
    pub bounding: Option<CapabilitySet>,
    /// `AmbientCapabilities=`.
    pub ambient: CapabilitySet,
    /// `User=`.
    pub user: Option<String>,
    /// `DynamicUser=`.
    pub dynamic_user: bool,
    /// `NoNewPrivileges=`.
    pub no_new_privs: bool,
    /// `SecureBits=`.
    pub secure_bits: SecureBits,
    /// `PrivateUsers=`.
    pub private_users: bool,
    /// The settings with commands that run with full privileges or as root.
    pub exempt: BTreeSet<String>,
    /// The enabled settings that remove capabilities from the bounding set.
    pub taking: BTreeSet<&'static str>,
}

/// Settings that remove capabilities from the bounding set (systemd.exec(5); `unit_patch_contexts`,
/// src/core/unit.c of systemd 252).
const TAKING: [(&str, &[Capability]); 4] = [
    (
        "PrivateDevices",
        &[Capability::MKNOD, Capability::SYS_RAWIO],
    ),
    ("ProtectKernelModules", &[Capability::SYS_MODULE]),
    ("ProtectKernelLogs", &[Capability::SYSLOG]),
    (
        "ProtectClock",
        &[Capability::SYS_TIME, Capability::WAKE_ALARM],
    ),
];

impl Settings {
    /// Applies the section with this name of a file, on top of the files before it.
    pub fn apply(&mut self, text: &str, section: &str) {
        let mut here = false;
        for line in logical_lines(text) {
            if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
                here = name == section;
            } else if let Some((key, value)) = line.split_once('=').filter(|_| here) {
                self.set(key.trim_end(), value.trim_start());
            }
        }
    }

    /// Applies an assignment.
    fn set(&mut self, key: &str, value: &str) {
        match key {
            "CapabilityBoundingSet" => {
                self.bounding = Some(merge(self.bounding, value));
            }
            "AmbientCapabilities" => {
                let before = Some(self.ambient).filter(|set| !set.is_empty());
                self.ambient = merge(before, value);
            }
            "User" => self.user = Some(value.to_owned()).filter(|user| !user.is_empty()),
            "DynamicUser" => self.dynamic_user = boolean(value).unwrap_or(self.dynamic_user),
            "NoNewPrivileges" => self.no_new_privs = boolean(value).unwrap_or(self.no_new_privs),
            // systemd 252 replaces what came before (`config_parse_exec_secure_bits`), although
            // its manual says that it adds.
            "SecureBits" => self.secure_bits = SecureBits::from_names(value),
            // Besides a boolean: self, identity, full (systemd 257).
            "PrivateUsers" => self.private_users = boolean(value).unwrap_or(!value.is_empty()),
            _ if key.starts_with("Exec") => {
                // Before the path: @ - : and, for an exemption, + ! !! (systemd.service(5)).
                let path = value.trim_start_matches(['@', '-', ':', '+', '!', '|']);
                let prefix = &value[..value.len() - path.len()];
                if value.is_empty() {
                    self.exempt.remove(key);
                } else if prefix.contains(['+', '!']) {
                    self.exempt.insert(key.to_owned());
                }
            }
            _ => {
                if let Some((name, _)) = TAKING.iter().find(|(name, _)| *name == key) {
                    match boolean(value) {
                        Some(true) => self.taking.insert(name),
                        Some(false) => self.taking.remove(name),
                        None => false,
                    };
                }
            }
        }
    }

    /// Adds what the settings imply, after all files are applied.
    pub fn imply(&mut self) {
        for (_, taken) in TAKING.iter().filter(|(name, _)| self.taking.contains(name)) {
            let before = self.bounding.unwrap_or(CapabilitySet::from_bits(u64::MAX));
            self.bounding = Some(before.difference(taken.iter().copied().collect()));
        }
        self.no_new_privs |= self.dynamic_user;
    }

    /// Whether the unit's processes run as root; `None` if the user is a specifier.
    pub fn runs_as_root(&self) -> Option<bool> {
        match self.user.as_deref() {
            Some(user) if user.contains('%') => None,
            Some(user) => Some(user == "root" || user == "0"),
            None => Some(!self.dynamic_user),
        }
    }
}

/// Lines without comments; a line that ends in a backslash is joined with the next
/// (systemd.syntax(7)).
fn logical_lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut open = String::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with(['#', ';']) {
            continue;
        }
        match line.strip_suffix('\\') {
            Some(start) => open += &format!("{start} "),
            None => {
                lines.push(format!("{open}{line}").trim().to_owned());
                open.clear();
            }
        }
    }
    lines.push(open.trim().to_owned());
    lines
}

/// Parses a boolean as systemd does (`parse_boolean`); `None` if it is not one.
pub fn boolean(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "1" | "yes" | "y" | "true" | "t" | "on" => Some(true),
        "0" | "no" | "n" | "false" | "f" | "off" => Some(false),
        _ => None,
    }
}

/// Capabilities by name or number. Unknown ones are ignored, as systemd does.
pub fn capabilities(words: &str) -> CapabilitySet {
    words
        .split_whitespace()
        .map(|word| word.trim_matches(['"', '\'']))
        .filter_map(|word| match word.strip_prefix("0x") {
            Some(digits) => i32::from_str_radix(digits, 16)
                .ok()
                .map(Capability::from_number),
            None => word.parse().ok(),
        })
        .collect()
}

/// Applies an assignment to the earlier ones: the first replaces the default, an empty one empties
/// the set, a bare `~` fills it, and further ones add to it or, with `~`, remove from it.
fn merge(before: Option<CapabilitySet>, value: &str) -> CapabilitySet {
    let (inverted, words) = match value.strip_prefix('~') {
        Some(words) => (true, words),
        None => (false, value),
    };
    let named = capabilities(words);
    let all = CapabilitySet::from_bits(u64::MAX);
    match before.filter(|_| !named.is_empty()) {
        None if inverted => all.difference(named),
        None => named,
        Some(before) if inverted => before.difference(named),
        Some(before) => before.union(named),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Settings {
        let mut settings = Settings::default();
        settings.apply(text, "Service");
        settings.imply();
        settings
    }

    fn bounding(lines: &[&str]) -> String {
        let text: String = lines
            .iter()
            .map(|line| format!("CapabilityBoundingSet={line}\n"))
            .collect();
        let set = read(&format!("[Service]\n{text}")).bounding.unwrap();
        set.intersection(CapabilitySet::ALL_NAMED).to_string()
    }

    #[test]
    fn bounding_sets_merge_as_systemd_documents() {
        // The examples of systemd.exec(5).
        assert_eq!(
            bounding(&["CAP_CHOWN CAP_KILL", "CAP_SETUID CAP_KILL"]),
            "CAP_CHOWN,CAP_KILL,CAP_SETUID"
        );
        assert_eq!(
            bounding(&["CAP_CHOWN CAP_KILL", "~CAP_KILL CAP_SETUID"]),
            "CAP_CHOWN"
        );
        assert_eq!(bounding(&["CAP_CHOWN", ""]), "none");
        assert_eq!(bounding(&["CAP_CHOWN", "", "CAP_KILL"]), "CAP_KILL");
        assert_eq!(
            bounding(&["CAP_CHOWN", "~"]),
            CapabilitySet::ALL_NAMED.to_string()
        );
        let most = bounding(&["~CAP_CHOWN CAP_MADE_UP"]);
        assert!(!most.contains("CAP_CHOWN") && most.contains("CAP_BPF"));
    }

    #[test]
    fn lines_go_on_after_a_backslash_and_other_sections_are_not_read() {
        let settings = read(
            "[Unit]\nUser=nobody\n[Service]\n# User=a\nAmbientCapabilities=CAP_KILL \\\n\
             ; a comment between\n  CAP_CHOWN\nSecureBits = keep-caps\n[Install]\nUser=b\n",
        );
        assert_eq!(settings.ambient.to_string(), "CAP_CHOWN,CAP_KILL");
        assert_eq!(settings.user, None);
        assert_eq!(settings.secure_bits.names(), ["keep-caps"]);
    }

    #[test]
    fn other_settings_take_from_the_bounding_set_and_add_no_new_privs() {
        let settings = read(
            "[Service]\nPrivateDevices=yes\nProtectClock=on\nProtectKernelLogs=yes\n\
             ProtectKernelLogs=no\nDynamicUser=true\n",
        );
        let taken = CapabilitySet::ALL_NAMED.difference(settings.bounding.unwrap());
        assert_eq!(
            taken.to_string(),
            "CAP_SYS_RAWIO,CAP_SYS_TIME,CAP_MKNOD,CAP_WAKE_ALARM"
        );
        assert!(settings.no_new_privs);
        assert_eq!(settings.runs_as_root(), Some(false));
    }

    #[test]
    fn the_user_decides_who_it_runs_as_and_a_specifier_leaves_that_open() {
        let root = |line: &str| read(&format!("[Service]\n{line}\n")).runs_as_root();
        assert_eq!(root(""), Some(true));
        assert_eq!(root("User=root"), Some(true));
        assert_eq!(root("User=nobody"), Some(false));
        assert_eq!(root("User=nobody\nUser="), Some(true));
        assert_eq!(root("User=%i"), None);
    }

    #[test]
    fn commands_with_a_plus_are_exempt_until_the_list_is_emptied() {
        let settings = read("[Service]\nExecStartPre=-+/bin/a\nExecStart=/bin/b +c\n");
        assert_eq!(settings.exempt.iter().collect::<Vec<_>>(), ["ExecStartPre"]);
        let settings = read("[Service]\nExecStartPre=+/bin/a\nExecStartPre=\n");
        assert!(settings.exempt.is_empty());
    }
}
