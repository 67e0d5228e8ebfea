//! Containers that are followed by names, whose ids become known only when they are made.
//!
//! Engines write a container's name and id into files before they make its cgroup. A task of the
//! session looks at these files whenever they change, and lets the kernel side compare the names of
//! new cgroups with the ids. What it was too late for is kept from then on, and told.

use std::{
    io,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::task::JoinHandle;

use super::{SessionError, following};
use crate::{
    context::cgroups::{Awaited, Named, Pattern, awaited},
    kernel::trace::{changes::Changes, followed::Table},
};

/// How often files are looked at if changes are not told.
const PAUSE: Duration = Duration::from_millis(20);

/// The names that a session follows, and what engines keep.
pub(super) struct Containers {
    names: Vec<Name>,
    engines: Named,
}

struct Name {
    /// Its position in the table.
    position: usize,
    given: String,
    /// The containers that are called so.
    known: Vec<Awaited>,
}

impl Containers {
    /// Those that a table names, once their ids are compared as far as they are known; `None` if it
    /// names none.
    ///
    /// # Errors
    ///
    /// The table cannot be written.
    pub(super) fn of(table: &mut Table) -> Result<Option<Self>, SessionError> {
        let names = table.names().enumerate();
        let names = names.filter_map(|(position, name)| {
            Some(Name {
                position,
                given: name.container.clone()?,
                known: Vec::new(),
            })
        });
        let names: Vec<Name> = names.collect();
        if names.is_empty() {
            return Ok(None);
        }
        let engines = Named::below(Path::new("/"));
        let mut containers = Self { names, engines };
        containers.look(table)?;
        Ok(Some(containers))
    }

    /// Looks which ids containers with these names have, and returns the positions of the names for
    /// which they changed, with what cgroups are recognised by now.
    fn look(&mut self, table: &mut Table) -> Result<Vec<(usize, Vec<Pattern>)>, SessionError> {
        self.engines.refresh();
        let mut changed = Vec::new();
        for name in &mut self.names {
            let mut known = self.engines.of(&name.given);
            known.truncate(awaited::MOST_WITH_IDS);
            if known == name.known {
                continue;
            }
            name.known = known;
            let patterns = awaited::with_ids(&name.known);
            let in_kernel: Vec<_> = patterns.iter().map(|one| one.of_kernel()).collect();
            table
                .exchange(name.position, &in_kernel)
                .map_err(SessionError::refused)?;
            changed.push((name.position, patterns));
        }
        Ok(changed)
    }

    /// Looks again whenever something changes, as long as the result is not dropped.
    ///
    /// # Errors
    ///
    /// This is not called within a runtime.
    pub(super) fn watch(mut self, table: Arc<Mutex<Table>>) -> io::Result<Watching> {
        let runtime = tokio::runtime::Handle::try_current().map_err(io::Error::other)?;
        Ok(Watching(runtime.spawn(async move {
            // The user may have too many of these already.
            let changes = Changes::new().ok();
            loop {
                let known = self.names.iter().flat_map(|name| &name.known);
                let watched = self.engines.watched(known);
                let changes = changes.as_ref();
                let changes = changes.filter(|changes| changes.watch(&watched).is_ok());
                // What cannot be read or written now may be later, and the session itself tells when
                // its tables cannot be used.
                match self.follow(&table) {
                    // There is more to be watched now.
                    Ok(true) => continue,
                    Ok(false) => {}
                    Err(error) => log::warn!("cannot follow containers by name: {error}"),
                }
                match changes {
                    Some(changes) if changes.wait().await.is_ok() => {}
                    _ => tokio::time::sleep(PAUSE).await,
                }
            }
        })))
    }

    /// Follows what engines keep by now, and returns whether that was something else than before.
    fn follow(&mut self, table: &Mutex<Table>) -> Result<bool, SessionError> {
        let mut table = table.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = self.look(&mut table)?;
        for (position, patterns) in &changed {
            following::keep_late(&mut table, *position, patterns)?;
        }
        Ok(!changed.is_empty())
    }
}

/// A task that ends when this is dropped.
pub(super) struct Watching(JoinHandle<()>);

impl Drop for Watching {
    fn drop(&mut self) {
        self.0.abort();
    }
}
