//! Finds the container of a cgroup from its path.
//!
//! It knows the forms that runtimes use with systemd as the cgroup driver (`docker-ID.scope`), with
//! their own (`/docker/ID`), and in Kubernetes pods. Whoever may make cgroups in a service or in a
//! container can imitate these forms there: what is found below one stands behind it.

use std::fmt;

use super::engines::Kept;
use super::names::{unescape_cgroup, unescape_unit};

/// The program that created a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Runtime {
    /// Docker.
    Docker,
    /// podman, and others based on libpod.
    Podman,
    /// containerd, used by Kubernetes or nerdctl.
    Containerd,
    /// CRI-O.
    CriO,
    /// systemd-nspawn.
    Nspawn,
    /// LXC, LXD and Incus.
    Lxc,
    /// crun, without an engine.
    Crun,
    /// runc, without an engine.
    Runc,
}

impl Runtime {
    /// Its name, in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
            Self::Containerd => "containerd",
            Self::CriO => "cri-o",
            Self::Nspawn => "systemd-nspawn",
            Self::Lxc => "lxc",
            Self::Crun => "crun",
            Self::Runc => "runc",
        }
    }
}

impl fmt::Display for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A container, with what its cgroup's path tells and what its engine keeps of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// The 64 digits of its id, or its name if the runtime uses names. If its cgroup is below a unit
    /// or another container, where others than root may make one, that stands before it and a slash:
    /// `user@1000.service/ID`.
    pub id: String,
    /// Its runtime; not known if Kubernetes' own cgroup driver puts only the id in the path.
    pub runtime: Option<Runtime>,
    /// What users call it.
    pub name: Option<String>,
    /// The image that it was made from, as its user named it.
    pub image: Option<String>,
    /// Its pod: `NAMESPACE/NAME` if its engine tells that of Kubernetes, and otherwise the uid of
    /// Kubernetes' pod or the id of podman's, from the path.
    pub pod: Option<String>,
    /// The number of path components that lead to its cgroup.
    pub(super) depth: usize,
}

impl Container {
    /// The id as runtimes show it: its first 12 digits, or the whole name; what stands before it
    /// stays.
    pub fn short_id(&self) -> &str {
        short_id(&self.id)
    }

    /// Its pod, by the first 12 digits if that is known by its id.
    pub fn short_pod(&self) -> Option<&str> {
        self.pod.as_deref().map(short_id)
    }

    /// The id or name alone, as its runtime takes it.
    pub(super) fn bare_id(&self) -> &str {
        self.id.rsplit('/').next().unwrap_or_default()
    }

    /// Whether its cgroup is where others than root may make one.
    pub(super) fn is_behind(&self) -> bool {
        self.id.contains('/')
    }

    /// Whether its id is one that can be given by its beginning.
    pub(super) fn has_digits(&self) -> bool {
        is_id(self.bare_id())
    }

    /// That of which an engine keeps this, with a cgroup at this depth.
    pub(super) fn kept(kept: Kept, depth: usize) -> Self {
        Self {
            id: kept.id,
            runtime: Some(kept.runtime),
            name: kept.name,
            image: kept.image,
            pod: kept.pod,
            depth,
        }
    }

    /// Adds what its engine keeps of it.
    pub(super) fn add(&mut self, kept: Kept) {
        self.runtime = Some(kept.runtime);
        self.name = kept.name;
        self.image = kept.image;
        self.pod = kept.pod.or(self.pod.take());
    }
}

/// The short form of [`Container::id`], and of a pod's id.
pub fn short_id(id: &str) -> &str {
    let start = id.rfind('/').map_or(0, |slash| slash + 1);
    if is_id(&id[start..]) {
        &id[..start + 12]
    } else {
        id
    }
}

/// An id of Docker, podman, containerd or CRI-O: 64 hexadecimal digits.
fn is_id(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The innermost container on a path whose first unit of the system's manager is at `unit`.
pub(super) fn container(components: &[&str], unit: Option<usize>) -> Option<Container> {
    let found = (0..components.len())
        .rev()
        .find_map(|index| Some((index, container_at(components, index)?)));
    let (index, (id, runtime)) = found?;
    let unit = unit.filter(|&unit| unit < index);
    let above = match container(&components[..index], unit) {
        Some(outer) => Some(outer.short_id().to_owned()),
        None => unit.map(|unit| unescape_cgroup(components[unit]).to_owned()),
    };
    let named = matches!(runtime, Some(Runtime::Nspawn | Runtime::Lxc)) && above.is_none();
    let pod = above.is_none().then(|| {
        let mut around = components[..=index].iter().rev();
        around.find_map(|name| pod_uid(name).or_else(|| podmans_pod(name)))
    });
    Some(Container {
        name: named.then(|| id.clone()),
        id: match above {
            Some(above) => format!("{above}/{id}"),
            None => id,
        },
        runtime,
        image: None,
        pod: pod.flatten(),
        depth: index + 1,
    })
}

/// The id and the runtime, if this path component is the cgroup of a container.
fn container_at(components: &[&str], index: usize) -> Option<(String, Option<Runtime>)> {
    let name = components[index];
    let parent = index.checked_sub(1).map(|index| components[index]);
    let below = components.get(index + 1).copied();
    // A cgroup path in the systemd driver's form, used with another driver, gives the name
    // `SLICE:PREFIX:ID`.
    if let Some((rest, id)) = name.rsplit_once(':')
        && is_id(id)
    {
        return Some((id.to_owned(), runtime_of(rest.rsplit(':').next()?)));
    }
    let stem = name.strip_suffix(".scope").unwrap_or(name);
    if is_id(stem) {
        return Some((stem.to_owned(), parent.and_then(runtime_of)));
    }
    if let Some((prefix, id)) = stem.rsplit_once('-')
        && is_id(id)
    {
        // The monitors `libpod-conmon-ID` and `crio-conmon-ID` run outside of the container.
        return runtime_of(prefix).map(|runtime| (id.to_owned(), Some(runtime)));
    }
    if let Some(name) = lxc_name(name, parent) {
        return Some((name.to_owned(), Some(Runtime::Lxc)));
    }
    // systemd-nspawn itself runs in `supervisor`, the container in `payload`.
    let machine = nspawn_name(name).filter(|_| below != Some("supervisor"))?;
    Some((machine, Some(Runtime::Nspawn)))
}

/// The runtime, from the prefix that it gives ids or from the parent directory that it creates.
fn runtime_of(prefix: &str) -> Option<Runtime> {
    match prefix {
        "docker" | "ecs" => Some(Runtime::Docker),
        "libpod" | "libpod_parent" | "libpod-payload" => Some(Runtime::Podman),
        "cri-containerd" | "nerdctl" | "k8s.io" => Some(Runtime::Containerd),
        "crio" => Some(Runtime::CriO),
        _ => None,
    }
}

/// `lxc.payload.NAME`, `lxc.payload/NAME`, or `lxc/NAME` before LXC 4.
fn lxc_name<'a>(name: &'a str, parent: Option<&str>) -> Option<&'a str> {
    let inside = matches!(parent, Some("lxc" | "lxc.payload")).then_some(name);
    name.strip_prefix("lxc.payload.").or(inside)
}

/// `machine-NAME.scope` and `systemd-nspawn@NAME.service`; the virtual machines of libvirt are
/// `machine-qemu…` in the same slice.
fn nspawn_name(name: &str) -> Option<String> {
    let service = name.strip_prefix("systemd-nspawn@");
    let scope = name.strip_prefix("machine-");
    let name = service
        .and_then(|name| name.strip_suffix(".service"))
        .or_else(|| scope.and_then(|name| name.strip_suffix(".scope")))
        .map(unescape_unit)?;
    (!name.is_empty() && !name.starts_with("qemu-")).then_some(name)
}

/// The uid of a pod in `podUID`, or in `kubepods-CLASS-podUID.slice`, where underscores stand
/// for dashes (pkg/kubelet/cm/pod_container_manager_linux.go in Kubernetes).
fn pod_uid(name: &str) -> Option<String> {
    let name = name.split(':').next()?;
    let stem = name.strip_suffix(".slice").unwrap_or(name);
    let start = stem
        .rfind("pod")
        .filter(|&at| at == 0 || stem.as_bytes()[at - 1] == b'-')?;
    let uid = stem[start + 3..].replace('_', "-");
    let known = uid.len() >= 32
        && uid
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    known.then_some(uid)
}

/// The id of a pod of podman's: `machine-libpod_pod_ID.slice`, or `libpod_pod_ID` with its own driver
/// (libpod/runtime_pod_linux.go, 3.0 to 5.4).
fn podmans_pod(name: &str) -> Option<String> {
    let stem = name.strip_suffix(".slice").unwrap_or(name);
    let (_, id) = stem.rsplit_once("libpod_pod_")?;
    is_id(id).then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::cgroups::Cgroup;

    const ID: &str = "4f1b1e6c0a2d3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4";

    #[test]
    fn containers_of_every_runtime_and_driver_are_recognised() {
        let pod = "0f5a9c1e-1234-4d5e-8f90-a1b2c3d4e5f6";
        let flat = pod.replace('-', "_");
        for (path, runtime, in_pod) in [
            (format!("/docker/{ID}"), Some(Runtime::Docker), false),
            (
                format!("/docker/{ID}/init.scope"),
                Some(Runtime::Docker),
                false,
            ),
            (
                format!("/system.slice/docker-{ID}.scope"),
                Some(Runtime::Docker),
                false,
            ),
            (
                format!("/system.slice:docker:{ID}"),
                Some(Runtime::Docker),
                false,
            ),
            (
                format!("/machine.slice/libpod-{ID}.scope/container"),
                Some(Runtime::Podman),
                false,
            ),
            (
                format!("/user.slice/user-1.slice/user@1.service/user.slice/libpod-{ID}.scope"),
                Some(Runtime::Podman),
                false,
            ),
            (
                format!("/libpod_parent/libpod-{ID}"),
                Some(Runtime::Podman),
                false,
            ),
            (
                format!("/system.slice/a.service/libpod-payload-{ID}"),
                Some(Runtime::Podman),
                false,
            ),
            (
                format!("/system.slice/nerdctl-{ID}.scope"),
                Some(Runtime::Containerd),
                false,
            ),
            (
                format!(
                    "/kubepods.slice/kubepods-besteffort.slice/\
                     kubepods-besteffort-pod{flat}.slice/cri-containerd-{ID}.scope"
                ),
                Some(Runtime::Containerd),
                true,
            ),
            (
                format!("/kubepods.slice/kubepods-pod{flat}.slice/crio-{ID}.scope"),
                Some(Runtime::CriO),
                true,
            ),
            (format!("/kubepods/burstable/pod{pod}/{ID}"), None, true),
            (
                format!(
                    "/system.slice/containerd.service/\
                     kubepods-burstable-pod{flat}.slice:cri-containerd:{ID}"
                ),
                Some(Runtime::Containerd),
                // Whoever may make cgroups in the service chooses what is there.
                false,
            ),
        ] {
            let container = Cgroup::from_path(&path).container.expect(&path);
            assert_eq!(container.bare_id(), ID, "{path}");
            assert!(container.short_id().ends_with("4f1b1e6c0a2d"), "{path}");
            assert_eq!(container.runtime, runtime, "{path}");
            assert_eq!(container.pod.as_deref(), in_pod.then_some(pod), "{path}");
        }
    }

    #[test]
    fn containers_that_have_names_are_recognised() {
        for (path, name, runtime) in [
            (
                "/lxc.payload.web/system.slice/ssh.service",
                "web",
                Runtime::Lxc,
            ),
            ("/lxc/web", "web", Runtime::Lxc),
            (
                "/machine.slice/machine-my\\x2ddeb.scope/payload",
                "my-deb",
                Runtime::Nspawn,
            ),
            (
                "/machine.slice/systemd-nspawn@deb.service/payload/init.scope",
                "deb",
                Runtime::Nspawn,
            ),
        ] {
            let container = Cgroup::from_path(path).container.expect(path);
            assert_eq!(
                (container.id.as_str(), container.runtime),
                (name, Some(runtime))
            );
            assert_eq!(container.name.as_deref(), Some(name));
        }
    }

    #[test]
    fn what_only_watches_a_container_is_not_in_it() {
        for path in [
            format!("/machine.slice/libpod-conmon-{ID}.scope"),
            format!("/system.slice/crio-conmon-{ID}.scope"),
            "/machine.slice/machine-qemu\\x2d1\\x2dvm.scope".to_owned(),
            "/machine.slice/systemd-nspawn@deb.service/supervisor".to_owned(),
            "/lxc.monitor.web".to_owned(),
            "/system.slice/docker.service".to_owned(),
            "/kubepods/besteffort".to_owned(),
        ] {
            assert_eq!(Cgroup::from_path(&path).container, None, "{path}");
        }
    }

    #[test]
    fn the_container_inside_a_container_stands_behind_that() {
        let inner = ID.replace('4', "5");
        for (path, outer) in [
            (format!("/docker/{ID}/docker/{inner}"), "4f1b1e6c0a2d"),
            (
                format!("/system.slice/docker-{ID}.scope/docker/{inner}"),
                "4f1b1e6c0a2d",
            ),
            (format!("/lxc.payload.web/docker/{inner}"), "web"),
            (
                format!("/system.slice/a.service/docker-{ID}.scope/docker-{inner}.scope"),
                "a.service/4f1b1e6c0a2d",
            ),
        ] {
            let container = Cgroup::from_path(&path).container.expect(&path);
            assert_eq!(container.id, format!("{outer}/{inner}"), "{path}");
        }
    }

    #[test]
    fn what_a_service_calls_a_container_stands_behind_the_service_and_is_in_no_pod() {
        let pod = "0f5a9c1e_1234_4d5e_8f90_a1b2c3d4e5f6";
        for below in [
            format!("docker-{ID}.scope"),
            format!("docker/{ID}"),
            format!("kubepods-pod{pod}.slice/crio-{ID}.scope"),
        ] {
            let path = format!("/system.slice/evil.service/{below}");
            let container = Cgroup::from_path(&path).container.expect(&path);
            assert_eq!(container.id, format!("evil.service/{ID}"), "{path}");
            assert_eq!(container.pod, None, "{path}");
        }
        let named = Cgroup::from_path("/system.slice/evil.service/lxc.payload.web").container;
        let named = named.unwrap();
        assert_eq!((named.id.as_str(), named.name), ("evil.service/web", None));
    }

    #[test]
    fn a_pod_of_podmans_is_known_by_its_id() {
        let pod = ID.replace('4', "5");
        for path in [
            format!("/machine.slice/machine-libpod_pod_{pod}.slice/libpod-{ID}.scope"),
            format!("/libpod_parent/libpod_pod_{pod}/libpod-{ID}"),
        ] {
            let container = Cgroup::from_path(&path).container.expect(&path);
            assert_eq!(container.pod.as_ref(), Some(&pod), "{path}");
        }
    }
}
