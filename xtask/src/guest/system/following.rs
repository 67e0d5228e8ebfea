//! Units that are followed by name: over restarts, and before they run.

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::shell::{root, try_root, user, wait_until};
use crate::guest::tracer::Tracer;

/// The service. At each of its starts it asks once for what [`ASKED`] names.
const NAME: &str = "following";

/// What it asks for: the file that it opens has no mode bit for anybody.
const ASKED: &str = "dac_override";

/// Where the service of the system is, and what services of the user are in.
const OF_THE_SYSTEM: &str = "/system.slice/following.service";
const OF_THE_USER: &str = "/user.slice/user-1000.slice/user@1000.service/app.slice";

/// The units of this file. They are stopped and removed when this is dropped.
struct Units;

impl Units {
    /// Installs the service as the system's, its template, an alias, and a timer. What the timer
    /// starts goes on for a moment: the path of a cgroup that is gone before its row is read is
    /// not known.
    fn install() -> Result<Self> {
        let units = Self;
        root(&format!(
            "mkdir -p /run/following /run/systemd/system; cd /run/systemd/system\n\
             touch /run/following/closed; chmod 0 /run/following/closed\n\
             {service}\n\
             cp {NAME}.service {NAME}@.service; ln -sf {NAME}.service {NAME}-alias.service\n\
             cat >{NAME}-once.service <<'END'\n\
             [Service]\n\
             Type=oneshot\n\
             ExecStart=/bin/sh -c ': >>/run/following/closed'\n\
             ExecStart=/bin/sleep 0.3\n\
             END\n\
             cat >{NAME}-once.timer <<'END'\n\
             [Timer]\n\
             OnActiveSec=1s\n\
             OnUnitInactiveSec=1s\n\
             AccuracySec=100ms\n\
             END\n\
             systemctl daemon-reload",
            service = service("/run/following/closed", &format!("{NAME}.service")),
        ))?;
        Ok(units)
    }

    /// Installs the service as the user's.
    fn install_as_user(&self) -> Result<()> {
        wait_until("the user's manager runs", || {
            Ok(root("systemctl is-active user@1000").is_ok())
        })?;
        user(&format!(
            "mkdir -p ~/.config/systemd/user; touch ~/closed; chmod 0 ~/closed\n\
             {}\n\
             systemctl --user daemon-reload",
            service(
                "/home/user/closed",
                &format!("~/.config/systemd/user/{NAME}.service")
            ),
        ))?;
        Ok(())
    }
}

/// Writes the service, which asks for a capability when it is started and reloaded. `true` goes on
/// where the file cannot be opened.
fn service(closed: &str, file: &str) -> String {
    format!(
        "cat >{file} <<'END'\n\
         [Service]\n\
         ExecStart=/bin/sh -c 'true >>{closed}; exec sleep 1000'\n\
         ExecReload=/bin/sh -c 'true >>{closed}'\n\
         END"
    )
}

impl Drop for Units {
    fn drop(&mut self) {
        // The next test starts them anew; what is wrong with them shows there.
        let _ = user(&format!(
            "systemctl --user stop {NAME}; rm -f ~/.config/systemd/user/{NAME}.service"
        ));
        let _ = root(&format!(
            "systemctl stop {NAME}-once.timer '{NAME}*'; rm -f /run/systemd/system/{NAME}*; \
             systemctl daemon-reload"
        ));
    }
}

/// What a trace saw: the cgroup of each check, and what was said.
struct Seen {
    cgroups: Vec<String>,
    said: String,
}

impl Seen {
    fn expect(&self, cgroups: &[&str], sentences: &[&str]) -> Result<()> {
        let Self {
            cgroups: seen,
            said,
        } = self;
        ensure!(
            seen == cgroups,
            "checks in {seen:?} and not in {cgroups:?}: {said}"
        );
        for sentence in sentences {
            ensure!(said.contains(sentence), "{sentence:?} is not said: {said}");
        }
        Ok(())
    }
}

/// Traces what shells of a unit ask for while something is done.
fn trace(option: &str, unit: &str, act: impl FnOnce() -> Result<()>) -> Result<Seen> {
    let tracer = Tracer::start(&[
        "trace",
        option,
        unit,
        "-c",
        "sh",
        "-C",
        ASKED,
        "-o",
        "json",
        "--columns",
        "cgroup",
    ])?;
    act()?;
    // A row comes some milliseconds after its check.
    root("sleep 1")?;
    let finished = tracer.stop(libc::SIGINT)?;
    let (rows, _) = finished.parse::<Value>()?;
    let path = |row: &Value| row["cgroup"]["path"].as_str().map(str::to_owned);
    let cgroups = rows.iter().map(path).collect::<Option<Vec<String>>>();
    Ok(Seen {
        cgroups: cgroups.context("a row without a cgroup")?,
        said: finished.stderr,
    })
}

fn systemctl(what: &str) -> impl FnOnce() -> Result<()> + use<> {
    let script = format!("for what in {what}; do systemctl $what {NAME}; sleep 0.5; done");
    move || root(&script).map(drop)
}

/// Every start of a unit that ran before is seen, and told.
pub fn over_restarts() -> Result<()> {
    let _units = Units::install()?;
    root(&format!("systemctl start {NAME}"))?;
    let seen = trace("--unit", NAME, systemctl("restart reload restart"))?;
    seen.expect(
        &[OF_THE_SYSTEM; 3],
        &[
            &format!("--unit {NAME} is the cgroup {OF_THE_SYSTEM}\n"),
            &format!("unit {NAME}.service was restarted 2×"),
        ],
    )
}

/// A unit that is installed is waited for, by an alias too.
pub fn to_come() -> Result<()> {
    let _units = Units::install()?;
    for given in [NAME, "following-alias.service"] {
        let seen = trace("--unit", given, systemctl("start stop"))?;
        seen.expect(
            &[OF_THE_SYSTEM],
            &[
                &format!("--unit {given} does not run yet: waiting for it to start\n"),
                &format!("unit {NAME}.service was started 1×"),
            ],
        )?;
    }
    Ok(())
}

/// A unit without a file is waited for if its whole name is given.
pub fn transient() -> Result<()> {
    let _units = Units::install()?;
    let seen = trace("--unit", "following-run.service", || {
        root("systemd-run --unit=following-run --wait sh -c ': >>/run/following/closed'").map(drop)
    })?;
    seen.expect(
        &["/system.slice/following-run.service"],
        &[
            "--unit following-run.service does not run, and no unit file has this name: waiting",
            "unit following-run.service was started 1×",
        ],
    )?;
    let refused = try_root("capable trace --unit followign -d 1s")?;
    ensure!(
        !refused.success
            && refused
                .stderr
                .contains("give its whole name: followign.service"),
        "{refused:?}"
    );
    Ok(())
}

/// All instances of a template are followed, and all services of a slice.
pub fn instances_and_slices() -> Result<()> {
    let _units = Units::install()?;
    let seen = trace("--unit", "following@", || {
        root("systemctl start following@a; sleep 0.5; systemctl start following@b").map(drop)
    })?;
    // The slice that systemd makes for a template.
    let instances = ["a", "b"].map(|instance| {
        format!("/system.slice/system-following.slice/following@{instance}.service")
    });
    seen.expect(
        &instances.each_ref().map(String::as_str),
        &["unit following@.service was started 2×"],
    )?;
    let run = "systemd-run --slice=following --unit=following-in --wait sh -c ': >>/run/following/closed'";
    let seen = trace("--unit", "following.slice", || {
        root(&format!("{run}; {run}")).map(drop)
    })?;
    seen.expect(&["/following.slice/following-in.service"; 2], &[])
}

/// A service that a timer starts is seen each time.
pub fn by_timer() -> Result<()> {
    let _units = Units::install()?;
    let unit = "following-once.service";
    let seen = trace("--unit", unit, || {
        root("systemctl start following-once.timer; sleep 8; systemctl stop following-once.timer")
            .map(drop)
    })?;
    let Seen { cgroups, said } = &seen;
    ensure!(cgroups.len() >= 2, "{cgroups:?}: {said}");
    seen.expect(
        &["/system.slice/following-once.service"].repeat(cgroups.len()),
        &[&format!("unit {unit} was started {}×", cgroups.len())],
    )
}

/// A unit of a user is followed over its restart, as theirs.
pub fn of_a_user() -> Result<()> {
    let units = Units::install()?;
    units.install_as_user()?;
    user(&format!("systemctl --user start {NAME}"))?;
    let seen = trace("--user-unit", NAME, || {
        root(&format!("systemctl start {NAME}"))?;
        user(&format!("systemctl --user restart {NAME}")).map(drop)
    })?;
    let path = format!("{OF_THE_USER}/{NAME}.service");
    seen.expect(
        &[&path],
        &[&format!(
            "user unit {NAME}.service: 1 ran, and 1 were started"
        )],
    )
}

/// What a user calls so is never taken for a unit of the system.
pub fn not_a_users() -> Result<()> {
    let units = Units::install()?;
    units.install_as_user()?;
    let seen = trace("--unit", NAME, || {
        user(&format!("systemctl --user start {NAME}"))?;
        // In cgroups that were delegated to the user, who names them at will.
        let delegated = format!("/sys/fs/cgroup{OF_THE_USER}/system.slice/{NAME}.service");
        user(&format!(
            "mkdir -p {delegated}; sh -c 'echo $$ >{delegated}/cgroup.procs; : >>~/closed' || true"
        ))
        .map(drop)
    })?;
    seen.expect(&[], &[&format!("unit {NAME}.service was not started")])
}

/// A profile sees a unit's start, reload, restart and stop, and reports how often it was started.
pub fn profiled_from_its_start() -> Result<()> {
    let _units = Units::install()?;
    let printed = root(&format!(
        "capable profile --unit {NAME} -o json 2>/run/following/said >/run/following/report &\n\
         until grep -q counting /run/following/said; do sleep 0.2; done\n\
         for what in start reload restart stop; do systemctl $what {NAME}; sleep 0.5; done\n\
         kill $!; wait $!; cat /run/following/report"
    ))?;
    let report: Value = serde_json::from_str(&printed)?;
    let unit = &report["units"][0];
    ensure!(
        unit["name"] == format!("unit {NAME}.service")
            && [&unit["running"], &unit["started"], &unit["restarts"]] == [0, 2, 1],
        "{unit}"
    );
    let capabilities = report["capabilities"].as_array();
    let asked = capabilities.and_then(|all| {
        let asked = |one: &&Value| one["capability"] == "CAP_DAC_OVERRIDE";
        all.iter().find(asked)?["programs"].as_array()
    });
    let shells = asked.and_then(|programs| programs.iter().find(|one| one["name"] == "sh"));
    ensure!(
        shells.is_some_and(|shells| shells["checks"] == 3),
        "two starts and a reload: {report}"
    );
    Ok(())
}

/// The screen of counts goes on over a restart, and says so.
pub fn counted() -> Result<()> {
    let _units = Units::install()?;
    root(&format!("systemctl start {NAME}"))?;
    let printed = root(&format!(
        "capable top -b -d 4 -n 2 --unit {NAME} >/run/following/top &\n\
         sleep 3; systemctl restart {NAME}; wait $!; cat /run/following/top"
    ))?;
    let restarted = format!("unit {NAME}.service was restarted 1×");
    ensure!(
        printed.contains("CAP_DAC_OVERRIDE") && printed.contains(&restarted),
        "{printed}"
    );
    Ok(())
}

/// Where the kernel does not tell what following takes, a unit that runs is traced as it is, with a
/// word on that, and one that does not run is an error.
pub fn refused() -> Result<()> {
    let _units = Units::install()?;
    let without = "CAPABLE_PROBE_BTF=no capable trace -d 2s --unit";
    let idle = try_root(&format!("{without} {NAME}"))?;
    let sentence = format!("unit {NAME}.service is not running, and cannot be waited for here");
    ensure!(!idle.success && idle.stderr.contains(&sentence), "{idle:?}");
    root(&format!("systemctl start {NAME}"))?;
    let running = try_root(&format!("{without} {NAME}"))?;
    let sentence = format!("a restart of unit {NAME}.service is not followed");
    ensure!(
        running.success && running.stderr.contains(&sentence),
        "{running:?}"
    );
    Ok(())
}
