//! Unit files, as far as they tell that a unit exists and what it is called.

use std::path::{Path, PathBuf};

/// The directories in which systemd looks for the units of the system's manager or of users', in
/// order of precedence (systemd.unit(5), "Unit File Load Path"). Those in home directories are not
/// among them: their owners decide what opening them does.
const LOAD_PATH: [&str; 13] = [
    "etc/systemd/KIND.control",
    "run/systemd/KIND.control",
    "run/systemd/transient",
    "run/systemd/generator.early",
    "etc/systemd/KIND",
    "etc/systemd/KIND.attached",
    "run/systemd/KIND",
    "run/systemd/KIND.attached",
    "run/systemd/generator",
    "usr/local/lib/systemd/KIND",
    "usr/lib/systemd/KIND",
    "lib/systemd/KIND",
    "run/systemd/generator.late",
];

/// The directories below a root, for `system` or `user`.
pub(crate) fn load_path(root: &Path, kind: &str) -> impl Iterator<Item = PathBuf> {
    LOAD_PATH
        .map(|place| root.join(place.replace("KIND", kind)))
        .into_iter()
}

/// The name of a unit as its file has it, which differs where what was asked for is an alias;
/// `None` if there is no file.
pub(super) fn own_name(root: &Path, kind: &str, asked: &str) -> Option<String> {
    if asked.contains('/') {
        return None;
    }
    let instance = Instance::of(asked);
    let template = instance.as_ref().map(|instance| instance.template());
    let file = [Some(asked.to_owned()), template]
        .into_iter()
        .flatten()
        .flat_map(|name| load_path(root, kind).map(move |place| place.join(&name)))
        .find(|path| path.symlink_metadata().is_ok())?;
    // A unit that is masked leads to a device, and has no other name.
    let own = linked(root, &file)
        .and_then(|path| Some(path.file_name()?.to_str()?.to_owned()))
        .filter(|own| own.rsplit('.').next() == asked.rsplit('.').next());
    let Some(own) = own else {
        return Some(asked.to_owned());
    };
    Some(match (instance, Instance::of(&own)) {
        (Some(asked), Some(own)) if own.instance.is_empty() => own.with(asked.instance),
        _ => own,
    })
}

/// The file that links lead to, below the same root.
fn linked(root: &Path, file: &Path) -> Option<PathBuf> {
    let mut path = file.to_owned();
    // The kernel follows as many (MAXSYMLINKS, include/linux/namei.h).
    for _ in 0..40 {
        let Ok(target) = path.read_link() else {
            return Some(path);
        };
        path = match target.strip_prefix("/") {
            Ok(inside) => root.join(inside),
            Err(_) => path.parent()?.join(target),
        };
    }
    None
}

/// The name of an instance, or of a template, which is one without an instance.
struct Instance<'a> {
    stem: &'a str,
    instance: &'a str,
    suffix: &'a str,
}

impl<'a> Instance<'a> {
    fn of(name: &'a str) -> Option<Self> {
        let (stem, rest) = name.split_once('@')?;
        let (instance, suffix) = rest.rsplit_once('.')?;
        Some(Self {
            stem,
            instance,
            suffix,
        })
    }

    fn template(&self) -> String {
        self.with("")
    }

    fn with(&self, instance: &str) -> String {
        format!("{}@{instance}.{}", self.stem, self.suffix)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn an_alias_leads_to_the_name_of_the_unit_and_an_instance_stays_one() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        let [etc, lib] = ["etc/systemd/system", "usr/lib/systemd/system"].map(|at| root.join(at));
        for place in [&etc, &lib] {
            fs::create_dir_all(place).unwrap();
        }
        for file in ["ssh.service", "getty@.service", "run@.service"] {
            fs::write(lib.join(file), "x").unwrap();
        }
        symlink(
            "/usr/lib/systemd/system/ssh.service",
            etc.join("sshd.service"),
        )
        .unwrap();
        symlink("sshd.service", etc.join("shell.service")).unwrap();
        symlink("getty@.service", lib.join("autovt@.service")).unwrap();
        symlink(
            "/usr/lib/systemd/system/run@.service",
            etc.join("run@a.service"),
        )
        .unwrap();
        symlink("/dev/null", etc.join("masked.service")).unwrap();
        symlink("loop.service", etc.join("loop.service")).unwrap();
        for (asked, own) in [
            ("ssh.service", Some("ssh.service")),
            ("sshd.service", Some("ssh.service")),
            ("shell.service", Some("ssh.service")),
            ("getty@tty1.service", Some("getty@tty1.service")),
            ("autovt@tty1.service", Some("getty@tty1.service")),
            ("autovt@.service", Some("getty@.service")),
            ("run@a.service", Some("run@a.service")),
            ("masked.service", Some("masked.service")),
            ("loop.service", Some("loop.service")),
            ("ssh.socket", None),
            ("no@a.service", None),
            ("../system/ssh.service", None),
        ] {
            assert_eq!(own_name(root, "system", asked).as_deref(), own, "{asked}");
            assert_eq!(own_name(root, "user", asked), None, "{asked}");
        }
    }
}
