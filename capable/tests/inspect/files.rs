//! One file: what it gives to those who run it.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;
use std::process::Command;

use capable::capability::Capability;
use capable::inspect::file::File;
use capable::inspect::{Refusal, universe};

use crate::{output, program::Program, start};

#[test]
fn files_without_privileges_scripts_and_directories_are_told_apart() {
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join("script");
    fs::write(&script, "#! /usr/bin/env sh\necho\n").unwrap();
    fs::set_permissions(&script, Permissions::from_mode(0o6755)).unwrap();
    let file = File::read(&script, universe()).unwrap();
    assert_eq!(file.interpreter.as_deref(), Some(&b"/usr/bin/env"[..]));
    assert!(file.set_user_id && file.run_by_user.is_none());

    fs::write(&script, "echo\n").unwrap();
    let file = File::read(&script, universe()).unwrap();
    assert_eq!(file.refused_to_user, Some(Refusal::Format));
    assert_eq!(file.refused_to_root, Some(Refusal::Format));

    fs::copy("/bin/true", &script).unwrap();
    fs::set_permissions(&script, Permissions::from_mode(0o4700)).unwrap();
    let file = File::read(&script, universe()).unwrap();
    assert_eq!(file.refused_to_user, Some(Refusal::Mode));
    assert!(file.refused_to_root.is_none() && file.run_by_root.is_some());

    fs::set_permissions(&script, Permissions::from_mode(0o2644)).unwrap();
    let file = File::read(&script, universe()).unwrap();
    assert_eq!(file.refused_to_root, Some(Refusal::NotExecutable));
    assert!(!file.set_group_id, "not without the group's execute bit");

    let error = File::read(directory.path(), universe()).unwrap_err();
    assert!(error.to_string().contains("is a directory"));
    let missing = directory.path().join("missing");
    let error = File::read(&missing, universe()).unwrap_err();
    assert!(error.to_string().contains("missing"));
}

#[test]
#[ignore = "needs root"]
fn a_file_with_capabilities_gives_what_is_foretold() {
    Program::new().assert_foretold();
    let program = Program::with_attribute(&[0x0200_0001, 0x2000, 0x20, 0, 0]);
    let own = program.read().capabilities.unwrap();
    assert_eq!((own.version, own.effective), (2, true));
    assert_eq!(own.permitted, Capability::NET_RAW.into());
    assert_eq!(own.inheritable, Capability::KILL.into());
    program.assert_foretold();

    let without_bit = Program::with_attribute(&[0x0200_0000, 0x2000, 0, 0, 0]);
    let run = without_bit.read().run_by_user.unwrap();
    assert_eq!(run.permitted, Capability::NET_RAW.into());
    assert!(run.effective.is_empty());
    without_bit.assert_foretold();
}

#[test]
#[ignore = "needs root"]
fn version_3_gives_nothing_outside_its_user_namespace() {
    let program = Program::with_attribute(&[0x0300_0001, 0x2000, 0, 0, 0, 100_000]);
    let file = program.read();
    let own = file.capabilities.unwrap();
    assert_eq!((own.version, own.root_uid), (3, Some(100_000)));
    assert_eq!(own.permitted, Capability::NET_RAW.into());
    assert!(file.run_by_user.unwrap().permitted.is_empty());
    program.assert_foretold();
}

#[test]
#[ignore = "needs root"]
fn set_user_id_gives_what_is_foretold_for_root_and_for_others() {
    for owner in [0, 1234] {
        let program = Program::new();
        chown(&program.path, Some(owner), None).unwrap();
        fs::set_permissions(&program.path, Permissions::from_mode(0o4755)).unwrap();
        let run = program.read().run_by_user.unwrap();
        assert_eq!(run.becomes_uid, Some(owner));
        assert_eq!(run.permitted.is_empty(), owner != 0);
        program.assert_foretold();
    }
}

#[test]
#[ignore = "needs root"]
fn a_mount_with_nosuid_takes_it_all_away() {
    let directory = tempfile::tempdir().unwrap();
    let script = format!(
        "mount -t tmpfs -o nosuid none {0} && cp /bin/sleep {0}/program && \
         chmod 4755 {0}/program && mkdir {0}/suid {0}/noexec && mount -t tmpfs none {0}/suid && \
         mount -t tmpfs -o noexec none {0}/noexec && cp -p {0}/program {0}/suid && \
         cp -p {0}/program {0}/noexec && exec sleep 60",
        directory.path().display()
    );
    let (_running, process) = start("unshare", &["--mount", "sh", "-c", &script], "sleep");
    let root = Path::new("/proc")
        .join(process.pid.to_string())
        .join("root");
    let inside = |file: &str| {
        let folder = directory.path().strip_prefix("/").unwrap();
        root.join(folder).join(file)
    };
    let path = inside("program");
    let file = File::read(&path, universe()).unwrap();
    assert!(file.set_user_id);
    assert_eq!(file.nosuid, Some(true));
    assert_eq!(file.path, path, "it has no other name here");
    assert_eq!(file.run_by_user.unwrap().becomes_uid, None);

    // A mount of another mount namespace is like nosuid; before 5.8 the kernel does not tell.
    let file = File::read(&inside("suid/program"), universe()).unwrap();
    assert_eq!(file.nosuid, Some(false));
    if file.foreign_mount.is_some() {
        assert_eq!(file.foreign_mount, Some(true));
        assert_eq!(file.run_by_user.unwrap().becomes_uid, None);
    }
    let file = File::read(&inside("noexec/program"), universe()).unwrap();
    assert_eq!(file.refused_to_root, Some(Refusal::Noexec));
    assert_eq!(file.refused_to_user, Some(Refusal::Noexec));
}

#[test]
#[ignore = "needs root"]
fn what_a_file_insists_on_is_refused_where_the_bounding_set_lacks_it() {
    // Version 2, the effective bit, CAP_NET_RAW permitted.
    let program = Program::with_attribute(&[0x0200_0001, 0x2000, 0, 0, 0]);
    assert_eq!(program.read().refused_to_root, None);
    let path = program.path.to_str().unwrap();
    let bounded = ["--bounding-set=-net_raw", "--"];
    let inspect = [env!("CARGO_BIN_EXE_capable"), "inspect", "-o", "json", path];
    let said = output("setpriv", &[&bounded[..], &inspect].concat());
    assert!(
        said.contains("\"refused_to_root\":\"bounding_set\""),
        "{said}"
    );
    let executed = Command::new("setpriv").args(bounded).arg(path).output();
    let executed = executed.unwrap();
    let error = String::from_utf8_lossy(&executed.stderr);
    assert!(error.contains("Operation not permitted"), "{error}");
}
