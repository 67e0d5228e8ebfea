//! A child that waits before it executes its command.

use std::{
    ffi::{CString, OsStr, OsString},
    io::{self, PipeReader, PipeWriter, Read as _, Write as _},
    os::{
        fd::{AsRawFd as _, FromRawFd as _, OwnedFd},
        unix::ffi::{OsStrExt as _, OsStringExt as _},
    },
    path::{Path, PathBuf},
};

use tokio::io::{Interest, unix::AsyncFd};

use super::{
    Cage, Ended, LaunchError, Step,
    child::{self, Message, Prepared, SHELL},
    dispositions::Reaping,
    search,
};

/// The command to start.
#[derive(Clone, Debug)]
pub struct Command {
    /// The command: a path, or a name to search for in `$PATH`.
    pub name: OsString,
    /// Its arguments, without the command's name.
    pub arguments: Vec<OsString>,
    /// What is changed before the command is executed.
    pub cage: Cage,
}

impl Command {
    /// A command without arguments, with what this process holds.
    pub fn new(name: impl Into<OsString>) -> Self {
        Self {
            name: name.into(),
            arguments: Vec::new(),
            cage: Cage::default(),
        }
    }

    /// Adds arguments.
    pub fn args<S: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Runs the command in this cage.
    pub fn cage(mut self, cage: Cage) -> Self {
        self.cage = cage;
        self
    }
}

/// A forked child that waits. When this is dropped, the child exits without having done anything.
pub struct Waiting {
    child: Child,
    /// A byte lets the child go; closing the pipe makes it exit.
    go: PipeWriter,
    status: PipeReader,
    name: OsString,
    steps: Vec<Step>,
    candidates: Vec<CString>,
}

/// A running command.
pub struct Started {
    child: Child,
    file: PathBuf,
    /// Becomes readable when the command ends; made when it is first waited for.
    end: Option<AsyncFd<OwnedFd>>,
}

/// A child that is reaped when this is dropped.
struct Child {
    pid: libc::pid_t,
    reaped: bool,
    /// Kept as long as the child's end is waited for.
    _reaping: Reaping,
}

impl Drop for Child {
    fn drop(&mut self) {
        if !self.reaped {
            // SAFETY: the child is ours and not reaped. With WNOHANG a command that is still
            // running is left alone.
            unsafe { libc::waitpid(self.pid, std::ptr::null_mut(), libc::WNOHANG) };
        }
    }
}

impl Waiting {
    /// Forks a child that waits.
    ///
    /// # Errors
    ///
    /// If the cage cannot be built, an argument contains a NUL byte, or the system refuses.
    pub fn fork(command: &Command) -> Result<Self, LaunchError> {
        let mut prepared = prepare(command)?;
        let pipe = || io::pipe().map_err(LaunchError::system("make a pipe"));
        let ((go_reader, go), (status, status_writer)) = (pipe()?, pipe()?);
        // SAFETY: the child makes system calls only, and ends or executes.
        let pid = unsafe { libc::fork() };
        match pid {
            -1 => Err(LaunchError::system("fork")(io::Error::last_os_error())),
            0 => {
                // If its own copy remained open, the child would wait forever for a parent that has
                // ended. SAFETY: the child never uses these again.
                unsafe {
                    libc::close(go.as_raw_fd());
                    libc::close(status.as_raw_fd());
                    child::become_command(
                        &mut prepared,
                        go_reader.as_raw_fd(),
                        status_writer.as_raw_fd(),
                    )
                }
            }
            pid => Ok(Self {
                child: Child {
                    pid,
                    reaped: false,
                    _reaping: prepared.reaping,
                },
                go,
                status,
                name: command.name.clone(),
                steps: prepared.steps,
                candidates: prepared.candidates,
            }),
        }
    }

    /// The child's process id, as this process's pid namespace numbers it.
    pub fn pid(&self) -> u32 {
        self.child.pid.unsigned_abs()
    }

    /// Lets the child execute its command, and waits until it has.
    ///
    /// # Errors
    ///
    /// If the command cannot be executed or the cage cannot be entered.
    pub fn release(mut self) -> Result<Started, LaunchError> {
        // The child may have ended already, by an earlier Ctrl-C.
        self.go.write_all(&[1]).map_err(|_| LaunchError::Vanished)?;
        let mut tried = None;
        let mut bytes = [0; Message::LENGTH];
        loop {
            match self.status.read_exact(&mut bytes) {
                Ok(()) => {}
                // execve closed the child's end.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break,
                Err(error) => {
                    return Err(LaunchError::system("read the message of the child")(error));
                }
            }
            match Message::decode(bytes) {
                Some(Message::Trying(index)) => tried = self.file(index as usize),
                Some(failed) => {
                    self.reap();
                    return Err(self.failure(failed));
                }
                None => return Err(LaunchError::Vanished),
            }
        }
        match tried {
            Some(file) => Ok(Started {
                child: self.child,
                file,
                end: None,
            }),
            None => Err(LaunchError::Vanished),
        }
    }

    /// Waits for a child that is about to exit.
    fn reap(&mut self) {
        // SAFETY: the child is ours and not reaped.
        unsafe { libc::waitpid(self.child.pid, std::ptr::null_mut(), 0) };
        self.child.reaped = true;
    }

    fn file(&self, index: usize) -> Option<PathBuf> {
        let path = self.candidates.get(index)?;
        Some(OsStr::from_bytes(path.as_bytes()).into())
    }

    /// Whether the command is a name, not a path.
    fn is_searched(&self) -> bool {
        !self.name.as_bytes().contains(&b'/')
    }

    /// The first candidate that exists, if this process can see it.
    fn existing(&self) -> Option<PathBuf> {
        (0..self.candidates.len())
            .filter_map(|index| self.file(index))
            .find(|file| file.is_file())
    }

    fn not_found(&self, file: Option<PathBuf>) -> LaunchError {
        LaunchError::NotFound {
            command: self.name.clone(),
            file: file.filter(|_| !self.is_searched()),
        }
    }

    fn failure(&self, message: Message) -> LaunchError {
        let error = |code: u16| io::Error::from_raw_os_error(code.into());
        match message {
            Message::StepFailed(index, code) => match self.steps.get(usize::from(index)) {
                Some(step) => LaunchError::Step {
                    step: step.clone(),
                    error: error(code),
                },
                None => LaunchError::Vanished,
            },
            Message::ExecFailed(index, code) => {
                let file = self.file(usize::from(index));
                match (i32::from(code), file) {
                    (libc::ENOENT | libc::ENOTDIR, file) | (_, file @ None) => self.not_found(file),
                    // A directory of $PATH that may not be searched does not end the search.
                    (libc::EACCES, Some(_)) if self.is_searched() && self.existing().is_none() => {
                        self.not_found(None)
                    }
                    (libc::EACCES, Some(file)) => LaunchError::NotExecutable {
                        file: self.existing().unwrap_or(file),
                        error: error(code),
                    },
                    (_, Some(file)) => LaunchError::NotExecutable {
                        file,
                        error: error(code),
                    },
                }
            }
            Message::Trying(_) => LaunchError::Vanished,
        }
    }
}

impl Started {
    /// The file that was executed; for a script, the script itself.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The command's process id.
    pub fn pid(&self) -> u32 {
        self.child.pid.unsigned_abs()
    }

    /// Sends the command a signal, unless it has ended.
    pub fn signal(&self, signal: i32) {
        if !self.child.reaped {
            // SAFETY: the child is not reaped, so the number still belongs to it.
            unsafe { libc::kill(self.child.pid, signal) };
        }
    }

    /// Waits until the command has ended. The future can be dropped without loss.
    ///
    /// # Errors
    ///
    /// If the kernel refuses.
    pub async fn ended(&mut self) -> io::Result<Ended> {
        if self.end.is_none() {
            self.end = Some(watch(self.child.pid)?);
        }
        loop {
            if let Some(end) = &self.end {
                end.readable().await?.clear_ready();
            }
            let mut status = 0;
            // SAFETY: the status outlives the call.
            let found = unsafe { libc::waitpid(self.child.pid, &raw mut status, libc::WNOHANG) };
            match found {
                0 => {}
                -1 => return Err(io::Error::last_os_error()),
                _ => {
                    self.child.reaped = true;
                    return Ok(Ended(status));
                }
            }
        }
    }
}

/// A descriptor of a process (pidfd_open(2), Linux 5.3).
pub(super) fn open_process(pid: libc::pid_t) -> io::Result<OwnedFd> {
    // SAFETY: the call takes numbers only.
    let descriptor = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    if descriptor < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel just gave this descriptor to us.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor as i32) })
}

/// A descriptor that becomes readable when the process ends.
fn watch(pid: libc::pid_t) -> io::Result<AsyncFd<OwnedFd>> {
    let descriptor = open_process(pid)?;
    // SAFETY: the registered value owns the descriptor and closes it when dropped.
    let watched = unsafe { AsyncFd::register_with_interest(descriptor, Interest::READABLE) };
    Ok(watched?)
}

fn prepare(command: &Command) -> Result<Prepared, LaunchError> {
    let string = |text: &OsString| {
        CString::new(text.clone().into_vec()).map_err(|_| LaunchError::Nul(text.clone()))
    };
    let reaping = Reaping::begin().map_err(LaunchError::system("set what SIGCHLD does"))?;
    let steps = command.cage.steps()?;
    let candidates =
        search::candidates(&command.name).map_err(|_| LaunchError::Nul(command.name.clone()))?;
    let strings: Vec<CString> = [&command.name]
        .into_iter()
        .chain(&command.arguments)
        .map(string)
        .collect::<Result<_, _>>()?;
    let arguments = child::pointers(&strings);
    let mut shell = vec![SHELL.as_ptr()];
    shell.extend(&arguments);
    Ok(Prepared {
        steps,
        candidates,
        arguments,
        shell,
        reaping,
        _strings: strings,
    })
}
