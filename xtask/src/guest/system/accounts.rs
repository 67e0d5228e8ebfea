//! Users and groups that only a module of nsswitch.conf(5) knows. The program of the guests is
//! linked statically, and must load none.

use anyhow::{Result, ensure};

use super::shell::{root, try_root};

/// Who does not exist is named, though nsswitch.conf names modules that would be asked.
pub fn unknown() -> Result<()> {
    let modules = root("grep '^passwd:' /etc/nsswitch.conf")?;
    ensure!(modules.contains("systemd"), "no module is named: {modules}");
    for (options, missing) in [
        ("--user no-such-user", "there is no user \"no-such-user\""),
        (
            "--user nobody --group no-such-group",
            "there is no group \"no-such-group\"",
        ),
    ] {
        let said = try_root(&format!("capable run {options} -- true"))?;
        ensure!(
            !said.success && said.stderr.contains(missing),
            "{options}: {}",
            said.stderr
        );
    }
    Ok(())
}

/// A dynamic user of systemd's, whom the module `systemd` knows, is found by name, and the groups of
/// a user are all those that list it.
pub fn dynamic() -> Result<()> {
    let printed = root(
        "systemd-run --quiet --wait --pipe --unit=capable-dynamic -p DynamicUser=yes \
         -p User=capable-dyn true; \
         systemd-run --quiet --unit=capable-dynamic-2 -p DynamicUser=yes -p User=capable-dyn sleep 60; \
         for try in $(seq 100); do getent passwd capable-dyn >/dev/null && break; sleep 0.1; done; \
         capable run --report /dev/null --user capable-dyn -- id -un; \
         systemctl stop capable-dynamic-2; \
         usermod -aG adm,audio nobody; \
         capable run --report /dev/null --user nobody -- id -Gn",
    )?;
    let lines: Vec<&str> = printed.lines().collect();
    ensure!(lines.first() == Some(&"capable-dyn"), "{printed}");
    let groups = lines.last().copied().unwrap_or_default();
    for group in ["nogroup", "adm", "audio"] {
        ensure!(groups.split(' ').any(|each| each == group), "{printed}");
    }
    Ok(())
}
