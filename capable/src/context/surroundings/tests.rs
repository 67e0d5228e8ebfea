use std::{
    ffi::CString,
    fs,
    io::{self, Read as _},
    os::{
        fd::AsRawFd as _,
        unix::{
            ffi::OsStrExt as _,
            fs::{MetadataExt as _, PermissionsExt as _, symlink},
        },
    },
    path::Path,
    process::{Child, Command, Stdio},
};

use rustix::fs::{
    CWD, FileType, IFlags, Mode, XattrFlags, ioctl_getflags, ioctl_setflags, mknodat,
};

use super::*;
use crate::event::Component;

/// About a file of this process.
pub(super) fn question(path: impl AsRef<Path>) -> Question {
    Question {
        pid: std::process::id(),
        mount_namespace: None,
        path: path.as_ref().as_os_str().as_bytes().to_vec(),
        follow: true,
    }
}

fn found(path: impl AsRef<Path>) -> Surroundings {
    look_up(&question(path)).unwrap()
}

fn file(path: impl AsRef<Path>) -> Component {
    found(path).file().unwrap().clone()
}

/// A directory by its real path.
pub(super) fn folder() -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = fs::canonicalize(folder.path()).unwrap();
    (folder, path)
}

#[test]
fn each_component_is_described() {
    let (_folder, path) = folder();
    let name = path.join("file");
    fs::write(&name, "text").unwrap();
    fs::set_permissions(&name, fs::Permissions::from_mode(0o4640)).unwrap();
    let found = found(&name);
    assert_eq!(found.resolved, name.as_os_str().as_bytes());
    assert_eq!(found.stopped, None);
    assert_eq!(found.components.len(), name.ancestors().count());
    for (component, path) in found.components.iter().rev().zip(name.ancestors()) {
        let metadata = fs::metadata(path).unwrap();
        assert_eq!(component.path, path.as_os_str().as_bytes());
        assert_eq!(component.mode, metadata.mode());
        assert_eq!(
            (component.uid, component.gid),
            (metadata.uid(), metadata.gid())
        );
        assert!(!component.mount.kind.is_empty());
    }
    let file = found.file().unwrap();
    assert_eq!(file.mode & 0o7777, 0o4640);
    assert!(!file.has_list && !file.mount.read_only);
    assert_eq!(file.path, name.as_os_str().as_bytes());
    assert_eq!(found.directory().unwrap().path, path.as_os_str().as_bytes());
    let root = look_up(&question("/")).unwrap();
    assert_eq!((root.components.len(), &root.resolved[..]), (1, &b"/"[..]));
}

#[test]
fn links_are_followed_as_the_kernel_follows_them() {
    let (_folder, path) = folder();
    fs::create_dir(path.join("a")).unwrap();
    fs::write(path.join("a/file"), "").unwrap();
    symlink("../a/./file", path.join("a/relative")).unwrap();
    symlink(path.join("a"), path.join("absolute")).unwrap();
    symlink("missing", path.join("dangling")).unwrap();
    symlink("loop", path.join("loop")).unwrap();
    let resolved = |name: &str| found(path.join(name)).resolved;
    let at = |name: &str| path.join(name).as_os_str().as_bytes().to_vec();
    assert_eq!(resolved("absolute//relative"), at("a/file"));
    assert_eq!(resolved("absolute/../a/"), at("a"));
    assert_eq!(resolved("../../../../../../../.."), b"/");
    assert_eq!(resolved("dangling"), at("missing"));
    assert_eq!(
        look_up(&question(path.join("loop"))),
        Err(NotFound::TooLong)
    );

    let link = |name: &str| {
        let mut question = question(path.join(name));
        question.follow = false;
        look_up(&question).unwrap()
    };
    let itself = link("absolute/relative");
    assert_eq!(itself.resolved, at("a/relative"));
    assert_eq!(itself.file().unwrap().kind(), libc::S_IFLNK);
    assert_eq!(link("absolute/").resolved, at("a"));
}

#[test]
fn what_is_missing_has_the_directories_that_exist() {
    let (_folder, path) = folder();
    let name = path.join("missing");
    let here = found(&name);
    assert_eq!(here.file(), None);
    assert_eq!(here.stopped, Some(libc::ENOENT));
    assert_eq!(here.resolved, name.as_os_str().as_bytes());
    assert_eq!(here.directory().unwrap().path, path.as_os_str().as_bytes());
    let deeper = found(name.join("file"));
    assert_eq!(deeper.components, here.components);
    assert_eq!(deeper.resolved, name.join("file").as_os_str().as_bytes());
    assert_eq!(deeper.directory(), None);
    fs::write(&name, "").unwrap();
    for below in ["file", ".."] {
        assert_eq!(
            found(name.join(below)).stopped,
            Some(libc::ENOTDIR),
            "{below}"
        );
    }
}

#[test]
fn what_is_no_path_or_has_no_end_is_refused() {
    assert_eq!(
        look_up(&question("etc")),
        Err(NotFound::Refused(libc::EINVAL))
    );
    let long = format!("/{}", "a/".repeat(LONGEST));
    assert_eq!(look_up(&question(long)), Err(NotFound::TooLong));
    let (_folder, path) = folder();
    let mut deep = path.clone();
    for _ in 0..64 {
        deep.push("d");
    }
    fs::create_dir_all(&deep).unwrap();
    assert_eq!(look_up(&question(&deep)), Err(NotFound::TooLong));
    // Links that lead through links would take 2^40 names.
    symlink("d", path.join("l0")).unwrap();
    for number in 1..40 {
        let below = number - 1;
        let name = path.join(format!("l{number}"));
        symlink(format!("l{below}/../l{below}"), name).unwrap();
    }
    assert_eq!(look_up(&question(path.join("l39"))), Err(NotFound::TooLong));
    let name = [path.as_os_str().as_bytes(), b"/\0"].concat();
    let zero = Question {
        path: name,
        ..question("/")
    };
    assert_eq!(look_up(&zero).unwrap().stopped, Some(libc::EINVAL));
}

#[test]
fn nothing_waits_at_a_fifo_and_no_link_of_proc_is_followed() {
    let (_folder, path) = folder();
    let fifo = path.join("fifo");
    mknodat(CWD, &fifo, FileType::Fifo, Mode::RWXU, 0).unwrap();
    assert_eq!(file(&fifo).kind(), libc::S_IFIFO);
    assert_eq!(file("/dev/zero").kind(), libc::S_IFCHR);
    let open = look_up(&question("/proc/self/fd/0"));
    assert_eq!(open, Err(NotFound::OpenFile));
}

#[test]
fn proc_self_is_the_process_that_named_it() {
    let mut child = sleeper(&[]);
    let about = Question {
        pid: child.id(),
        ..question("/proc/self/mem")
    };
    let expected = format!("/proc/{}/mem", child.id()).into_bytes();
    let answer = look(&about).unwrap();
    assert_eq!(answer.surroundings.resolved, expected);
    assert!(answer.personal && answer.surroundings.file().unwrap().mount.kind == "proc");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(look_up(&about), Err(NotFound::Ended));
    let about = Question {
        path: b"/etc".to_vec(),
        ..about
    };
    assert_eq!(
        look_up(&about),
        Err(NotFound::Ended),
        "its namespace is not known"
    );
}

#[test]
fn attributes_and_lists_are_seen_where_the_file_system_has_them() {
    let (_folder, path) = folder();
    let name = path.join("file");
    let open = fs::File::create(&name).unwrap();
    for flag in [IFlags::IMMUTABLE, IFlags::APPEND] {
        let Ok(before) = ioctl_getflags(&open) else {
            continue;
        };
        // Takes CAP_LINUX_IMMUTABLE.
        if ioctl_setflags(&open, before | flag).is_err() {
            continue;
        }
        let seen = file(&name);
        ioctl_setflags(&open, before).unwrap();
        assert_eq!(seen.immutable, Some(flag == IFlags::IMMUTABLE));
        assert_eq!(seen.append_only, Some(flag == IFlags::APPEND));
    }
    // u::rw-, u:7:r--, g::r--, m::r--, o::--- (include/uapi/linux/posix_acl_xattr.h).
    let mut list = 2u32.to_le_bytes().to_vec();
    for (tag, rights, id) in [
        (1, 6, !0),
        (2, 4, 7),
        (4, 4, !0),
        (16, 4, !0),
        (32, 0, !0u32),
    ] {
        list.extend([tag, 0, rights, 0]);
        list.extend(id.to_le_bytes());
    }
    let name_of_list = c"system.posix_acl_access";
    if rustix::fs::setxattr(&name, name_of_list, &list, XattrFlags::empty()).is_ok() {
        assert!(file(&name).has_list);
    }
}

/// A process that waits, started by these words.
fn sleeper(words: &[&str]) -> Child {
    let (program, rest) = words.split_first().unwrap_or((&"cat", &[]));
    let mut command = Command::new(program);
    command
        .args(rest)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    command.spawn().unwrap()
}

/// Waits for a line of it.
fn hear(child: &mut Child) {
    let mut byte = [0];
    child
        .stdout
        .as_mut()
        .unwrap()
        .read_exact(&mut byte)
        .unwrap();
}

#[test]
fn a_path_is_that_of_the_mount_namespace_of_the_process() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let (_folder, path) = folder();
    fs::create_dir(path.join("etc")).unwrap();
    fs::write(path.join("etc/file"), "").unwrap();
    symlink("/etc/file", path.join("link")).unwrap();
    let text = path.to_str().unwrap();
    let script = format!(
        "mount -t tmpfs -o size=4096,noexec,nosuid,nodev none {text}/etc && touch {text}/etc/new \
         && mount -o remount,bind,ro {text}/etc && echo && exec cat"
    );
    let mut child = sleeper(&["unshare", "-m", "sh", "-c", &script]);
    hear(&mut child);
    let about = |path: &Path| Question {
        pid: child.id(),
        ..question(path)
    };
    let new = look(&about(&path.join("etc/new"))).unwrap();
    let mount = &new.surroundings.file().unwrap().mount;
    assert_eq!(mount.kind, "tmpfs");
    assert_eq!(mount.point, path.join("etc").as_os_str().as_bytes());
    assert!(mount.read_only && mount.no_execution && mount.no_set_id && mount.no_devices);
    assert!(!new.personal && !new.surroundings.directory().unwrap().path.is_empty());
    assert!(!new.surroundings.components[0].mount.read_only);
    assert_eq!(
        found(path.join("etc/new")).stopped,
        Some(libc::ENOENT),
        "here it is not"
    );
    let other = Question {
        mount_namespace: Some(1),
        ..about(Path::new("/"))
    };
    assert_eq!(look_up(&other), Err(NotFound::Ended));

    end(child);
}

#[test]
fn absolute_links_start_at_the_root_directory_of_the_process() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let (_folder, path) = folder();
    let text = path.to_str().unwrap();
    fs::write(path.join("file"), "").unwrap();
    symlink("/../file", path.join("link")).unwrap();
    let expected = path.join("file").as_os_str().as_bytes().to_vec();
    // In this mount namespace.
    let (mut ready, writer) = io::pipe().unwrap();
    let jail = CString::new(text).unwrap();
    // SAFETY: the child calls nothing that allocates or locks, and never returns.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        // SAFETY: the string and the byte live on in the child's copy.
        unsafe {
            libc::chroot(jail.as_ptr());
            libc::write(writer.as_raw_fd(), c"".as_ptr().cast(), 1);
            libc::pause();
            libc::_exit(0);
        }
    }
    ready.read_exact(&mut [0]).unwrap();
    let about = |pid: u32, path: &Path| Question {
        pid,
        ..question(path)
    };
    let own = look(&about(pid as u32, &path.join("link")));
    // SAFETY: the child is ours.
    unsafe {
        libc::kill(pid, libc::SIGKILL);
        libc::waitpid(pid, std::ptr::null_mut(), 0);
    }
    let own = own.unwrap();
    assert!(own.personal);
    assert_eq!(own.surroundings.resolved, expected);

    // In another one, where what is not below is not to be seen.
    let script = format!(
        "mkdir {text}/jail && mount --bind / {text}/jail && mount -t tmpfs none {text}/jail/mnt \
         && touch {text}/jail/mnt/file && ln -s /mnt/file {text}/jail/mnt/link && echo \
         && exec chroot {text}/jail cat"
    );
    let mut child = sleeper(&["unshare", "-m", "sh", "-c", &script]);
    hear(&mut child);
    while fs::read(format!("/proc/{}/comm", child.id())).unwrap() != b"cat\n" {
        std::thread::yield_now();
    }
    let jail = path.join("jail/mnt");
    let other = look(&about(child.id(), &jail.join("link")));
    let outside = look_up(&about(child.id(), &path.join("link")));
    end(child);
    let other = other.unwrap();
    assert!(other.personal);
    let file = jail.join("file").as_os_str().as_bytes().to_vec();
    assert_eq!(other.surroundings.resolved, file);
    let mount = &other.surroundings.file().unwrap().mount;
    assert_eq!(mount.point, jail.as_os_str().as_bytes());
    assert_eq!(outside, Err(NotFound::OtherRoot));
}

fn end(mut child: Child) {
    drop(child.stdin.take());
    child.wait().unwrap();
}
