//! What the proofs do, in few words.

use std::ffi::{CStr, CString};
use std::fs;
use std::io::Read as _;
use std::os::fd::{FromRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;

use super::Staged;
use crate::guest::fork::{Child, sleep_forever};
use crate::guest::identity::{OTHER, USER, become_user};
use crate::guest::scene::Scene;
use crate::guest::syscall::{Answer, Argument, call, invoke};

/// A value of a system call as a descriptor or a pid.
pub fn number(value: i64) -> Staged {
    i32::try_from(value).map_err(|_| libc::EOVERFLOW)
}

/// The errno of an error.
pub fn errno(error: &std::io::Error) -> i32 {
    error.raw_os_error().unwrap_or(libc::EIO)
}

/// Opens a file.
pub fn open(path: &CStr, flags: i32) -> Staged {
    number(call!(SYS_open, path, flags, 0o644)?)
}

/// Opens a file of a process.
pub fn open_of(pid: i32, file: &str, flags: i32) -> Answer {
    call!(SYS_open, path_of(pid, file).as_c_str(), flags)
}

/// The path of a file of a process.
pub fn path_of(pid: i32, file: &str) -> CString {
    CString::new(format!("/proc/{pid}/{file}")).unwrap_or_default()
}

/// Writes to a file.
pub fn write(path: &CStr, text: &str) -> Answer {
    let file = open(path, libc::O_WRONLY)?;
    write_to(file, text)
}

/// Writes to an open file.
pub fn write_to(file: i32, text: &str) -> Answer {
    call!(SYS_write, file, text.as_bytes(), text.len())
}

/// Writes to a file what it says.
pub fn rewrite(path: &CStr) -> Answer {
    let name = std::ffi::OsStr::from_bytes(path.to_bytes());
    let text = fs::read_to_string(name).map_err(|error| errno(&error))?;
    write(path, text.trim())
}

/// Reads a file, and gives a number that another content does not have.
pub fn read(path: &CStr) -> Answer {
    let file = open(path, libc::O_RDONLY)?;
    read_from(file)
}

/// Reads an open file to its end.
pub fn read_from(file: i32) -> Answer {
    // SAFETY: the descriptor is the caller's to give away.
    let mut file = fs::File::from(unsafe { OwnedFd::from_raw_fd(file) });
    let mut content = Vec::new();
    file.read_to_end(&mut content)
        .map_err(|error| errno(&error))?;
    let sum = content.iter().fold(0_i64, |sum, byte| {
        (sum * 31 + i64::from(*byte)) % 1_000_000_007
    });
    Ok(sum)
}

/// The mode of a file.
pub fn mode(path: &CStr) -> Answer {
    // SAFETY: an all-zero stat is a valid value of plain integers.
    let mut status: libc::stat = unsafe { std::mem::zeroed() };
    call!(SYS_stat, path, Argument::write(&mut status))?;
    Ok(i64::from(status.st_mode & 0o7777))
}

/// An ioctl whose argument the kernel may change.
pub fn ioctl<T>(file: i32, request: u64, mut argument: T) -> Answer {
    call!(SYS_ioctl, file, request, Argument::write(&mut argument))
}

/// A socket.
pub fn socket(domain: i32, kind: i32, protocol: i32) -> Staged {
    number(call!(SYS_socket, domain, kind, protocol)?)
}

/// Sets an option of a socket.
pub fn set_option<T>(socket: i32, level: i32, name: i32, value: T) -> Answer {
    call!(
        SYS_setsockopt,
        socket,
        level,
        name,
        Argument::read(&value),
        size_of::<T>()
    )
}

/// Asks for an option of a socket.
pub fn get_option(socket: i32, level: i32, name: i32) -> Answer {
    let mut value = [0_u8; 256];
    let mut length = value.len() as u32;
    call!(
        SYS_getsockopt,
        socket,
        level,
        name,
        Argument::write(&mut value),
        Argument::write(&mut length),
    )
}

/// An ioctl on an interface, by a socket of this domain: its name and up to 24 bytes.
pub fn interface(domain: i32, request: u64, name: &str, value: &[u8]) -> Answer {
    let mut argument = [0_u8; 40];
    for (to, from) in argument.iter_mut().zip(name.bytes()) {
        *to = from;
    }
    for (to, from) in argument[16..].iter_mut().zip(value) {
        *to = *from;
    }
    ioctl(socket(domain, libc::SOCK_DGRAM, 0)?, request, argument)
}

/// Sends a netlink request, and gives the errno of its acknowledgement.
pub fn netlink(protocol: i32, kind: u16, flags: i32, body: &[u8]) -> Answer {
    let socket = socket(libc::AF_NETLINK, libc::SOCK_RAW, protocol)?;
    request_by(socket, kind, flags, body).map(|_| 0)
}

/// Sends a request by this socket, and gives the answer's message, or the errno in it.
pub fn request_by(socket: i32, kind: u16, flags: i32, body: &[u8]) -> Result<Vec<u8>, i32> {
    const HEADER: usize = 16;
    let mut message = vec![0; HEADER];
    message.extend(body);
    let length = (message.len() as u32).to_ne_bytes();
    let flags = (flags | libc::NLM_F_REQUEST | libc::NLM_F_ACK) as u16;
    message[..4].copy_from_slice(&length);
    message[4..6].copy_from_slice(&kind.to_ne_bytes());
    message[6..8].copy_from_slice(&flags.to_ne_bytes());
    call!(SYS_sendto, socket, &message[..], message.len(), 0, 0, 0)?;
    let mut answer = [0_u8; 8192];
    call!(
        SYS_recvfrom,
        socket,
        Argument::write(&mut answer),
        8192,
        0,
        0,
        0
    )?;
    if i32::from(u16::from_ne_bytes([answer[4], answer[5]])) == libc::NLMSG_ERROR {
        match i32::from_ne_bytes([answer[16], answer[17], answer[18], answer[19]]) {
            0 => {}
            error => return Err(-error),
        }
    }
    Ok(answer.to_vec())
}

/// The attributes in these bytes.
pub fn attributes(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let (header, _) = bytes.split_first_chunk::<4>()?;
        let length = usize::from(u16::from_ne_bytes([header[0], header[1]]));
        let value = bytes.get(4..length)?;
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((u16::from_ne_bytes([header[2], header[3]]), value))
    })
}

/// An attribute of a netlink message, padded.
pub fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let length = value.len() as u16 + 4;
    let mut bytes = Vec::from(length.to_ne_bytes());
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// A mapped page of this process.
pub fn page(protection: i32, flags: i32, length: usize) -> Answer {
    let flags = flags | libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    call!(SYS_mmap, 0, length, protection, flags, -1, 0)
}

/// Sets a limit, hard and soft.
pub fn limit(resource: u32, to: u64) -> Answer {
    let limit = libc::rlimit {
        rlim_cur: to,
        rlim_max: to,
    };
    call!(SYS_setrlimit, resource, Argument::read(&limit))
}

/// Another user's process.
pub fn other(scene: &Scene) -> Staged {
    Ok(scene.others_process())
}

/// A process of the same user, which has all capabilities and did this before.
pub fn fellow(act: impl FnOnce() -> Answer) -> Staged {
    let mut ends = [0; 2];
    call!(SYS_pipe2, Argument::write(&mut ends), 0)?;
    let child = Child::start(|| {
        // Changing the user clears the signal that it gets when its parent ends.
        let stays =
            act().and_then(|_| call!(SYS_prctl, libc::PR_SET_PDEATHSIG, libc::SIGKILL, 0, 0, 0));
        if stays.is_ok() {
            let _ = call!(SYS_write, ends[1], &[0_u8][..], 1);
            sleep_forever();
        }
        1
    })
    .map_err(|error| errno(&error))?;
    call!(SYS_close, ends[1])?;
    let ready = call!(SYS_read, ends[0], Argument::write(&mut [0_u8; 1]), 1)?;
    let pid = child.pid();
    // It ends with the process that acts.
    std::mem::forget(child);
    if ready == 1 {
        Ok(pid)
    } else {
        Err(libc::ECHILD)
    }
}

/// A process of the same user with all capabilities.
pub fn able(_: &Scene) -> Staged {
    fellow(|| Ok(0))
}

/// A process of the same user that is not dumpable.
pub fn undumpable(_: &Scene) -> Staged {
    fellow(|| call!(SYS_prctl, libc::PR_SET_DUMPABLE, 0, 0, 0, 0))
}

/// A process of the same user that is traced by this one and has stopped.
pub fn traced(_: &Scene) -> Staged {
    let pid = fellow(|| Ok(0))?;
    call!(SYS_ptrace, libc::PTRACE_ATTACH, pid, 0, 0)?;
    call!(SYS_wait4, pid, 0, 0, 0)?;
    Ok(pid)
}

/// Another user's process in a user namespace of its own, and in others that belong to it.
pub fn outsider(kinds: i32) -> Staged {
    resident(OTHER, kinds)
}

/// The same, of the user as whom proofs act.
pub fn resident(user: u32, kinds: i32) -> Staged {
    fellow(|| {
        become_user(user).map_err(|error| errno(&error))?;
        call!(SYS_unshare, libc::CLONE_NEWUSER | kinds)?;
        if kinds & libc::CLONE_NEWPID != 0 {
            // A PID namespace is there for others once it has a process.
            fellow(|| Ok(0))?;
        }
        Ok(0)
    })
}

/// A namespace that belongs to a user namespace that the user has made.
pub fn own_namespace(kind: i32, file: &str) -> Staged {
    let pid = resident(USER, kind)?;
    number(open_of(pid, file, libc::O_RDONLY)?)
}

/// A namespace of another user's process.
pub fn others_namespace(scene: &Scene, file: &str) -> Staged {
    number(open_of(scene.others_process(), file, libc::O_RDONLY)?)
}

/// A network namespace of its own.
pub fn new_network(_: &Scene) -> Staged {
    number(call!(SYS_unshare, libc::CLONE_NEWNET)?)
}

/// A system call that libc has no name for.
pub fn by_number(number: i64, arguments: &[Argument<'_>]) -> Answer {
    invoke(number, arguments)
}

/// A process of its own that ends at once.
pub fn forked(child: i64) -> Answer {
    if child == 0 {
        call!(SYS_exit_group, 0)?;
    }
    Ok(child)
}
