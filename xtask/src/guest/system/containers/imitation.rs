//! Cgroups that are called like a container's, made by others than its engine.

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::engine::{PODMAN, Running};
use crate::guest::system::shell::{root, wait_until};
use crate::guest::tracer::Tracer;

/// The rows of what runs `imitates`.
fn rows() -> Result<Vec<Value>> {
    let tracer = Tracer::start(&["trace", "-o", "json", "-c", "imitates", "-n", "2"])?;
    let (rows, _) = tracer.wait()?.parse::<Value>()?;
    ensure!(!rows.is_empty(), "no row of the imitation");
    Ok(rows)
}

/// The imitation stands behind who made it, and neither name nor id of the container finds it.
fn is_told_from(running: &Running<'_>, maker: &str) -> Result<()> {
    wait_until("the imitation runs", || {
        Ok(root("pgrep -x imitates").is_ok())
    })?;
    for row in rows()? {
        let container = &row["container"];
        ensure!(
            container["id"] == format!("{maker}/{}", running.id)
                && container["name"].is_null()
                && container["image"].is_null(),
            "{row}"
        );
    }
    for given in [PODMAN.name, &running.id] {
        let tracer = Tracer::start(&["trace", "-o", "json", "--container", given, "-n", "4"])?;
        let (rows, _) = tracer.wait()?.parse::<Value>()?;
        let first = rows.first().context("no row of the container")?;
        ensure!(first["container"]["id"] == running.id.as_str(), "{first}");
        let imitated = rows.iter().find(|row| row["comm"] == "imitates");
        ensure!(imitated.is_none(), "{given}: {imitated:?}");
    }
    Ok(())
}

/// A service of a user without privileges, to which its cgroup is delegated.
pub fn by_a_service() -> Result<()> {
    let running = PODMAN.start()?;
    let id = &running.id;
    root(&format!(
        r#"cat >/run/imitate <<'END'
#!/bin/sh
at=/sys/fs/cgroup/system.slice/evil.service
mkdir -p $at/docker-{id}.scope $at/libpod-{id}.scope
echo $$ >$at/libpod-{id}.scope/cgroup.procs
exec /run/imitates
END
cat >/run/imitates <<'END'
#!/bin/sh
touch /home/user/closed; chmod 0 /home/user/closed
while :; do : </home/user/closed; sleep 0.3; done 2>/dev/null
END
chmod 755 /run/imitate /run/imitates
systemd-run -q --unit=evil -p User=user -p Delegate=yes /run/imitate"#
    ))?;
    let told = is_told_from(&running, "evil.service");
    root("systemctl stop evil")?;
    told
}

/// A container whose root may make cgroups.
pub fn by_a_container() -> Result<()> {
    let running = PODMAN.start()?;
    let id = &running.id;
    root(&format!(
        r#"cat >/run/root/bin/imitates <<'END'
#!/bin/sh
mkdir -p /sys/fs/cgroup/libpod-{id}.scope
echo $$ >/sys/fs/cgroup/libpod-{id}.scope/cgroup.procs
while :; do : </closed; sleep 0.3; done 2>/dev/null
END
chmod 755 /run/root/bin/imitates
podman run -d --privileged --network none --name evil --rootfs /run/root /bin/imitates"#
    ))?;
    let maker = root("podman inspect -f '{{.Id}}' evil")?;
    let told = is_told_from(&running, &maker[..12]);
    root("podman rm -f -t 0 evil")?;
    told
}
