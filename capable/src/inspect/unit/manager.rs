//! Asks the running systemd about a unit.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::UnitName;
use super::files;
use super::settings::{Settings, boolean, capabilities};
use crate::inspect::Error;
use crate::inspect::secure_bits::SecureBits;

/// A unit that systemd has loaded.
#[derive(Debug)]
pub struct Loaded {
    /// Its own name, which differs from the given one if that is an alias.
    pub name: String,
    /// Its settings, including what they imply.
    pub settings: Settings,
    /// Its file and its drop-ins.
    pub files: Vec<PathBuf>,
    /// Its main process, if it is running.
    pub main_pid: Option<u32>,
}

/// The settings with commands, which `systemctl show` prints with their flags (systemd 243).
const COMMANDS: [&str; 7] = [
    "ExecCondition",
    "ExecStartPre",
    "ExecStart",
    "ExecStartPost",
    "ExecReload",
    "ExecStop",
    "ExecStopPost",
];

/// Asks the running systemd by systemctl(1).
///
/// # Errors
///
/// If systemctl cannot be run or cannot reach systemd, or the unit does not exist or is masked.
pub fn show(name: &UnitName) -> Result<Loaded, Error> {
    name.section()?;
    let failed = |reason: String| Error::Systemctl {
        name: name.as_str().to_owned(),
        reason,
    };
    let mut properties = String::from(
        "Id,LoadState,FragmentPath,DropInPaths,MainPID,CapabilityBoundingSet,\
         AmbientCapabilities,User,DynamicUser,NoNewPrivileges,SecureBits,PrivateUsers",
    );
    for command in COMMANDS {
        properties += &format!(",{command}Ex");
    }
    let output = Command::new("systemctl")
        .args(["show", "--no-pager", "--property", &properties, "--"])
        .arg(name.as_str())
        .env("LC_ALL", "C")
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr);
        return Err(failed(message.trim().to_owned()));
    }
    read(name, &String::from_utf8_lossy(&output.stdout))
}

/// Parses the output of `systemctl show`.
fn read(name: &UnitName, text: &str) -> Result<Loaded, Error> {
    let properties: HashMap<&str, &str> = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .collect();
    let get = |key: &str| properties.get(key).copied().unwrap_or_default();
    let path = get("FragmentPath");
    match get("LoadState") {
        // The unit exists, but nothing is known about it except its name, which the files tell as
        // well.
        "not-found" => {
            return Err(match files::find(name, Path::new("/")) {
                Err(error) => error,
                Ok(_) => Error::NoUnit {
                    name: name.as_str().to_owned(),
                    similar: None,
                },
            });
        }
        "masked" => {
            return Err(Error::MaskedUnit {
                name: name.as_str().to_owned(),
                by: path.into(),
            });
        }
        "loaded" => {}
        state => {
            return Err(Error::Systemctl {
                name: name.as_str().to_owned(),
                reason: format!("its state is {state:?}"),
            });
        }
    }
    let is_exempt = |command: &&str| {
        let flags = get(&format!("{command}Ex"));
        ["privileged", "no-setuid", "ambient"]
            .iter()
            .any(|flag| flags.split([' ', ';', '=']).any(|word| word == *flag))
    };
    let mut settings = Settings {
        bounding: Some(capabilities(get("CapabilityBoundingSet"))),
        ambient: capabilities(get("AmbientCapabilities")),
        user: Some(get("User").to_owned()).filter(|user| !user.is_empty()),
        dynamic_user: boolean(get("DynamicUser")) == Some(true),
        no_new_privs: boolean(get("NoNewPrivileges")) == Some(true),
        // A number here, unlike in the files.
        secure_bits: SecureBits::from_bits(get("SecureBits").parse().unwrap_or_default()),
        private_users: boolean(get("PrivateUsers")) == Some(true),
        exempt: COMMANDS
            .iter()
            .filter(|command| is_exempt(command))
            .map(|command| (*command).to_owned())
            .collect(),
        ..Settings::default()
    };
    settings.imply();
    let files = [path]
        .into_iter()
        .chain(get("DropInPaths").split_whitespace());
    Ok(Loaded {
        name: get("Id").to_owned(),
        settings,
        files: files
            .filter(|path| !path.is_empty())
            .map(PathBuf::from)
            .collect(),
        main_pid: get("MainPID").parse().ok().filter(|&pid| pid != 0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `systemctl show` of systemd 252 prints.
    const SHOWN: &str = "MainPID=612\n\
        ExecStartPreEx={ path=/bin/a ; argv[]=/bin/a ; flags=ignore-failure privileged ; \
        start_time=[n/a] ; stop_time=[n/a] ; pid=0 ; code=(null) ; status=0/0 }\n\
        ExecStartEx={ path=/bin/b ; argv[]=/bin/b ; flags= ; start_time=[n/a] ; pid=0 }\n\
        CapabilityBoundingSet=cap_chown cap_net_raw\nAmbientCapabilities=cap_net_raw\n\
        User=www\nDynamicUser=no\nSecureBits=16\nPrivateUsers=no\nNoNewPrivileges=yes\n\
        Id=web.service\nLoadState=loaded\nFragmentPath=/lib/systemd/system/web.service\n\
        DropInPaths=/etc/systemd/system/web.service.d/a.conf \
        /etc/systemd/system/web.service.d/b.conf\n";

    #[test]
    fn what_systemctl_shows_is_what_the_unit_has() {
        let name = UnitName::new("web.service").unwrap();
        let loaded = read(&name, SHOWN).unwrap();
        let settings = loaded.settings;
        assert_eq!(loaded.main_pid, Some(612));
        assert_eq!(loaded.files.len(), 3);
        assert_eq!(
            settings.bounding.unwrap().to_string(),
            "CAP_CHOWN,CAP_NET_RAW"
        );
        assert_eq!(settings.ambient.to_string(), "CAP_NET_RAW");
        assert_eq!(settings.user.as_deref(), Some("www"));
        assert_eq!(settings.secure_bits.names(), ["keep-caps"]);
        assert!(settings.no_new_privs && !settings.dynamic_user);
        assert_eq!(settings.exempt.iter().collect::<Vec<_>>(), ["ExecStartPre"]);
    }

    #[test]
    fn a_masked_unit_and_an_inactive_one_are_told_apart() {
        let name = UnitName::new("web.service").unwrap();
        let masked = SHOWN.replace("LoadState=loaded", "LoadState=masked");
        assert!(matches!(
            read(&name, &masked).unwrap_err(),
            Error::MaskedUnit { .. }
        ));
        let inactive = SHOWN.replace("MainPID=612", "MainPID=0");
        assert_eq!(read(&name, &inactive).unwrap().main_pid, None);
    }
}
