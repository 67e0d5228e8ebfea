//! A file that is given privileges, to be looked at and to be run.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use capable::inspect::file::{File, HeldAtStart};
use capable::inspect::process::Process;
use capable::inspect::universe;
use rustix::fs::XattrFlags;

use crate::start;

/// A copy of sleep that everyone can run.
pub struct Program {
    pub path: PathBuf,
    _directory: tempfile::TempDir,
}

impl Program {
    pub fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
        let path = directory.path().join("program");
        fs::copy("/bin/sleep", &path).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        Self {
            path,
            _directory: directory,
        }
    }

    pub fn with_attribute(words: &[u32]) -> Self {
        let program = Self::new();
        let value: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        let name = c"security.capability";
        rustix::fs::setxattr(&program.path, name, &value, XattrFlags::empty()).unwrap();
        program
    }

    pub fn read(&self) -> File {
        File::read(&self.path, universe()).unwrap()
    }

    /// What a user holds who really runs it.
    fn run_by(&self, uid: u32) -> HeldAtStart {
        let ids = format!("--reuid={uid}");
        let path = self.path.to_str().unwrap();
        let arguments = [ids.as_str(), "--clear-groups", path, "60"];
        let (_running, process) = start("setpriv", &arguments, "program");
        let credentials = process.credentials;
        let euid = credentials.uid.effective;
        HeldAtStart {
            becomes_uid: (euid != uid).then_some(euid),
            effective: credentials.sets.effective,
            permitted: credentials.sets.permitted,
        }
    }

    /// What is foretold is what happens, as far as this machine's bounding set lets it.
    pub fn assert_foretold(&self) {
        let own = Process::read(std::process::id()).unwrap();
        let bounding = own.credentials.sets.bounding;
        let file = self.read();
        for (uid, foretold) in [(65534, file.run_by_user), (0, file.run_by_root)] {
            let mut foretold = foretold.unwrap();
            foretold.effective = foretold.effective.intersection(bounding);
            foretold.permitted = foretold.permitted.intersection(bounding);
            assert_eq!(foretold, self.run_by(uid), "uid {uid}");
        }
    }
}
