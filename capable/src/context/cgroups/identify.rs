//! Whose container a cgroup is: what its path shows, and what engines keep of it.

use std::time::{Duration, Instant};

use super::container::container;
use super::engines::Engines;
use super::{Cgroup, Cgroups, Container};

/// When a cgroup is looked at again for the first time. Each time after that it takes twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// After which pause it is not looked at again.
const LAST_PAUSE: Duration = Duration::from_secs(10);

/// When a cgroup is looked at again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unsettled {
    at: Instant,
    pause: Duration,
}

impl Unsettled {
    fn after(pause: Duration) -> Self {
        Self {
            at: Instant::now() + pause,
            pause,
        }
    }
}

impl Cgroups {
    /// Remembers a cgroup. The engines were looked at after it was made.
    pub(super) fn learn(&mut self, id: u64, path: &str) {
        let cgroup = identified(&self.engines, path);
        if !is_settled(&cgroup) {
            self.unsettled.insert(id, Unsettled::after(FIRST_PAUSE));
        }
        self.known.insert(id, cgroup);
    }

    /// Looks again at a cgroup that no engine claimed so far, if it is time.
    pub(super) fn look_again(&mut self, id: u64) {
        let Some(unsettled) = self.unsettled.get_mut(&id) else {
            return;
        };
        if Instant::now() < unsettled.at {
            return;
        }
        *unsettled = Unsettled::after(2 * unsettled.pause);
        let last = unsettled.pause > LAST_PAUSE;
        let Some(path) = self.known.get(&id).map(|cgroup| cgroup.path.clone()) else {
            return;
        };
        self.engines.refresh();
        let cgroup = identified(&self.engines, &path);
        if last || is_settled(&cgroup) {
            self.unsettled.remove(&id);
        }
        self.known.insert(id, cgroup);
    }
}

/// A cgroup, with the container that its engine or its path tells.
pub(super) fn identified(engines: &Engines, path: &str) -> Cgroup {
    let mut cgroup = Cgroup::from_path(path);
    let shown = cgroup.container.take();
    let claimed = engines.by_cgroup(path).map(|(kept, own)| {
        let depth = own.split('/').filter(|name| !name.is_empty()).count();
        Container::kept(kept, depth)
    });
    let inner = claimed.as_ref().and_then(|outer| inside(outer, path));
    cgroup.container = match (claimed, shown) {
        (Some(_), _) if inner.is_some() => inner,
        (Some(mut claimed), shown) => {
            let pod = shown.and_then(|shown| shown.pod);
            claimed.pod = claimed.pod.or(pod);
            Some(claimed)
        }
        (None, Some(mut shown)) => {
            if !shown.is_behind()
                && let Some(kept) = engines.by_id(&shown.id)
            {
                shown.add(kept);
            }
            Some(shown)
        }
        (None, None) => None,
    };
    cgroup
}

/// The container in a container, which stands behind it: who made the outer one's cgroup is known, and
/// what is below that is made by others.
fn inside(outer: &Container, path: &str) -> Option<Container> {
    let components: Vec<&str> = path.split('/').filter(|name| !name.is_empty()).collect();
    let inner = container(components.get(outer.depth..)?, None)?;
    Some(Container {
        id: format!("{}/{}", outer.short_id(), inner.id),
        name: None,
        image: None,
        pod: None,
        depth: outer.depth + inner.depth,
        ..inner
    })
}

/// Whether nothing more is to be learned of whose container a cgroup is.
fn is_settled(cgroup: &Cgroup) -> bool {
    let container = cgroup.container.as_ref();
    container.is_some_and(|container| container.name.is_some())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_a_container_makes_stands_behind_it_whatever_its_path_looks_like() {
        let root = tempfile::tempdir().unwrap();
        let status = |id: &str, cgroup: &str| {
            let folder = root.path().join("run/crun").join(id);
            fs::create_dir_all(&folder).unwrap();
            let text = format!(r#"{{"cgroup-path": "{cgroup}"}}"#);
            fs::write(folder.join("status"), text).unwrap();
        };
        let [own, other] = ["4f1b1e6c".repeat(8), "5f1b1e6c".repeat(8)];
        status("evil", "/evil");
        status(
            &own,
            &format!("/system.slice/web.service/libpod-payload-{own}"),
        );
        let mut engines = Engines::below(root.path());
        engines.refresh();
        for (path, id) in [
            ("/evil".to_owned(), "evil".to_owned()),
            (format!("/evil/docker/{own}"), format!("evil/{own}")),
            (
                format!("/evil/libpod_parent/libpod-{own}"),
                format!("evil/{own}"),
            ),
            (format!("/evil/docker-{own}.scope"), format!("evil/{own}")),
            ("/evil/lxc.payload.web".to_owned(), "evil/web".to_owned()),
            (
                format!("/evil/docker/{other}/docker/{own}"),
                format!("evil/{}/{own}", &other[..12]),
            ),
            (
                format!("/system.slice/web.service/libpod-payload-{own}"),
                own.clone(),
            ),
            (
                format!("/system.slice/web.service/libpod-payload-{own}/docker/{other}"),
                format!("{}/{other}", &own[..12]),
            ),
        ] {
            let container = identified(&engines, &path).container.unwrap();
            assert_eq!(container.id, id, "{path}");
            let named = id == "evil" || id == own;
            assert_eq!(container.name.is_some(), named, "{path}");
        }
    }
}
