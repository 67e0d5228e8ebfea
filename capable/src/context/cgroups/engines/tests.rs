use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::*;

const ID: &str = "4f1b1e6c0a2d3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4";

/// A root directory with files that engines keep.
struct Root(tempfile::TempDir);

impl Root {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, path: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn engines(&self) -> Engines {
        let mut engines = Engines::below(self.0.path());
        engines.refresh();
        engines
    }
}

fn kept(id: &str, runtime: Runtime, names: [Option<&str>; 3]) -> Kept {
    let [name, image, pod] = names.map(|name| name.map(str::to_owned));
    Kept {
        id: id.to_owned(),
        name,
        image,
        pod,
        runtime,
    }
}

#[test]
fn dockers_file_has_the_name_and_the_image() {
    let root = Root::new();
    root.write(
        &format!("var/lib/docker/containers/{ID}/config.v2.json"),
        r#"{"Name": "/web", "Image": "sha256:1", "Config": {"Image": "busy:1"}, "Path": "/x"}"#,
    );
    assert_eq!(
        root.engines().by_id(ID),
        Some(kept(
            ID,
            Runtime::Docker,
            [Some("web"), Some("busy:1"), None]
        ))
    );
}

#[test]
fn the_storage_of_podman_and_cri_o_has_names_and_images_and_is_read_when_it_changes() {
    let root = Root::new();
    let list = |name: &str, metadata: &str| {
        let metadata = serde_json::to_string(metadata).unwrap();
        format!(r#"[{{"id": "{ID}", "names": ["{name}"], "metadata": {metadata}}}]"#)
    };
    let path = "var/lib/containers/storage/overlay-containers/containers.json";
    root.write(path, &list("web", r#"{"image-name": "localhost/busy:1"}"#));
    let mut engines = root.engines();
    let image = Some("localhost/busy:1");
    assert_eq!(
        engines.by_id(ID),
        Some(kept(ID, Runtime::Podman, [Some("web"), image, None]))
    );
    root.write(
        path,
        &list(
            "k8s_web",
            r#"{"image-name": "localhost/busy:1", "pod-name": "pod"}"#,
        ),
    );
    engines.refresh();
    assert_eq!(
        engines.by_id(ID),
        Some(kept(
            ID,
            Runtime::CriO,
            [Some("k8s_web"), image, Some("pod")]
        ))
    );
    fs::remove_file(root.0.path().join(path)).unwrap();
    engines.refresh();
    assert_eq!(engines.by_id(ID), None);
    root.write(
        "run/containers/storage/vfs-containers/volatile-containers.json",
        &list("brief", ""),
    );
    engines.refresh();
    assert_eq!(
        engines.by_id(ID),
        Some(kept(ID, Runtime::Podman, [Some("brief"), None, None]))
    );
}

#[test]
fn a_bundle_of_containerds_has_the_id_and_for_kubernetes_the_rest() {
    let root = Root::new();
    let bundle = |namespace: &str, id: &str, text: &str| {
        let place = "run/containerd/io.containerd.runtime.v2.task";
        root.write(&format!("{place}/{namespace}/{id}/config.json"), text);
    };
    bundle("default", "web", r#"{"annotations": null}"#);
    bundle(
        "k8s.io",
        ID,
        r#"{"annotations": {"io.kubernetes.cri.container-name": "app",
            "io.kubernetes.cri.sandbox-name": "front", "io.kubernetes.cri.sandbox-namespace": "shop",
            "io.kubernetes.cri.image-name": "registry/app:2"}}"#,
    );
    let engines = root.engines();
    assert_eq!(
        engines.by_id("web"),
        Some(kept("web", Runtime::Containerd, [Some("web"), None, None]))
    );
    let names = [Some("app"), Some("registry/app:2"), Some("shop/front")];
    assert_eq!(
        engines.by_id(ID),
        Some(kept(ID, Runtime::Containerd, names))
    );
}

#[test]
fn runtimes_say_which_cgroup_a_container_has() {
    let root = Root::new();
    root.write(
        "run/crun/own/status",
        r#"{"pid": 1, "cgroup-path": "/own", "scope": ""}"#,
    );
    root.write(
        "run/crun/scoped/status",
        r#"{"cgroup-path": "/system.slice/crun-scoped.scope/container",
            "scope": "crun-scoped.scope"}"#,
    );
    root.write(
        "run/runc/plain/state.json",
        r#"{"id": "plain", "cgroup_paths": {"": "/sys/fs/cgroup/system.slice/plain"}}"#,
    );
    root.write(
        "run/containerd/runc/default/task/state.json",
        r#"{"cgroup_paths": {"": "/sys/fs/cgroup/default/task"}}"#,
    );
    root.write("run/crun/half/status", r#"{"cgroup-path": "#);
    root.write("run/crun/none/status", r#"{"cgroup-path": "/"}"#);
    let engines = root.engines();
    for (path, id, own) in [
        ("/own", "own", "/own"),
        ("/own/below", "own", "/own"),
        (
            "/system.slice/crun-scoped.scope/container",
            "scoped",
            "/system.slice/crun-scoped.scope",
        ),
        ("/system.slice/plain", "plain", "/system.slice/plain"),
        ("/default/task/x", "task", "/default/task"),
    ] {
        let (kept, cgroup) = engines.by_cgroup(path).expect(path);
        assert_eq!((kept.id.as_str(), cgroup), (id, own), "{path}");
        assert_eq!(kept.name.as_deref(), Some(id), "{path}");
    }
    for path in ["/", "/ownother", "/system.slice", "/half"] {
        assert_eq!(engines.by_cgroup(path), None, "{path}");
    }
    let mut engines = engines;
    fs::remove_dir_all(root.0.path().join("run/crun/own")).unwrap();
    engines.refresh();
    assert_eq!(engines.by_cgroup("/own"), None);
}

#[test]
fn a_file_that_others_may_write_or_that_is_no_file_is_not_read() {
    let root = Root::new();
    let path = root.write("run/crun/own/status", r#"{"cgroup-path": "/own"}"#);
    assert!(root.engines().by_cgroup("/own").is_some());
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    assert_eq!(root.engines().by_cgroup("/own"), None);
    fs::remove_file(&path).unwrap();
    let mode = rustix::fs::Mode::RUSR;
    let kind = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(rustix::fs::CWD, &path, kind, mode, 0).unwrap();
    assert_eq!(root.engines().by_cgroup("/own"), None);
}

#[test]
fn a_name_leads_to_the_containers_that_engines_keep_whether_they_run_or_not() {
    let root = Root::new();
    let mut named = Named::below(root.0.path());
    named.refresh();
    assert_eq!(named.of("web"), []);
    let other = ID.replace('4', "5");
    root.write(
        &format!("var/lib/docker/containers/{ID}/config.v2.json"),
        r#"{"Name": "/web", "Config": {"Image": "busy:1"}}"#,
    );
    root.write(
        "var/lib/containers/storage/overlay-containers/containers.json",
        &format!(r#"[{{"id": "{other}", "names": ["web"]}}]"#),
    );
    let tasks = "run/containerd/io.containerd.runtime.v2.task";
    root.write(&format!("{tasks}/default/task/config.json"), "{}");
    // It is the bundle of a container of docker's.
    root.write(&format!("{tasks}/moby/{ID}/config.json"), "{}");
    named.refresh();
    let ids = |given: &str| {
        let found = named.of(given).into_iter();
        found.map(|one| one.kept.id).collect::<Vec<_>>()
    };
    assert_eq!(ids("web"), [ID.to_owned(), other.clone()]);
    assert_eq!(ids(&other), std::slice::from_ref(&other));
    assert_eq!(ids(ID), [ID]);
    assert_eq!(ids("task"), ["task"]);
    assert!(ids("we").is_empty());
}

#[test]
fn the_directory_around_is_watched_where_an_engine_has_made_none_yet() {
    let root = Root::new();
    let named = Named::below(root.0.path());
    let watched = |awaited: &[Awaited]| named.watched(awaited.iter());
    assert!(watched(&[]).iter().all(|path| path == root.0.path()));
    root.write(
        &format!("var/lib/docker/containers/{ID}/config.v2.json"),
        "",
    );
    root.write(
        "var/lib/containers/storage/overlay-containers/containers.json",
        "",
    );
    let kept = kept(ID, Runtime::Podman, [None; 3]);
    root.write(
        &format!("var/lib/containers/storage/overlay-containers/{ID}/userdata/x"),
        "",
    );
    let watched = watched(&[Awaited { kept, cgroup: None }]);
    for path in [
        "",
        &format!("var/lib/containers/storage/overlay-containers/{ID}/userdata"),
        "var/lib/docker/containers",
        &format!("var/lib/docker/containers/{ID}"),
        "var/lib/containers/storage",
        "var/lib/containers/storage/overlay-containers",
    ] {
        let path = root.0.path().join(path);
        assert!(watched.contains(&path), "{}", path.display());
    }
}

#[test]
fn a_bundle_says_where_a_runtime_makes_the_cgroup() {
    let root = Root::new();
    let tasks = "run/containerd/io.containerd.runtime.v2.task";
    let storage = "var/lib/containers/storage/overlay-containers";
    root.write(
        &format!("var/lib/docker/containers/{ID}/config.v2.json"),
        r#"{"Name": "/web", "Config": {"Image": "busy:1"}}"#,
    );
    root.write(
        &format!("{storage}/containers.json"),
        &format!(r#"[{{"id": "{ID}", "names": ["pod"]}}]"#),
    );
    let mut named = Named::below(root.0.path());
    let bundles = [
        ("web", format!("{tasks}/moby/{ID}/config.json")),
        ("pod", format!("{storage}/{ID}/userdata/config.json")),
        ("task", format!("{tasks}/default/task/config.json")),
    ];
    for (name, bundle) in bundles {
        for (told, expected) in [
            ("/some/where", Some("/some/where")),
            ("system.slice:docker:x", None),
            ("where", None),
            ("/", None),
            ("//some", None),
            ("/a.service/../b", None),
        ] {
            let text = format!(r#"{{"linux": {{"cgroupsPath": "{told}"}}}}"#);
            root.write(&bundle, &text);
            named.refresh();
            let found = named.of(name);
            assert_eq!(found.len(), 1, "{name}");
            assert_eq!(found[0].cgroup.as_deref(), expected, "{name}: {told}");
        }
    }
}
