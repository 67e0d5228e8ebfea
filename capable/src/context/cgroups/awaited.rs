//! What the cgroups of a container to come are called.
//!
//! Runtimes that use names call a cgroup by the name. Engines that use ids choose one when they make
//! the container: its names are known only then, and take the place of names that nothing has.

use capable_common::CgroupPlace;

use super::Pattern;
use super::container::Runtime;
use super::engines::Awaited;
use super::names::escape_unit;

/// How many containers with ids can have a name at once: one of each of two engines.
pub(crate) const MOST_WITH_IDS: usize = 2;
/// How many patterns each of them has.
const PATTERNS: usize = 2;

/// Those with the name itself, and room for those with ids at the end.
pub(super) fn patterns(given: &str) -> Vec<Pattern> {
    let machine = escape_unit(given);
    let names = [
        given.to_owned(),
        format!("crun-{given}.scope"),
        format!("runc-{given}.scope"),
        format!("lxc.payload.{given}"),
        format!("machine-{machine}.scope"),
        format!("systemd-nspawn@{machine}.service"),
    ];
    let named = names.map(|name| Pattern::exact(&name, CgroupPlace::OF_SYSTEM));
    let mut patterns = named.to_vec();
    patterns.extend(with_ids(&[]));
    patterns
}

/// Those of containers with ids, as many for any number of containers.
pub(crate) fn with_ids(containers: &[Awaited]) -> Vec<Pattern> {
    let containers = containers.iter().take(MOST_WITH_IDS);
    let mut patterns: Vec<Pattern> = containers.flat_map(with_id).collect();
    patterns.resize(MOST_WITH_IDS * PATTERNS, Pattern::never());
    patterns
}

/// With systemd, the system's manager makes the cgroup in a slice. Without it a runtime makes it where
/// the engine says, which is the usual place as long as nothing else is known.
///
/// No other place has it: who may make cgroups in a service or a container can call one so there.
fn with_id(container: &Awaited) -> [Pattern; PATTERNS] {
    let Awaited { kept, cgroup } = container;
    let id = &kept.id;
    let (prefix, usual) = match kept.runtime {
        Runtime::Docker => ("docker-", Some(format!("/docker/{id}"))),
        Runtime::Podman => ("libpod-", Some(format!("/libpod_parent/libpod-{id}"))),
        Runtime::CriO => ("crio-", None),
        _ => ("cri-containerd-", None),
    };
    let path = cgroup.as_ref().or(usual.as_ref());
    [
        Pattern::exact(&format!("{prefix}{id}.scope"), CgroupPlace::OF_SYSTEM),
        path.map_or_else(Pattern::never, |path| Pattern::at(path)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::cgroups::engines::Kept;

    const ID: &str = "4f1b1e6c0a2d3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4";

    fn matches(patterns: &[Pattern], path: &str) -> bool {
        patterns.iter().any(|pattern| pattern.matches(path))
    }

    #[test]
    fn a_container_with_a_name_is_recognised_where_root_makes_it() {
        let patterns = patterns("my-web");
        for path in [
            "/my-web",
            "/system.slice/my-web",
            "/system.slice/crun-my-web.scope",
            "/system.slice/runc-my-web.scope",
            "/lxc.payload.my-web",
            "/machine.slice/machine-my\\x2dweb.scope",
            "/machine.slice/systemd-nspawn@my\\x2dweb.service",
        ] {
            assert!(matches(&patterns, path), "{path}");
        }
        for path in [
            "/my-web2",
            "/system.slice/evil.service/my-web",
            "/system.slice/evil.service/crun-my-web.scope",
            "/lxc.monitor.my-web",
        ] {
            assert!(!matches(&patterns, path), "{path}");
        }
    }

    #[test]
    fn a_container_with_an_id_is_recognised_with_both_drivers() {
        for (runtime, told, paths) in [
            (
                Runtime::Docker,
                None,
                [
                    format!("/system.slice/docker-{ID}.scope"),
                    format!("/docker/{ID}"),
                ],
            ),
            (
                Runtime::Podman,
                None,
                [
                    format!("/machine.slice/libpod-{ID}.scope"),
                    format!("/libpod_parent/libpod-{ID}"),
                ],
            ),
            (
                Runtime::Podman,
                Some(format!("/system.slice/web.service/libpod-payload-{ID}")),
                [
                    format!("/machine.slice/libpod-{ID}.scope"),
                    format!("/system.slice/web.service/libpod-payload-{ID}"),
                ],
            ),
            (
                Runtime::Containerd,
                Some(format!("/k8s.io/{ID}")),
                [
                    format!("/kubepods.slice/cri-containerd-{ID}.scope"),
                    format!("/k8s.io/{ID}"),
                ],
            ),
        ] {
            let kept = Kept {
                id: ID.to_owned(),
                name: None,
                image: None,
                pod: None,
                runtime,
            };
            let cgroup = told;
            let patterns = with_ids(&[Awaited { kept, cgroup }]);
            assert_eq!(patterns.len(), with_ids(&[]).len());
            for path in paths {
                assert!(matches(&patterns, &path), "{path}");
            }
            let conmon = format!("/machine.slice/libpod-conmon-{ID}.scope");
            assert!(!matches(&patterns, &conmon));
            for evil in [
                format!("/system.slice/evil.service/docker-{ID}.scope"),
                format!("/system.slice/evil.service/docker/{ID}"),
                format!("/system.slice/evil.service/libpod_parent/libpod-{ID}"),
                format!("/evil/libpod-{ID}"),
                format!("/docker/evil/{ID}"),
            ] {
                assert!(!matches(&patterns, &evil), "{evil}");
            }
        }
        assert!(!matches(&with_ids(&[]), "/"));
        assert!(!matches(&with_ids(&[]), "/x"));
    }
}
