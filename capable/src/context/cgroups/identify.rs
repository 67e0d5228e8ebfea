//! Whose container a cgroup is: what its path shows, and what engines keep of it.

use std::time::{Duration, Instant};

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
    cgroup.container = match (claimed, shown) {
        // What is made inside of it is a container in a container.
        (Some(claimed), Some(shown)) if shown.depth > claimed.depth => Some(shown),
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

/// Whether nothing more is to be learned of whose container a cgroup is.
fn is_settled(cgroup: &Cgroup) -> bool {
    let container = cgroup.container.as_ref();
    container.is_some_and(|container| container.name.is_some())
}
