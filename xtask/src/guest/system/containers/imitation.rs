//! Cgroups that are called like a container's, made by others than its engine.

use anyhow::{Error, Result, ensure};
use serde_json::Value;

use super::engine::{PODMAN, Running};
use crate::guest::system::shell::{root, wait_until};
use crate::guest::tracer::{Finished, Tracer};

/// The rows of what runs `imitates`.
fn rows() -> Result<Vec<Value>> {
    let tracer = Tracer::start(&["trace", "-o", "json", "-c", "imitates", "-n", "2"])?;
    let (rows, _) = tracer.wait()?.parse::<Value>()?;
    ensure!(!rows.is_empty(), "no row of the imitation");
    Ok(rows)
}

/// The imitation that this script makes stands behind who made it, and neither name nor id of the
/// container finds it, not even if it is made while the container is followed.
fn is_told_from(running: &Running<'_>, maker: &str, script: &str) -> Result<()> {
    let name = PODMAN.name;
    let following = Tracer::start(&["trace", "-o", "json", "--container", name])?;
    root(script)?;
    wait_until("the imitation runs", || {
        Ok(root("pgrep -x imitates").is_ok())
    })?;
    let printed = || Ok::<_, Error>(following.printed()?.lines().count());
    let before = printed()?;
    wait_until("both have asked some times since", || {
        Ok(printed()? > before + 5)
    })?;
    has_no_imitation(name, following.stop(libc::SIGINT)?)?;
    for row in rows()? {
        let container = &row["container"];
        ensure!(
            container["id"] == format!("{maker}/{}", running.id)
                && container["name"].is_null()
                && container["image"].is_null(),
            "{row}"
        );
    }
    for given in [name, &running.id] {
        let tracer = Tracer::start(&["trace", "-o", "json", "--container", given, "-n", "4"])?;
        has_no_imitation(given, tracer.wait()?)?;
    }
    Ok(())
}

fn has_no_imitation(given: &str, finished: Finished) -> Result<()> {
    let (rows, _) = finished.parse::<Value>()?;
    ensure!(!rows.is_empty(), "{given}: no row of the container");
    let imitated = rows.iter().find(|row| row["comm"] == "imitates");
    ensure!(imitated.is_none(), "{given}: {imitated:?}");
    Ok(())
}

/// A service of a user without privileges, to which its cgroup is delegated.
pub fn by_a_service() -> Result<()> {
    let running = PODMAN.start()?;
    let id = &running.id;
    let script = format!(
        r#"cat >/run/imitate <<'END'
#!/bin/sh
at=/sys/fs/cgroup/system.slice/evil.service
mkdir -p $at/docker/{id} $at/docker-{id}.scope $at/libpod-{id}.scope $at/libpod-{id}
echo $$ >$at/libpod-{id}/cgroup.procs
exec /run/imitates
END
cat >/run/imitates <<'END'
#!/bin/sh
touch /home/user/closed; chmod 0 /home/user/closed
while :; do true </home/user/closed; sleep 0.3; done 2>/dev/null
END
chmod 755 /run/imitate /run/imitates
systemd-run -q --unit=evil -p User=user -p Delegate=yes /run/imitate"#
    );
    let told = is_told_from(&running, "evil.service", &script);
    root("systemctl stop evil")?;
    told
}

/// A container whose root may make cgroups.
pub fn by_a_container() -> Result<()> {
    let running = PODMAN.start()?;
    let id = &running.id;
    let create = format!(
        r#"cat >/run/root/bin/imitates <<'END'
#!/bin/sh
mkdir -p /sys/fs/cgroup/libpod-{id}
echo $$ >/sys/fs/cgroup/libpod-{id}/cgroup.procs
while :; do true </closed; sleep 0.3; done 2>/dev/null
END
chmod 755 /run/root/bin/imitates
podman create --privileged --network none --name evil --rootfs /run/root /bin/imitates"#
    );
    let maker = root(&create)?;
    let told = is_told_from(&running, &maker.trim()[..12], "podman start evil");
    root("podman rm -f -t 0 evil")?;
    told
}
