//! What the cgroups of a container to come are called.
//!
//! Runtimes that use names call a cgroup by the name. Engines that use ids choose one when they make
//! the container: its names are known only then, and take the place of names that nothing has.

use capable_common::CgroupPlace;

use super::Pattern;
use super::container::Runtime;
use super::engines::Kept;
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
pub(crate) fn with_ids(containers: &[Kept]) -> Vec<Pattern> {
    let containers = containers.iter().take(MOST_WITH_IDS);
    let mut patterns: Vec<Pattern> = containers.flat_map(with_id).collect();
    patterns.resize(MOST_WITH_IDS * PATTERNS, Pattern::never());
    patterns
}

/// With systemd, root's managers make the cgroup in a slice; an engine makes its own in a cgroup of
/// the engine's.
fn with_id(container: &Kept) -> [Pattern; PATTERNS] {
    let id = &container.id;
    let below = CgroupPlace::OF_SYSTEM.or(CgroupPlace::BELOW);
    let (prefix, own) = match container.runtime {
        Runtime::Docker => ("docker-", id.clone()),
        Runtime::Podman => ("libpod-", format!("libpod-{id}")),
        Runtime::CriO => ("crio-", id.clone()),
        _ => ("cri-containerd-", id.clone()),
    };
    [
        Pattern::exact(&format!("{prefix}{id}.scope"), CgroupPlace::OF_SYSTEM),
        Pattern::exact(&own, below),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

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
        for (runtime, paths) in [
            (
                Runtime::Docker,
                [
                    format!("/system.slice/docker-{ID}.scope"),
                    format!("/docker/{ID}"),
                ],
            ),
            (
                Runtime::Podman,
                [
                    format!("/machine.slice/libpod-{ID}.scope"),
                    format!("/libpod_parent/libpod-{ID}"),
                ],
            ),
            (
                Runtime::Containerd,
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
            let patterns = with_ids(&[kept]);
            assert_eq!(patterns.len(), with_ids(&[]).len());
            for path in paths {
                assert!(matches(&patterns, &path), "{path}");
            }
            let conmon = format!("/machine.slice/libpod-conmon-{ID}.scope");
            assert!(!matches(&patterns, &conmon));
            let evil = format!("/system.slice/evil.service/docker-{ID}.scope");
            assert!(!matches(&patterns, &evil));
        }
        assert!(!matches(&with_ids(&[]), "/"));
        assert!(!matches(&with_ids(&[]), "/x"));
    }
}
