//! Follows a path, name by name, as the kernel did.

use std::os::fd::OwnedFd;

use rustix::{
    fs::{Mode, OFlags, ResolveFlags, openat, openat2, readlinkat},
    io::{Errno, fcntl_dupfd_cloexec},
};

use super::{Found, LONGEST, NotFound, Question, component::describe, root::Root};
use crate::event::{Component, Surroundings};

/// The most components of a path, and the most names that are looked up on the way.
const COMPONENTS: usize = 64;
const NAMES: usize = 1024;
/// The most symbolic links (`MAXSYMLINKS`, include/linux/namei.h).
const LINKS: usize = 40;

/// How far the path was followed.
struct Walk<'a> {
    root: &'a Root,
    /// What is held, the root first.
    held: Vec<(OwnedFd, Component)>,
    /// The names that follow, the next one last.
    names: Vec<Vec<u8>>,
    personal: bool,
}

/// Follows the path of a question from a root.
pub(super) fn walk(root: &Root, question: &Question) -> Result<Found, NotFound> {
    let held = fcntl_dupfd_cloexec(&root.directory, 0)?;
    let (first, refused) = describe(&held, root.path.clone(), &root.mounts);
    let mut walk = Walk {
        root,
        held: vec![(held, first)],
        names: Vec::new(),
        personal: root.base != b"/",
    };
    walk.add_absolute(&question.path)?;
    let stopped = match refused {
        Some(errno) => Some(errno),
        None => walk.follow(question)?,
    };
    Ok(walk.end(stopped))
}

impl Walk<'_> {
    /// Adds the names of a relative path before those that follow.
    fn add(&mut self, path: &[u8]) -> Result<(), NotFound> {
        let names = path.split(|&byte| byte == b'/');
        let names = names.filter(|name| !name.is_empty() && *name != b".");
        self.names.extend(names.rev().map(<[u8]>::to_vec));
        let length: usize = self.names.iter().map(|name| name.len() + 1).sum();
        (length <= LONGEST).then_some(()).ok_or(NotFound::TooLong)
    }

    /// Adds those of a path from the root of the mount namespace.
    fn add_absolute(&mut self, path: &[u8]) -> Result<(), NotFound> {
        let root = self.root.path.strip_suffix(b"/").unwrap_or(&self.root.path);
        match path.strip_prefix(root) {
            Some(rest) if rest.is_empty() || rest[0] == b'/' => self.add(rest),
            _ if path.first() == Some(&b'/') => Err(NotFound::OtherRoot),
            _ => Err(Errno::INVAL.into()),
        }
    }

    /// Follows the names. What it gives is why it cannot go on.
    fn follow(&mut self, question: &Question) -> Result<Option<Errno>, NotFound> {
        // A path that ends so names a directory.
        let to_directory = question.path.ends_with(b"/") || question.path.ends_with(b"/.");
        let mut links = 0;
        for _ in 0..NAMES {
            let Some(name) = self.names.pop() else {
                return Ok(None);
            };
            let Some((above, here)) = self.held.last() else {
                return Err(NotFound::TooLong);
            };
            if name == b".." {
                if here.kind() != libc::S_IFDIR {
                    self.names.push(name);
                    return Ok(Some(Errno::NOTDIR));
                }
                if self.held.len() > 1 && here.path != self.root.base {
                    self.held.pop();
                }
                continue;
            }
            let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let file = match openat(above, &name[..], flags, Mode::empty()) {
                Ok(file) => file,
                Err(errno) => {
                    self.names.push(name);
                    return Ok(Some(errno));
                }
            };
            let path = [here.path.strip_suffix(b"/").unwrap_or(&here.path), &name].join(&b'/');
            let (component, refused) = describe(&file, path, &self.root.mounts);
            let is_last = self.names.is_empty() && !question.follow && !to_directory;
            if component.kind() == libc::S_IFLNK && !is_last {
                links += 1;
                if links > LINKS {
                    return Err(NotFound::TooLong);
                }
                let target = self.target(&file, &component, &name)?;
                self.enter(&target)?;
                continue;
            }
            if self.held.len() == COMPONENTS || component.path.len() > LONGEST {
                return Err(NotFound::TooLong);
            }
            self.held.push((file, component));
            if refused.is_some() {
                return Ok(refused);
            }
        }
        Err(NotFound::TooLong)
    }

    /// Goes on along a link.
    fn enter(&mut self, target: &[u8]) -> Result<(), NotFound> {
        if target.first() != Some(&b'/') {
            return self.add(target);
        }
        self.held.truncate(1);
        let base = self.root.base.strip_suffix(b"/");
        let path = [base.unwrap_or(&self.root.base), target].concat();
        self.add_absolute(&path)
    }

    /// What a link in the last directory that is held says.
    fn target(
        &mut self,
        link: &OwnedFd,
        component: &Component,
        name: &[u8],
    ) -> Result<Vec<u8>, NotFound> {
        let Some((above, here)) = self.held.last() else {
            return Err(NotFound::TooLong);
        };
        if component.mount.kind == "proc" {
            if here.path == component.mount.point && (name == b"self" || name == b"thread-self") {
                // It is another one for each who reads it.
                let number = self.root.number.ok_or(NotFound::Ended)?;
                self.personal = true;
                return Ok(match name {
                    b"self" => number.to_string(),
                    _ => format!("{number}/task/{number}"),
                }
                .into_bytes());
            }
            let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
            let flags = OFlags::PATH | OFlags::CLOEXEC;
            match openat2(above, name, flags, Mode::empty(), resolve) {
                Err(Errno::LOOP) => return Err(NotFound::OpenFile),
                // Before 5.6.
                Err(errno @ Errno::NOSYS) => return Err(errno.into()),
                _ => {}
            }
        }
        Ok(readlinkat(link, "", Vec::new())?.into_bytes())
    }

    fn end(self, stopped: Option<Errno>) -> Found {
        let components: Vec<_> = self
            .held
            .into_iter()
            .map(|(_, component)| component)
            .collect();
        let mut resolved = components
            .last()
            .map_or_else(Vec::new, |last| last.path.clone());
        for name in self.names.iter().rev() {
            if resolved != b"/" {
                resolved.push(b'/');
            }
            resolved.extend_from_slice(name);
        }
        Found {
            surroundings: Surroundings {
                resolved,
                components,
                stopped: stopped.map(Errno::raw_os_error),
            },
            personal: self.personal,
        }
    }
}
