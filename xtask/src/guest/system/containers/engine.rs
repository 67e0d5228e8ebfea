//! The engines, and the container that each makes.

use std::sync::OnceLock;

use anyhow::{Result, anyhow};

use crate::guest::system::shell::{root, try_root, wait_until};

/// Makes a root of busybox, as a folder and as an archive.
///
/// Its program first makes a check that no runtime makes under this name, and then asks for a
/// capability all the time, because the file's mode lets not even its owner read it.
const ROOT: &str = r#"
[ -e /run/root.tar ] && exit
mkdir -p /run/root/bin /run/root/etc /run/root/dev /run/root/proc /run/root/sys /run/root/usr
cd /run/root
cp /usr/bin/busybox bin/
for name in sh cat chroot mkdir sleep true; do ln -s busybox bin/$name; done
echo root:x:0:0::/:/bin/sh >etc/passwd
touch etc/os-release closed
chmod 0 closed
cat >bin/asks <<'END'
#!/bin/sh
chroot / /bin/true
while :; do cat /closed; sleep 0.3; done 2>/dev/null
END
chmod 755 bin/asks
tar -cf /run/root.tar .
"#;

/// An engine, or a runtime that is run by hand, with one way to make cgroups.
pub struct Engine {
    /// The column RUNTIME.
    pub runtime: &'static str,
    /// Prepares it; run once.
    prepare: &'static str,
    /// Starts a container with the name [`Engine::name`].
    start: &'static str,
    /// Prints its id, if that is not the name.
    id: Option<&'static str>,
    /// Ends and removes it.
    end: &'static str,
    /// What users call it.
    pub name: &'static str,
    /// Its image, if that can be known.
    pub image: Option<&'static str>,
    /// Its pod, if that can be known.
    pub pod: Option<&'static str>,
}

pub const PODMAN: Engine = Engine {
    runtime: "podman",
    prepare: "podman image exists busy || podman import -q /run/root.tar localhost/busy:1",
    start: "podman run -d --network none --name podman-web localhost/busy:1 /bin/asks",
    id: Some("podman inspect -f '{{.Id}}' podman-web"),
    end: "podman rm -f -t 0 podman-web",
    name: "podman-web",
    image: Some("localhost/busy:1"),
    pod: None,
};

pub const PODMAN_CGROUPFS: Engine = Engine {
    start: "podman --cgroup-manager cgroupfs run -d --network none --name podman-fs \
            localhost/busy:1 /bin/asks",
    id: Some("podman inspect -f '{{.Id}}' podman-fs"),
    end: "podman --cgroup-manager cgroupfs rm -f -t 0 podman-fs",
    name: "podman-fs",
    ..PODMAN
};

/// In the cgroup of the service that runs it, as podman's own units are.
pub const PODMAN_SPLIT: Engine = Engine {
    start: "systemd-run -q --collect --unit=split -p Delegate=yes podman run --cgroups=split \
            --network none --name podman-split localhost/busy:1 /bin/asks",
    id: Some(
        "timeout 60 sh -c \
         \"until podman inspect -f '{{.Id}}' podman-split 2>/dev/null; do sleep 0.5; done\"",
    ),
    end: "podman rm -f -t 0 podman-split; systemctl stop split || true",
    name: "podman-split",
    ..PODMAN
};

pub const DOCKER: Engine = Engine {
    runtime: "docker",
    prepare: "systemctl start docker; docker image inspect busy:1 >/dev/null 2>&1 || \
              docker import /run/root.tar busy:1",
    start: "docker run -d --network none --name docker-web busy:1 /bin/asks",
    id: Some("docker inspect -f '{{.Id}}' docker-web"),
    end: "docker rm -f docker-web",
    name: "docker-web",
    image: Some("busy:1"),
    pod: None,
};

pub const DOCKER_CGROUPFS: Engine = Engine {
    prepare: "grep -q cgroupfs /etc/docker/daemon.json || { \
              sed -i 's/{/{\"exec-opts\": [\"native.cgroupdriver=cgroupfs\"], /' \
              /etc/docker/daemon.json; systemctl restart docker; }; \
              docker image inspect busy:1 >/dev/null 2>&1 || docker import /run/root.tar busy:1",
    start: "docker run -d --network none --name docker-fs busy:1 /bin/asks",
    id: Some("docker inspect -f '{{.Id}}' docker-fs"),
    end: "docker rm -f docker-fs",
    name: "docker-fs",
    ..DOCKER
};

/// What is in containerd's database alone is not known: its image.
pub const CONTAINERD: Engine = Engine {
    runtime: "containerd",
    prepare: "systemctl start containerd",
    start: "ctr run -d --rootfs /run/root ctr-web /bin/asks",
    id: None,
    end: "ctr task kill -s KILL ctr-web; ctr task rm -f ctr-web >/dev/null 2>&1 || true; \
          ctr container rm ctr-web",
    name: "ctr-web",
    image: None,
    pod: None,
};

/// As Kubernetes lets containerd make it.
pub const KUBERNETES: Engine = Engine {
    start: "ctr -n k8s.io run -d --rootfs --annotation io.kubernetes.cri.container-name=app \
            --annotation io.kubernetes.cri.sandbox-name=front \
            --annotation io.kubernetes.cri.sandbox-namespace=shop \
            --annotation io.kubernetes.cri.image-name=registry/app:2 \
            /run/root \
            4f1b1e6c0a2d3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4 /bin/asks",
    id: Some("echo 4f1b1e6c0a2d3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4"),
    end: "for id in $(ctr -n k8s.io container ls -q); do \
          ctr -n k8s.io task kill -s KILL $id; \
          ctr -n k8s.io task rm -f $id >/dev/null 2>&1 || true; \
          ctr -n k8s.io container rm $id; done",
    name: "app",
    image: Some("registry/app:2"),
    pod: Some("shop/front"),
    ..CONTAINERD
};

/// A bundle for runtimes that are run by hand.
const BUNDLE: &str = r#"
[ -e /run/bundle ] && exit
mkdir -p /run/bundle
cd /run/bundle
crun spec
sed -i -e 's/"terminal": true/"terminal": false/' -e 's|"sh"|"/bin/asks"|' \
    -e 's|"path": "rootfs"|"path": "/run/root"|' config.json
"#;

pub const CRUN: Engine = Engine {
    runtime: "crun",
    prepare: BUNDLE,
    start: "cd /run/bundle; crun --systemd-cgroup run -d crun-web </dev/null >/dev/null 2>&1",
    id: None,
    end: "crun delete -f crun-web",
    name: "crun-web",
    image: None,
    pod: None,
};

pub const CRUN_CGROUPFS: Engine = Engine {
    start: "cd /run/bundle; crun run -d crun-fs </dev/null >/dev/null 2>&1",
    end: "crun delete -f crun-fs",
    name: "crun-fs",
    ..CRUN
};

pub const RUNC: Engine = Engine {
    runtime: "runc",
    start: "cd /run/bundle; runc --systemd-cgroup run -d runc-web </dev/null >/dev/null 2>&1",
    end: "runc delete -f runc-web",
    name: "runc-web",
    ..CRUN
};

pub const RUNC_CGROUPFS: Engine = Engine {
    start: "cd /run/bundle; runc run -d runc-fs </dev/null >/dev/null 2>&1",
    end: "runc delete -f runc-fs",
    name: "runc-fs",
    ..RUNC
};

pub const NSPAWN: Engine = Engine {
    runtime: "systemd-nspawn",
    prepare: "systemctl start systemd-machined",
    start: "systemd-run -q --collect --unit=nspawn systemd-nspawn -q --kill-signal=SIGKILL \
            -M nspawn-web -D /run/root /bin/asks",
    id: None,
    end: "machinectl terminate nspawn-web || true; systemctl stop nspawn",
    name: "nspawn-web",
    image: None,
    pod: None,
};

pub const LXC: Engine = Engine {
    runtime: "lxc",
    prepare: "mkdir -p /var/lib/lxc/lxc-web; cat >/var/lib/lxc/lxc-web/config <<'END'\n\
              lxc.uts.name = lxc-web\n\
              lxc.rootfs.path = dir:/run/root\n\
              lxc.init.cmd = /bin/asks\n\
              lxc.net.0.type = none\n\
              lxc.apparmor.profile = unconfined\n\
              END",
    start: "lxc-start -n lxc-web",
    id: None,
    end: "lxc-stop -k -n lxc-web",
    name: "lxc-web",
    image: None,
    pod: None,
};

/// A container that runs. It is ended when this is dropped.
pub struct Running<'a> {
    engine: &'a Engine,
    /// What its engine calls it.
    pub id: String,
}

impl Engine {
    /// Makes it ready to start containers.
    ///
    /// # Errors
    /// If it cannot be.
    pub fn prepare(&self) -> Result<()> {
        static MADE: OnceLock<Result<(), String>> = OnceLock::new();
        let made = MADE.get_or_init(|| root(ROOT).map(drop).map_err(|error| format!("{error:#}")));
        made.clone().map_err(|error| anyhow!(error))?;
        root(self.prepare)?;
        Ok(())
    }

    /// Starts a container, and waits until its program runs.
    ///
    /// # Errors
    /// If it does not.
    pub fn start(&self) -> Result<Running<'_>> {
        self.prepare()?;
        // One that a test before left.
        let _ = try_root(self.end);
        root(self.start)?;
        let id = match self.id {
            Some(script) => root(script)?.trim().to_owned(),
            None => self.name.to_owned(),
        };
        let running = Running { engine: self, id };
        wait_until("the container's program runs", || {
            Ok(try_root("pgrep -x asks")?.success)
        })?;
        Ok(running)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        // The next test starts another.
        let _ = try_root(self.engine.end);
    }
}
