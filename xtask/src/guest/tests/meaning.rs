//! Whose credentials were checked, over which namespace, and what granted the capability.

use std::fs::OpenOptions;
use std::io::{self, Read as _, Write as _};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::Bench;
use super::cast::set_name;
use crate::guest::fork::{Child, sleep_forever};
use crate::guest::identity::{Identity, OTHER, USER, become_user};
use crate::guest::runner;
use crate::guest::scene::in_virtual_machine;
use crate::guest::syscall::call;
use crate::guest::tracer::Tracer;
use crate::guest::triggers;

/// The rows of one trigger of the scenario.
fn rows_of(bench: &Bench, name: &str, identity: Identity) -> Result<Vec<Value>> {
    let trigger = triggers::all()
        .find(|trigger| trigger.name == name)
        .with_context(|| format!("no trigger {name}"))?;
    let tracer = Tracer::start(&["-c", name, "-o", "json"])?;
    let run = runner::run(trigger, identity, &bench.scene, bench.machine.kernel)?;
    let (mut rows, _) = tracer.stop(libc::SIGINT)?.parse::<Value>()?;
    ensure!(run.skipped.is_none(), "{name}: {:?}", run.skipped);
    rows.retain(|row| row["pid"] == run.pid);
    Ok(rows)
}

/// Requires that some row has all these values.
fn some(rows: &[Value], values: &[(&str, Value)]) -> Result<()> {
    let fits = |row: &&Value| {
        values
            .iter()
            .all(|(pointer, value)| row.pointer(pointer) == Some(value))
    };
    ensure!(
        rows.iter().any(|row| fits(&row)),
        "no row with {values:?} in {rows:?}"
    );
    Ok(())
}

/// An unprivileged user as root of a namespace of its own.
pub fn own_namespace(bench: &Bench) -> Result<()> {
    let rows = rows_of(bench, "mount-own", Identity::Userns)?;
    some(
        &rows,
        &[
            ("/uid", USER.into()),
            ("/capability", "CAP_SYS_ADMIN".into()),
            ("/result", "granted".into()),
            ("/granted_by", "capability".into()),
            ("/target_namespace/initial", false.into()),
            ("/target_namespace/relation", "own".into()),
            ("/credentials/owner", "own".into()),
        ],
    )?;
    let rows = rows_of(bench, "setns-owned", Identity::User)?;
    some(
        &rows,
        &[
            ("/uid", USER.into()),
            ("/capability", "CAP_SYS_ADMIN".into()),
            ("/result", "granted".into()),
            ("/granted_by", "ownership".into()),
            ("/target_namespace/initial", false.into()),
            ("/target_namespace/relation", "below".into()),
            ("/credentials/effective", "0x0000000000000000".into()),
        ],
    )
}

/// access(2) of a set-user-ID program, and an overlay that copies a file up.
pub fn overridden(bench: &Bench) -> Result<()> {
    let rows = rows_of(bench, "access", Identity::Root)?;
    some(
        &rows,
        &[
            ("/capability", "CAP_DAC_READ_SEARCH".into()),
            ("/result", "denied".into()),
            ("/credentials/owner", "overridden".into()),
            ("/credentials/euid", 0.into()),
            ("/credentials/effective", "0x0000000000000000".into()),
        ],
    )?;
    if in_virtual_machine() {
        let rows = rows_of(bench, "copy-up", Identity::User)?;
        // Those of the mounter, which is root.
        some(
            &rows,
            &[
                ("/capability", "CAP_SYS_ADMIN".into()),
                ("/result", "granted".into()),
                ("/credentials/owner", "overridden".into()),
                ("/credentials/euid", 0.into()),
            ],
        )?;
    }
    Ok(())
}

/// Root opens the map of a user's namespace, and another user writes to it.
pub fn opened_by_another(_: &Bench) -> Result<()> {
    let (mut reader, mut writer) = io::pipe()?;
    let namespace = Child::start(|| {
        let entered = become_user(USER).is_ok()
            && call!(SYS_unshare, libc::CLONE_NEWUSER).is_ok()
            && writer.write_all(&[1]).is_ok();
        if entered { sleep_forever() } else { 1 }
    })?;
    drop(writer);
    reader
        .read_exact(&mut [0])
        .context("no user namespace could be made")?;
    let map = OpenOptions::new()
        .write(true)
        .open(format!("/proc/{}/uid_map", namespace.pid()))?;
    let tracer = Tracer::start(&["-c", "map-writer", "-o", "json"])?;
    let child = Child::start(|| {
        let ready = become_user(OTHER).is_ok();
        set_name("map-writer");
        // A single write: the kernel accepts no second one.
        let refused = (&map).write(b"0 1000 1\n").is_err();
        set_name("done");
        i32::from(!(ready && refused))
    })?;
    ensure!(child.wait()? == 0, "another user could write the map");
    let (rows, _) = tracer.stop(libc::SIGINT)?.parse::<Value>()?;
    some(
        &rows,
        &[
            ("/uid", OTHER.into()),
            ("/capability", "CAP_SYS_ADMIN".into()),
            ("/result", "granted".into()),
            ("/credentials/owner", "foreign".into()),
            ("/credentials/euid", 0.into()),
            ("/target_namespace/initial", false.into()),
        ],
    )?;
    // Both the opener and the writer must have it, and the writer does not.
    some(
        &rows,
        &[
            ("/uid", OTHER.into()),
            ("/capability", "CAP_SETUID".into()),
            ("/result", "denied".into()),
            ("/credentials/owner", "own".into()),
            ("/credentials/euid", OTHER.into()),
        ],
    )
}
