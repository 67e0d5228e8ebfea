//! Reads which capabilities a systemd unit allows its processes.
//!
//! If systemd is running it is asked, because it knows what it loaded. Otherwise (in the image of a
//! container, or on a machine with another init) the unit's files are read as systemd would read
//! them.

mod files;
mod manager;
mod name;
mod settings;

use std::path::{Path, PathBuf};

use serde::Serialize;

pub use self::name::UnitName;
use self::settings::Settings;
use super::process::Process;
use super::secure_bits::SecureBits;
use super::{Error, json};
use crate::capability::CapabilitySet;

/// What a unit lets its processes hold.
#[derive(Clone, Debug, Serialize)]
pub struct Unit {
    /// Its name.
    pub name: String,
    /// Where this information comes from.
    pub source: Source,
    /// The unit's file and its drop-ins, in the order in which they apply.
    #[serde(serialize_with = "json::paths")]
    pub files: Vec<PathBuf>,
    /// `User=`, or `None` for root.
    pub user: Option<String>,
    /// `DynamicUser=`: the user is created when the unit starts.
    pub dynamic_user: bool,
    /// `CapabilityBoundingSet=`, minus what other settings take away (`PrivateDevices=`...).
    #[serde(serialize_with = "json::names")]
    pub bounding: CapabilitySet,
    /// `AmbientCapabilities=`.
    #[serde(serialize_with = "json::names")]
    pub ambient: CapabilitySet,
    /// `NoNewPrivileges=`.
    pub no_new_privs: bool,
    /// `SecureBits=`.
    pub securebits: SecureBits,
    /// `PrivateUsers=`: its processes hold their capabilities in a user namespace of their own.
    pub private_users: bool,
    /// The settings with commands that are exempt from all this (`ExecStartPre=+...`).
    pub exempt: Vec<String>,
    /// What its processes hold when they start; `None` if the user is not known.
    pub starts_with: Option<Start>,
    /// What they can gain by executing privileged files; `None` if the user is not known.
    pub can_reach: Option<Start>,
    /// Its main process, if it is running.
    pub main_process: Option<Process>,
}

/// A permitted set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Start(#[serde(serialize_with = "json::names")] pub CapabilitySet);

/// Where the information about a unit comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// The running systemd.
    Systemd,
    /// The unit's files.
    Files,
}

impl UnitName {
    /// The names of all units of this machine that run processes.
    pub fn all() -> Vec<String> {
        files::all(Path::new("/"))
    }

    /// Whether this machine has a unit with this name, or with that of its template.
    pub fn exists(&self) -> bool {
        !matches!(
            files::find(self, Path::new("/")),
            Err(Error::NoUnit { .. } | Error::UnitWithoutProcesses { .. })
        )
    }
}

impl Unit {
    /// Asks the running systemd or, if none is running, reads the unit's files. `universe` is every
    /// capability that the running kernel knows.
    ///
    /// # Errors
    ///
    /// If the unit does not exist, is masked, or is of a kind that runs no processes.
    pub fn read(name: &UnitName, universe: CapabilitySet) -> Result<Self, Error> {
        // As sd_booted(3) decides.
        if Path::new("/run/systemd/system").is_dir() {
            let loaded = manager::show(name)?;
            let mut unit = Self::new(Source::Systemd, loaded.name, loaded.settings, universe);
            unit.files = loaded.files;
            // The process may have ended since systemd was asked.
            unit.main_process = loaded.main_pid.and_then(|pid| Process::read(pid).ok());
            Ok(unit)
        } else {
            Self::from_files(name, Path::new("/"), universe)
        }
    }

    /// Reads the unit's files below a root directory.
    ///
    /// # Errors
    ///
    /// As for [`Unit::read`].
    pub fn from_files(
        name: &UnitName,
        root: &Path,
        universe: CapabilitySet,
    ) -> Result<Self, Error> {
        let found = files::find(name, root)?;
        let mut settings = Settings::default();
        for path in &found.files {
            let text = std::fs::read(path).map_err(|error| Error::Read {
                path: path.clone(),
                error,
            })?;
            settings.apply(&String::from_utf8_lossy(&text), name.section()?);
        }
        settings.imply();
        if let Some((instance, _)) = name.instance() {
            settings.user = settings.user.map(|user| user.replace("%i", instance));
        }
        let mut unit = Self::new(Source::Files, found.name, settings, universe);
        unit.files = found.files;
        Ok(unit)
    }

    fn new(source: Source, name: String, settings: Settings, universe: CapabilitySet) -> Self {
        let bounding = settings
            .bounding
            .map_or(universe, |set| set.intersection(universe));
        let ambient = settings.ambient.intersection(universe);
        let root = settings.runs_as_root();
        let starts_with = root.map(|root| {
            if root && !settings.secure_bits.is_noroot() {
                bounding
            } else {
                // systemd cannot raise capabilities that the bounding set lacks (capset(2)).
                ambient.intersection(bounding)
            }
        });
        let can_reach = starts_with.map(|start| {
            if settings.no_new_privs {
                start
            } else {
                bounding
            }
        });
        Self {
            name,
            source,
            files: Vec::new(),
            user: settings.user,
            dynamic_user: settings.dynamic_user,
            bounding,
            ambient,
            no_new_privs: settings.no_new_privs,
            securebits: settings.secure_bits,
            private_users: settings.private_users,
            exempt: settings.exempt.into_iter().collect(),
            starts_with: starts_with.map(Start),
            can_reach: can_reach.map(Start),
            main_process: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capability::Capability;

    /// Reads an instance of a template from files; `service` is the text of its section.
    fn read(service: &str) -> Unit {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("etc/systemd/system");
        std::fs::create_dir_all(&directory).unwrap();
        let text = format!("[Service]\n{service}\n");
        std::fs::write(directory.join("web@.service"), text).unwrap();
        let name = UnitName::new("web@me.service").unwrap();
        Unit::from_files(&name, root.path(), CapabilitySet::ALL_NAMED).unwrap()
    }

    fn start_and_reach(service: &str) -> (CapabilitySet, CapabilitySet) {
        let unit = read(service);
        (unit.starts_with.unwrap().0, unit.can_reach.unwrap().0)
    }

    const ALL: CapabilitySet = CapabilitySet::ALL_NAMED;

    #[test]
    fn root_starts_with_the_bounding_set_and_others_with_the_ambient_one() {
        let kill = CapabilitySet::from(Capability::KILL);
        assert_eq!(start_and_reach(""), (ALL, ALL));
        assert_eq!(
            start_and_reach("CapabilityBoundingSet=CAP_KILL"),
            (kill, kill)
        );
        let ambient = "User=www\nAmbientCapabilities=CAP_KILL";
        assert_eq!(start_and_reach(ambient), (kill, ALL));
        let confined = format!("{ambient}\nNoNewPrivileges=yes");
        assert_eq!(start_and_reach(&confined), (kill, kill));
        let noroot = "SecureBits=noroot\nAmbientCapabilities=CAP_KILL";
        assert_eq!(start_and_reach(noroot), (kill, ALL));
    }

    #[test]
    fn an_instance_names_the_user_and_another_specifier_leaves_open_what_it_holds() {
        assert_eq!(read("User=%i").user.as_deref(), Some("me"));
        assert_eq!(read("User=%u").starts_with, None);
    }
}
