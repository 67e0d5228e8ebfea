//! Waiting until something changes in directories (inotify(7)).

use std::{io, os::fd::OwnedFd, path::PathBuf};

use rustix::fs::inotify;
use tokio::io::{Interest, unix::AsyncFd};

/// Changes in directories: what is made, written or moved there.
pub struct Changes(AsyncFd<OwnedFd>);

impl Changes {
    /// Those in no directory yet. Call it within a runtime.
    pub fn new() -> io::Result<Self> {
        let flags = inotify::CreateFlags::NONBLOCK | inotify::CreateFlags::CLOEXEC;
        let changes = inotify::init(flags)?;
        // SAFETY: it owns its descriptor, which is not replaced while it is registered.
        let changes = unsafe { AsyncFd::register_with_interest(changes, Interest::READABLE) };
        Ok(Self(changes?))
    }

    /// Tells changes in these directories too, from now on. One that is gone is left out: that is a
    /// change of the one around it.
    pub fn watch(&self, directories: &[PathBuf]) -> io::Result<()> {
        let changes = inotify::WatchFlags::CREATE
            | inotify::WatchFlags::MOVED_TO
            | inotify::WatchFlags::CLOSE_WRITE
            | inotify::WatchFlags::DELETE_SELF
            | inotify::WatchFlags::ONLYDIR;
        for directory in directories {
            match inotify::add_watch(self.0.get_ref(), directory, changes) {
                Ok(_) | Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Waits for one.
    pub async fn wait(&self) -> io::Result<()> {
        let mut ready = self.0.readable().await?;
        let mut events = [0; 4096];
        while rustix::io::read(self.0.get_ref(), &mut events[..]).is_ok_and(|bytes| bytes > 0) {}
        ready.clear_ready();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, time::Duration};

    use super::*;

    #[tokio::test]
    async fn what_is_made_in_a_directory_is_told_and_one_that_is_gone_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let changes = Changes::new().unwrap();
        let watched = [folder.path().to_owned(), folder.path().join("none")];
        changes.watch(&watched).unwrap();
        let wait = || tokio::time::timeout(Duration::from_millis(50), changes.wait());
        assert!(wait().await.is_err(), "nothing happened");
        fs::write(folder.path().join("file"), "text").unwrap();
        wait().await.unwrap().unwrap();
        assert!(wait().await.is_err(), "nothing happened again");
    }
}
