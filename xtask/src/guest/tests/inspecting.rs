//! `list` and `inspect`, compared with the kernel and with libcap's own programs.

use std::ffi::CStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use super::Bench;
use super::cast::set_name;
use super::conditions::{hold_only, set_capabilities};
use super::libcap::{Sets, bits, parse, sets};
use crate::guest::fork::{Child, sleep_forever};
use crate::guest::identity::{Identity, OTHER, USER, become_user};
use crate::guest::syscall::call;

fn run(program: &str, arguments: &[String]) -> Result<String> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .with_context(|| format!("cannot run {program}"))?;
    // Old versions of getpcaps write to stderr.
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    ensure!(output.status.success(), "{program}: {text}");
    Ok(text)
}

/// The capabilities that `capable list` names, by number.
fn names() -> Result<Vec<String>> {
    let arguments = ["list", "-o", "json"].map(str::to_owned);
    let mut names = Vec::new();
    for (number, line) in run("capable", &arguments)?.lines().enumerate() {
        let row: Value = serde_json::from_str(line)?;
        ensure!(
            row["number"] == number,
            "not in the order of numbers: {line}"
        );
        names.push(row["name"].as_str().unwrap_or("-").to_ascii_lowercase());
    }
    Ok(names)
}

/// Every capability of the running kernel is in the list and marked as such; those beyond are not.
pub fn list(_: &Bench) -> Result<()> {
    let last: u64 = fs::read_to_string("/proc/sys/kernel/cap_last_cap")?
        .trim()
        .parse()?;
    let text = run("capable", &["list", "-o", "json"].map(str::to_owned))?;
    let mut here = 0;
    for line in text.lines() {
        let row: Value = serde_json::from_str(line)?;
        let number = row["number"].as_u64().context("no number")?;
        ensure!(
            row["in_running_kernel"] == (number <= last),
            "the kernel's last is {last}: {line}"
        );
        ensure!(
            row["name"].is_string() && row["since"].is_string() && row["summary"].is_string(),
            "something is not known of it: {line}"
        );
        here += u64::from(number <= last);
    }
    ensure!(
        here == last + 1,
        "{here} capabilities of the kernel's {}",
        last + 1
    );
    Ok(())
}

/// Ten processes that hold different things; `inspect` and getpcaps(8) agree on them.
pub fn processes(_: &Bench) -> Result<()> {
    if !there("getpcaps") {
        return Ok(());
    }
    const EMPTY: u64 = 0;
    let holders: [fn() -> io::Result<()>; 10] = [
        || Ok(()),
        || become_user(USER),
        || become_user(OTHER),
        || Identity::Userns.assume(),
        || set_capabilities(EMPTY, EMPTY, EMPTY),
        || set_capabilities(1 << 13, 1 << 13 | 1 << 12, EMPTY),
        || set_capabilities(1 << 39 | 1 << 21, u64::MAX >> 24, 1 << 3),
        || set_capabilities(EMPTY, 1 << 25, 1 << 25),
        || hold_only(USER, 1 << 38 | 1 << 39),
        || hold_only(OTHER, 1 << 10),
    ];
    let mut children = Vec::new();
    for holder in holders {
        let (mut reader, mut writer) = io::pipe()?;
        children.push(Child::start(|| {
            set_name("holder");
            match holder().and_then(|()| io::Write::write_all(&mut writer, &[1])) {
                Ok(()) => sleep_forever(),
                Err(_) => 1,
            }
        })?);
        drop(writer);
        io::Read::read_exact(&mut reader, &mut [0]).context("a process could not be prepared")?;
    }
    let names = names()?;
    let pids: Vec<String> = children
        .iter()
        .map(|child| child.pid().to_string())
        .collect();
    let told = run("getpcaps", &pids)?;
    let mut arguments = vec!["inspect".to_owned(), "-o".into(), "json".into()];
    arguments.extend(pids.iter().cloned());
    let inspected = run("capable", &arguments)?;
    ensure!(
        inspected.lines().count() == pids.len(),
        "not a line for each: {inspected}"
    );
    for (line, pid) in inspected.lines().zip(&pids) {
        let own: Value = serde_json::from_str(line)?;
        let text = told
            .lines()
            .find_map(|line| line.strip_prefix(&format!("{pid}:")))
            .with_context(|| format!("getpcaps does not tell of {pid}: {told}"))?;
        let theirs = parse(text.trim(), &names)?;
        ensure!(
            sets(&own, &names)? == theirs,
            "getpcaps: {text}; inspect: {line}"
        );
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        for (field, key) in [
            ("CapInh:", "inheritable"),
            ("CapPrm:", "permitted"),
            ("CapEff:", "effective"),
            ("CapBnd:", "bounding"),
            ("CapAmb:", "ambient"),
        ] {
            let value = status.lines().find_map(|line| line.strip_prefix(field));
            let value = u64::from_str_radix(value.context("no such set")?.trim(), 16)?;
            ensure!(
                bits(&own[key], &names)? == value,
                "{field} {value:#x}; inspect: {line}"
            );
        }
    }
    Ok(())
}

/// Ten files, one of them with capabilities for one user namespace; compared with getcap(8).
pub fn files(_: &Bench) -> Result<()> {
    if !there("getcap") {
        return Ok(());
    }
    let folder = PathBuf::from("inspected");
    fs::create_dir_all(&folder)?;
    // What setcap(8) would write: version 2, or 3 with the root user of the namespace.
    const EFFECTIVE: u32 = 1;
    let attributes: [Option<Attribute>; 10] = [
        None,
        Some((EFFECTIVE, 1 << 13, 0, None)),
        Some((0, 1 << 13, 0, None)),
        Some((EFFECTIVE, 1 << 10 | 1 << 12, 0, None)),
        Some((EFFECTIVE, 1 << 10, 1 << 12, None)),
        Some((0, 0, 1 << 21, None)),
        Some((EFFECTIVE, 1 << 38 | 1 << 39, 1 << 38, None)),
        Some((EFFECTIVE, (1 << 40) - 1, 0, None)),
        Some((EFFECTIVE, 1 << 13, 0, Some(USER))),
        Some((0, 1 << 0 | 1 << 6 | 1 << 7, 1 << 7, Some(100_000))),
    ];
    let mut paths = Vec::new();
    for (index, attribute) in attributes.iter().enumerate() {
        let path = folder.join(format!("file{index}"));
        fs::write(&path, "#!/bin/sh\n")?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        if let Some(attribute) = attribute {
            set_attribute(&path, *attribute)
                .with_context(|| format!("cannot give {} capabilities", path.display()))?;
        }
        paths.push(path.to_string_lossy().into_owned());
    }
    let names = names()?;
    let mut arguments = vec!["-n".to_owned()];
    arguments.extend(paths.iter().cloned());
    let told = run("getcap", &arguments)?;
    let mut arguments = vec!["inspect".to_owned(), "-o".into(), "json".into()];
    arguments.extend(paths.iter().cloned());
    let inspected = run("capable", &arguments)?;
    fs::remove_dir_all(&folder)?;
    ensure!(
        inspected.lines().count() == paths.len(),
        "not a line for each: {inspected}"
    );
    for ((line, path), attribute) in inspected.lines().zip(&paths).zip(attributes) {
        let file: Value = serde_json::from_str(line)?;
        let own = &file["capabilities"];
        let text = told
            .lines()
            .find_map(|line| line.strip_prefix(path.as_str())?.strip_prefix(' '));
        let Some(text) = text else {
            ensure!(
                own.is_null() && attribute.is_none(),
                "getcap tells nothing of {path}: {line}"
            );
            continue;
        };
        let (text, root) = match text.split_once(" [rootid=") {
            Some((text, root)) => (text, Some(root.trim_end_matches(']').parse::<u32>()?)),
            None => (text, None),
        };
        let theirs = parse(text.trim_start_matches("= ").trim(), &names)?;
        let permitted = bits(&own["permitted"], &names)?;
        let inheritable = bits(&own["inheritable"], &names)?;
        let effective = match own["effective"].as_bool() {
            Some(true) => permitted | inheritable,
            Some(false) => 0,
            None => bail!("no effective bit: {line}"),
        };
        let ours = Sets {
            effective,
            permitted,
            inheritable,
        };
        ensure!(ours == theirs, "getcap: {text}; inspect: {line}");
        let version = if root.is_some() { 3 } else { 2 };
        ensure!(
            own["version"] == version && own["root_uid"] == Value::from(root),
            "version {version}, root {root:?}: {line}"
        );
    }
    Ok(())
}

/// Debian's program is there. Guests without it (`--bare`) cannot run the test.
fn there(program: &str) -> bool {
    let folders = ["/usr/sbin", "/usr/bin", "/sbin"];
    let found = folders
        .iter()
        .any(|folder| Path::new(folder).join(program).exists());
    if !found {
        println!("  {program} is not here: not compared");
    }
    found
}

/// The effective bit, the permitted and the inheritable set, and in version 3 the root user of the
/// namespaces in which they count.
type Attribute = (u32, u64, u64, Option<u32>);

/// `struct vfs_ns_cap_data` (include/uapi/linux/capability.h), or without its last member.
fn set_attribute(
    path: &Path,
    (effective, permitted, inheritable, root): Attribute,
) -> io::Result<()> {
    let version: u32 = if root.is_some() {
        0x0300_0000
    } else {
        0x0200_0000
    };
    let half = |set: u64, shift| (set >> shift & u64::from(u32::MAX)) as u32;
    let mut value = Vec::new();
    for word in [
        version | effective,
        half(permitted, 0),
        half(inheritable, 0),
        half(permitted, 32),
        half(inheritable, 32),
    ]
    .into_iter()
    .chain(root)
    {
        value.extend(word.to_le_bytes());
    }
    let mut path = path.as_os_str().as_bytes().to_vec();
    path.push(0);
    let path = CStr::from_bytes_with_nul(&path).map_err(io::Error::other)?;
    call!(
        SYS_setxattr,
        path,
        c"security.capability",
        &value[..],
        value.len(),
        0
    )
    .map_err(io::Error::from_raw_os_error)?;
    Ok(())
}
