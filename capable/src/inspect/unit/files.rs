//! Finds the files of a unit: its own and its drop-ins.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use super::UnitName;
use crate::context::{cgroups, nearest::nearest};
use crate::inspect::Error;

/// The files of a unit.
#[derive(Debug)]
pub struct Found {
    /// Its own name, which differs from the given one if that is an alias.
    pub name: String,
    /// Its file and its drop-ins, in the order in which they apply.
    pub files: Vec<PathBuf>,
}

/// Finds the files of a unit below a root directory.
///
/// # Errors
///
/// If the unit does not exist or is masked.
pub fn find(name: &UnitName, root: &Path) -> Result<Found, Error> {
    name.section()?;
    let directories = load_path(root);
    let candidates = [Some(name.clone()), name.instance().map(|(_, t)| t)];
    let file = candidates
        .iter()
        .flatten()
        .flat_map(|name| directories.iter().map(|dir| dir.join(name.as_str())))
        .find(|path| path.symlink_metadata().is_ok())
        .ok_or_else(|| Error::NoUnit {
            name: name.as_str().to_owned(),
            similar: nearest(name.as_str(), all(root).iter().map(String::as_str))
                .map(str::to_owned),
        })?;
    let masked = || Error::MaskedUnit {
        name: name.as_str().to_owned(),
        by: file.clone(),
    };
    let target = resolve(&file, root).ok_or_else(masked)?;
    let own = own_name(name, &target);

    let mut names = vec![own.clone()];
    if own != *name {
        names.push(name.clone());
    }
    names.extend(aliases(&own, &directories));
    let mut files = vec![target];
    files.extend(drop_ins(&names, &directories));
    Ok(Found {
        name: own.as_str().to_owned(),
        files,
    })
}

/// The directories that exist, each once: /lib is often a link to /usr/lib.
fn load_path(root: &Path) -> Vec<PathBuf> {
    let mut seen = Vec::new();
    let mut directories = Vec::new();
    for directory in cgroups::load_path(root, "system") {
        if let Ok(real) = directory.canonicalize()
            && !seen.contains(&real)
        {
            seen.push(real);
            directories.push(directory);
        }
    }
    directories
}

/// The file that a unit's link leads to; `None` if the unit is masked, that is, a link to /dev/null
/// or an empty file.
fn resolve(file: &Path, root: &Path) -> Option<PathBuf> {
    let mut path = file.to_owned();
    // The kernel follows as many links (MAXSYMLINKS, include/linux/namei.h).
    for _ in 0..40 {
        let Ok(target) = path.read_link() else { break };
        path = match target.strip_prefix("/") {
            Ok(inside) if inside == Path::new("dev/null") => return None,
            Ok(inside) => root.join(inside),
            Err(_) => path.parent()?.join(target),
        };
    }
    let length = path.metadata().ok()?.len();
    (length > 0).then(|| path.canonicalize().unwrap_or(path))
}

/// The name of the unit in this file, if it was asked for by this name.
fn own_name(asked: &UnitName, file: &Path) -> UnitName {
    let Some(found) = file
        .file_name()
        .and_then(|name| name.to_str())
        .and_then(UnitName::new)
        .filter(|found| found.kind() == asked.kind())
    else {
        return asked.clone();
    };
    match asked.instance() {
        Some((instance, _)) => found.with_instance(instance).unwrap_or(found),
        None => found,
    }
}

/// The names of links that lead to the unit; their drop-ins apply as well.
fn aliases(own: &UnitName, directories: &[PathBuf]) -> Vec<UnitName> {
    let leads_here = |path: &Path| {
        path.read_link()
            .is_ok_and(|target| target.file_name() == Some(own.as_str().as_ref()))
    };
    directories
        .iter()
        .filter_map(|directory| fs::read_dir(directory).ok())
        .flatten()
        .filter_map(Result::ok)
        .filter(|entry| leads_here(&entry.path()))
        .filter_map(|entry| UnitName::new(entry.file_name().to_str()?))
        .filter(|alias| alias != own && alias.kind() == own.kind())
        .collect()
}

/// The drop-ins in the order of their file names. Of several with the same name, the directory with
/// the highest precedence wins, and there the most specific one. An empty file or a link to
/// /dev/null hides the others (systemd.unit(5)).
fn drop_ins(names: &[UnitName], directories: &[PathBuf]) -> Vec<PathBuf> {
    let specific = names.iter().flat_map(|name| {
        directories.iter().flat_map(move |directory| {
            name.with_drop_ins()
                .into_iter()
                .map(move |name| directory.join(format!("{name}.d")))
        })
    });
    let for_the_kind = names.first().into_iter().flat_map(|name| {
        directories
            .iter()
            .map(move |directory| directory.join(format!("{}.d", name.kind())))
    });
    let mut found: BTreeMap<OsString, PathBuf> = BTreeMap::new();
    for directory in specific.chain(for_the_kind) {
        let entries = fs::read_dir(directory).into_iter().flatten();
        for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
            if path
                .extension()
                .is_some_and(|extension| extension == "conf")
                && let Some(name) = path.file_name()
            {
                found.entry(name.to_owned()).or_insert(path);
            }
        }
    }
    found
        .into_values()
        .filter(|path| path.metadata().is_ok_and(|m| m.is_file() && m.len() > 0))
        .collect()
}

/// The names of all units below a root directory that run processes.
pub fn all(root: &Path) -> Vec<String> {
    load_path(root)
        .iter()
        .filter_map(|directory| fs::read_dir(directory).ok())
        .flatten()
        .filter_map(|entry| UnitName::new(entry.ok()?.file_name().to_str()?))
        .filter(|unit| unit.section().is_ok())
        .map(|unit| unit.as_str().to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    struct Root(tempfile::TempDir);

    impl Root {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn write(&self, path: &str, text: &str) -> &Self {
            let path = self.0.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
            self
        }

        fn link(&self, path: &str, target: &str) -> &Self {
            let path = self.0.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            symlink(target, path).unwrap();
            self
        }

        fn find(&self, name: &str) -> Result<(String, Vec<String>), Error> {
            let found = find(&UnitName::new(name).unwrap(), self.0.path())?;
            let files = found.files.iter().map(|path| {
                let path = path.strip_prefix(self.0.path()).unwrap();
                path.to_str().unwrap().to_owned()
            });
            Ok((found.name.clone(), files.collect()))
        }
    }

    #[test]
    fn a_file_in_etc_hides_the_vendors_and_drop_ins_follow_by_their_names() {
        let root = Root::new();
        root.write("usr/lib/systemd/system/a.service", "x")
            .write("etc/systemd/system/a.service", "x")
            .write("etc/systemd/system/a.service.d/50-b.conf", "x")
            .write("usr/lib/systemd/system/a.service.d/50-b.conf", "hidden")
            .write("usr/lib/systemd/system/a.service.d/60-c.conf", "x")
            .write("run/systemd/system/service.d/10-all.conf", "x")
            .write("etc/systemd/system/a.service.d/60-c.conf", "")
            .write("etc/systemd/system/a.service.d/notes.txt", "x");
        assert_eq!(
            root.find("a.service").unwrap().1,
            [
                "etc/systemd/system/a.service",
                "run/systemd/system/service.d/10-all.conf",
                "etc/systemd/system/a.service.d/50-b.conf",
            ]
        );
    }

    #[test]
    fn an_alias_leads_to_the_unit_and_its_drop_ins_count_by_either_name() {
        let root = Root::new();
        root.write("lib/systemd/system/ssh.service", "x")
            .link(
                "etc/systemd/system/sshd.service",
                "/lib/systemd/system/ssh.service",
            )
            .write("etc/systemd/system/sshd.service.d/a.conf", "x");
        let expected = (
            "ssh.service".to_owned(),
            vec![
                "lib/systemd/system/ssh.service".to_owned(),
                "etc/systemd/system/sshd.service.d/a.conf".to_owned(),
            ],
        );
        assert_eq!(root.find("sshd.service").unwrap(), expected);
        assert_eq!(root.find("ssh.service").unwrap(), expected);
    }

    #[test]
    fn an_instance_is_made_from_the_template_also_through_an_alias() {
        let root = Root::new();
        root.write("usr/lib/systemd/system/getty@.service", "x")
            .link("usr/lib/systemd/system/autovt@.service", "getty@.service")
            .write("etc/systemd/system/getty@tty1.service.d/a.conf", "x");
        let (name, files) = root.find("autovt@tty1.service").unwrap();
        assert_eq!(name, "getty@tty1.service");
        assert_eq!(files.len(), 2);
        assert_eq!(root.find("getty@tty2.service").unwrap().1.len(), 1);
    }

    #[test]
    fn a_masked_or_missing_unit_is_an_error_that_says_which() {
        let root = Root::new();
        root.write("usr/lib/systemd/system/nginx.service", "x")
            .link("etc/systemd/system/off.service", "/dev/null");
        let message = |name: &str| root.find(name).unwrap_err().to_string();
        assert!(message("off.service").contains("masked"));
        assert!(message("ngnix.service").contains("nginx.service"));
        assert!(!message("other.service").contains("nginx.service"));
    }
}
