//! Which functions of the kernel call which functions of security modules.
//!
//! `security_capset` calls what the modules have for the hook `capset`, last `cap_capset`, and may do so
//! by a jump: then the stack shows it in place of what it jumped to.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context as _, Result};

use super::source::Source;
use super::unit::{Unit, occurrences};

/// Where the hooks are called (Linux 5.10 to 7.3).
const CALLS: &str = "security/security.c";

/// The functions of security modules, each with those that call its hook.
pub fn find(source: &Source) -> Result<BTreeMap<String, Vec<String>>> {
    let read = |file: &str| {
        let path = source.root.join(file);
        fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
    };
    let calls = Unit::new(&read(CALLS)?);
    let mut found = BTreeMap::new();
    for file in source.files()? {
        if !file.starts_with("security/") || !file.ends_with(".c") {
            continue;
        }
        for (hook, function) in hooks(&String::from_utf8_lossy(&read(&file)?)) {
            let is_call = |name: &str| name.starts_with("security_");
            let functions = calls.items.functions.iter().filter(|it| is_call(&it.name));
            let calling = functions.filter(|it| {
                let code = calls.code(it.body);
                !occurrences(code, &hook).is_empty()
            });
            let names: Vec<_> = calling.map(|it| it.name.clone()).collect();
            found.insert(function, names);
        }
    }
    Ok(found)
}

/// The hooks that a module fills, and with what: `LSM_HOOK_INIT(capset, cap_capset)`.
fn hooks(text: &str) -> Vec<(String, String)> {
    let inits = text.split("LSM_HOOK_INIT(").skip(1);
    let pair = |init: &str| {
        let (inside, _) = init.split_once(')')?;
        let (hook, function) = inside.split_once(',')?;
        Some((hook.trim().to_owned(), function.trim().to_owned()))
    };
    inits.filter_map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_module_has_for_a_hook_is_read() {
        let text = "LSM_HOOK_INIT(capset, cap_capset),\n\tLSM_HOOK_INIT(bpf,\n\t\tselinux_bpf),";
        let pair = |one: &str, other: &str| (one.to_owned(), other.to_owned());
        assert_eq!(
            hooks(text),
            [pair("capset", "cap_capset"), pair("bpf", "selinux_bpf")]
        );
    }
}
