//! What the running systemd says of a unit.

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
    /// Its own name, where it was asked for by an alias.
    pub name: String,
    /// Its settings, with what they imply.
    pub settings: Settings,
    /// Its file and its drop-ins.
    pub files: Vec<PathBuf>,
    /// Its main process, where it runs.
    pub main_pid: Option<u32>,
}

/// The settings with commands, which `systemctl show` gives with their flags (systemd 243).
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
/// Where systemctl can't be run or reach it, or there is no such unit, or it is masked.
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

/// Reads what `systemctl show` prints.
fn read(name: &UnitName, text: &str) -> Result<Loaded, Error> {
    let properties: HashMap<&str, &str> = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .collect();
    let get = |key: &str| properties.get(key).copied().unwrap_or_default();
    let path = get("FragmentPath");
    match get("LoadState") {
        // It exists, and nothing is known of it but its name, as the files would tell too.
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
    let mut secure_bits = SecureBits::default();
    secure_bits.insert_named(get("SecureBits"));
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
        secure_bits,
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
