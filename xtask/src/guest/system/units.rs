//! Units of the system's manager and of a user's, which may have the same name.

use anyhow::{Result, ensure};
use serde_json::Value;

use super::shell::{root, user, wait_until};
use crate::guest::tracer::Tracer;

/// A service of both. It asks for a capability all the time, because the file's mode lets not even
/// its owner read it; what it is called tells whose it is.
const NAME: &str = "nginx";

/// Where the unit of the system is, and where that of the user.
const OF_THE_SYSTEM: &str = "/system.slice/nginx.service";
const OF_THE_USER: &str = "/user.slice/user-1000.slice/user@1000.service/app.slice/nginx.service";

/// The units, started. They are stopped and removed when this is dropped.
struct Both;

impl Both {
    fn start() -> Result<Self> {
        root(&format!(
            "{}\nsystemctl daemon-reload; systemctl restart {NAME}",
            asks("/run/asks", "/run/systemd/system")
        ))?;
        let both = Self;
        wait_until("the user's manager runs", || {
            Ok(root("systemctl is-active user@1000").is_ok())
        })?;
        user(&format!(
            "{}\nsystemctl --user daemon-reload; systemctl --user restart {NAME}",
            asks("/home/user/asks", "/home/user/.config/systemd/user")
        ))?;
        Ok(both)
    }
}

/// Writes the unit into a folder, and what it needs into another.
fn asks(folder: &str, units: &str) -> String {
    format!(
        "mkdir -p {folder} {units}; touch {folder}/closed; chmod 0 {folder}/closed\n\
         cat >{units}/{NAME}.service <<'END'\n\
         [Service]\n\
         ExecStart=/bin/sh -c 'while :; do {{ true <{folder}/closed; }} 2>/dev/null; sleep 0.2; done'\n\
         END\n"
    )
}

impl Drop for Both {
    fn drop(&mut self) {
        // The next test starts them anew; what is wrong with them shows there.
        let _ = user(&format!("systemctl --user stop {NAME}"));
        let _ = root(&format!(
            "systemctl stop {NAME}; rm /run/systemd/system/{NAME}.service; systemctl daemon-reload"
        ));
    }
}

/// The rows of the units with [`NAME`] that an option finds, and what was said of it.
fn rows(option: &str) -> Result<(Vec<Value>, String)> {
    let tracer = Tracer::start(&[
        "trace",
        option,
        NAME,
        "-o",
        "json",
        "--columns",
        "comm,user,unit,cgroup",
        "-n",
        "5",
    ])?;
    let finished = tracer.wait()?;
    let (rows, _) = finished.parse::<Value>()?;
    ensure!(!rows.is_empty(), "no row: {}", finished.stderr);
    Ok((rows, finished.stderr))
}

/// `--unit` finds the unit of the system alone, and says so.
pub fn of_the_system() -> Result<()> {
    let _both = Both::start()?;
    let (rows, said) = rows("--unit")?;
    let told = format!("--unit {NAME} is the cgroup {OF_THE_SYSTEM}\n");
    ensure!(said.contains(&told), "it does not say {told:?}: {said}");
    for row in rows {
        ensure!(
            row["unit"] == format!("{NAME}.service") && row["cgroup"]["path"] == OF_THE_SYSTEM,
            "{row}"
        );
    }
    Ok(())
}

/// `--user-unit` finds the unit of the user alone, and the column says whose it is.
pub fn of_a_user() -> Result<()> {
    let _both = Both::start()?;
    let (rows, said) = rows("--user-unit")?;
    let told = format!("--user-unit {NAME} is the cgroup {OF_THE_USER}\n");
    ensure!(said.contains(&told), "it does not say {told:?}: {said}");
    for row in rows {
        ensure!(
            row["unit"] == format!("user@1000.service/{NAME}.service")
                && row["cgroup"]["path"] == OF_THE_USER,
            "{row}"
        );
    }
    Ok(())
}
