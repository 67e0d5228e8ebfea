//! A process that looks files up when the rest of the program may not any more, and whose file
//! systems may take as long as they like.
//!
//! It is forked before the program gives up its privileges, keeps those that looking takes, and
//! answers one question at a time. Whoever does not get an answer in time goes on without it.

use std::{
    collections::HashMap,
    io,
    mem::MaybeUninit,
    os::fd::{AsRawFd as _, OwnedFd},
    panic, ptr,
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    net::{
        AddressFamily, RecvFlags, SendFlags, Shutdown, SocketFlags, SocketType, recv, send,
        shutdown, socketpair,
    },
};

use super::{Found, LONGEST, NotFound, Question, look};
use crate::{
    capability::Capability,
    event::Surroundings,
    kernel::bpf::privileges::{KeptIds, close_all_but, give_up},
};

/// What looking takes: to search directories of others, and to enter mount namespaces of others by
/// `/proc/PID/root`.
const KEPT: [Capability; 2] = [Capability::DAC_READ_SEARCH, Capability::SYS_PTRACE];

/// The longest question or answer, in bytes.
const MESSAGE: usize = 64 << 10;
/// The most answers that are kept.
const ANSWERS: usize = 4096;
/// How long an answer is waited for, and all of them together: a file system may answer late each
/// time. Most take less than a millisecond.
const ONE_ANSWER: Duration = Duration::from_millis(500);
const ALL_ANSWERS: Duration = Duration::from_secs(10);
/// After so many seconds the process ends by itself, since the program, which then has no
/// privileges, cannot end it.
const ALARM: libc::c_uint = 1;

type Answer = Result<Found, NotFound>;

/// The process. It ends when this is dropped, or when this process ends.
#[derive(Debug)]
pub struct Looker {
    pid: libc::pid_t,
    /// `None` once it has been given up.
    socket: Option<OwnedFd>,
    patience: Duration,
    answers: HashMap<Asked, Surroundings>,
}

/// What an answer depends on, if it does not depend on the process.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Asked {
    mount_namespace: u32,
    path: Vec<u8>,
    follow: bool,
}

impl Looker {
    /// Forks it, while this process has one thread.
    ///
    /// # Errors
    ///
    /// What the system answers.
    pub fn fork() -> io::Result<Self> {
        let (socket, other) = socketpair(
            AddressFamily::UNIX,
            SocketType::SEQPACKET,
            SocketFlags::CLOEXEC,
            None,
        )?;
        // SAFETY: this process has one thread, so the child finds no lock held by another.
        match unsafe { libc::fork() } {
            -1 => Err(io::Error::last_os_error()),
            0 => {
                drop(socket);
                // What goes wrong is seen by the other side: the socket is closed.
                let _ = panic::catch_unwind(|| serve(&other));
                // SAFETY: ends the child without the exit handlers that the parent registered.
                unsafe { libc::_exit(0) }
            }
            pid => Ok(Self {
                pid,
                socket: Some(socket),
                patience: ALL_ANSWERS,
                answers: HashMap::new(),
            }),
        }
    }

    /// Looks a file up, in half a second at most. What was found once is remembered, for all
    /// processes of the mount namespace if it is the same for all.
    ///
    /// # Errors
    ///
    /// Why it is not known. After [`NotFound::NoAnswer`] there is no other answer.
    pub fn ask(&mut self, question: &Question) -> Result<Surroundings, NotFound> {
        let asked = question.mount_namespace.map(|mount_namespace| Asked {
            mount_namespace,
            path: question.path.clone(),
            follow: question.follow,
        });
        if let Some(known) = asked.as_ref().and_then(|asked| self.answers.get(asked)) {
            return Ok(known.clone());
        }
        if question.path.len() > LONGEST {
            return Err(NotFound::TooLong);
        }
        let socket = self.socket.as_ref().ok_or(NotFound::NoAnswer)?;
        let begun = Instant::now();
        let Some(answer) = exchange(socket, question, ONE_ANSWER.min(self.patience)) else {
            self.give_up();
            return Err(NotFound::NoAnswer);
        };
        self.patience = self.patience.saturating_sub(begun.elapsed());
        let found = answer?;
        if let Some(asked) = asked.filter(|_| !found.personal) {
            if self.answers.len() == ANSWERS {
                self.answers.clear();
            }
            self.answers.insert(asked, found.surroundings.clone());
        }
        Ok(found.surroundings)
    }

    /// Ends it, but does not wait: a file system may hold it where no signal ends it.
    fn give_up(&mut self) {
        self.socket = None;
        // SAFETY: the child is ours, and its number is its own since it was not waited for. If this
        // process may not signal it any more, its alarm ends it.
        unsafe {
            libc::kill(self.pid, libc::SIGKILL);
            libc::waitpid(self.pid, ptr::null_mut(), libc::WNOHANG);
        }
    }
}

impl Drop for Looker {
    fn drop(&mut self) {
        let Some(socket) = self.socket.take() else {
            return;
        };
        // Other children may hold the socket too.
        let _ = shutdown(&socket, Shutdown::Both);
        // SAFETY: the child is ours and ends: it works at no question, and reads the end.
        unsafe { libc::waitpid(self.pid, ptr::null_mut(), 0) };
    }
}

/// Asks, and waits for the answer; `None` if there is none.
fn exchange(socket: &OwnedFd, question: &Question, time: Duration) -> Option<Answer> {
    let deadline = Instant::now() + time;
    let bytes = serde_json::to_vec(question).ok()?;
    send(socket, &bytes, SendFlags::NOSIGNAL | SendFlags::DONTWAIT).ok()?;
    let mut answer = vec![0; MESSAGE];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return None;
        }
        let time = Timespec {
            tv_sec: left.as_secs() as i64,
            tv_nsec: left.subsec_nanos().into(),
        };
        match poll(&mut [PollFd::new(socket, PollFlags::IN)], Some(&time)) {
            Ok(0) | Err(Errno::INTR) => continue,
            Ok(_) => {}
            Err(_) => return None,
        }
        match recv(socket, &mut answer[..], RecvFlags::DONTWAIT) {
            Ok((length, _)) => return serde_json::from_slice(answer.get(..length)?).ok(),
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(_) => return None,
        }
    }
}

/// Answers until nobody can ask any more.
fn serve(socket: &OwnedFd) -> io::Result<()> {
    confine(socket)?;
    let mut question = vec![MaybeUninit::uninit(); MESSAGE];
    loop {
        let ((question, _), length) = recv(socket, &mut question[..], RecvFlags::empty())?;
        if length == 0 {
            return Ok(());
        }
        let question: Question = serde_json::from_slice(question)?;
        // SAFETY: the signal ends this process, which no handler of the program changes.
        unsafe { libc::alarm(ALARM) };
        let answer = look(&question);
        // SAFETY: as above.
        unsafe { libc::alarm(0) };
        let mut bytes = serde_json::to_vec(&answer)?;
        if bytes.len() > MESSAGE {
            bytes = serde_json::to_vec(&Answer::Err(NotFound::TooLong))?;
        }
        send(socket, &bytes, SendFlags::NOSIGNAL)?;
    }
}

/// Signals are for the program, which ends this process; only that of the alarm comes through. Only
/// the socket stays open.
fn confine(socket: &OwnedFd) -> io::Result<()> {
    // SAFETY: the first call initialises the set, which outlives the last; the child has no other
    // thread, and uses no other descriptor.
    unsafe {
        let mut signals = MaybeUninit::uninit();
        libc::sigfillset(signals.as_mut_ptr());
        libc::sigdelset(signals.as_mut_ptr(), libc::SIGALRM);
        libc::signal(libc::SIGALRM, libc::SIG_DFL);
        if libc::sigprocmask(libc::SIG_SETMASK, signals.as_ptr(), ptr::null_mut()) != 0 {
            return Err(io::Error::last_os_error());
        }
        close_all_but(&[socket.as_raw_fd()]);
    }
    give_up(KEPT.into_iter().collect(), KeptIds::Unused)
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::{
        super::tests::{folder, question},
        *,
    };

    /// A question of this mount namespace.
    fn of_this_namespace(path: impl AsRef<std::path::Path>) -> Question {
        let link = fs::read_link("/proc/self/ns/mnt").unwrap();
        let number = link
            .to_str()
            .unwrap()
            .trim_matches(|it: char| !it.is_ascii_digit());
        Question {
            mount_namespace: Some(number.parse().unwrap()),
            ..question(path)
        }
    }

    fn signal(looker: &Looker, signal: libc::c_int) {
        // SAFETY: the child is ours.
        assert_eq!(unsafe { libc::kill(looker.pid, signal) }, 0);
    }

    fn status(looker: &Looker) -> String {
        fs::read_to_string(format!("/proc/{}/status", looker.pid)).unwrap()
    }

    #[test]
    fn it_looks_where_others_may_not_and_holds_nothing_else() {
        let (_folder, path) = folder();
        fs::write(path.join("file"), "").unwrap();
        fs::set_permissions(path.join("file"), fs::Permissions::from_mode(0o640)).unwrap();
        let mut looker = Looker::fork().unwrap();
        let asked = of_this_namespace(path.join("file"));
        let found = looker.ask(&asked).unwrap();
        assert_eq!(found, look(&asked).unwrap().surroundings);
        let missing = looker.ask(&of_this_namespace(path.join("missing")));
        assert_eq!(missing.unwrap().stopped, Some(libc::ENOENT));
        let no_path = looker.ask(&of_this_namespace("file"));
        assert_eq!(no_path, Err(NotFound::Refused(libc::EINVAL)));

        let status = status(&looker);
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap().trim().to_owned()
        };
        let kept = KEPT.iter().fold(0, |bits, it| bits | 1 << it.number());
        for set in ["CapPrm:", "CapEff:"] {
            let held = u64::from_str_radix(&field(set), 16).unwrap();
            assert_eq!(held & !kept, 0, "{set}");
        }
        assert_eq!(field("NoNewPrivs:"), "1");
        if rustix::process::geteuid().is_root() {
            assert!(!field("Uid:").split('\t').any(|user| user == "0"));
            let open = fs::read_dir(format!("/proc/{}/fd", looker.pid)).unwrap();
            assert_eq!(open.count(), 1);
        }
    }

    #[test]
    fn what_is_the_same_for_all_is_asked_once() {
        let (_folder, path) = folder();
        let mut looker = Looker::fork().unwrap();
        let asked = of_this_namespace(&path);
        let first = looker.ask(&asked).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o711)).unwrap();
        assert_eq!(looker.ask(&asked).unwrap(), first);
        let own = of_this_namespace("/proc/self");
        looker.ask(&own).unwrap();
        assert_eq!(looker.answers.len(), 1);
        assert!(looker.patience < ALL_ANSWERS);
    }

    #[test]
    fn one_that_does_not_answer_is_not_waited_for_again() {
        let mut looker = Looker::fork().unwrap();
        let known = of_this_namespace("/");
        let first = looker.ask(&known);
        signal(&looker, libc::SIGSTOP);
        let begun = Instant::now();
        assert_eq!(
            looker.ask(&of_this_namespace("/etc")),
            Err(NotFound::NoAnswer)
        );
        assert!(begun.elapsed() >= ONE_ANSWER);
        let begun = Instant::now();
        for path in ["/etc", "/proc"] {
            assert_eq!(
                looker.ask(&of_this_namespace(path)),
                Err(NotFound::NoAnswer)
            );
        }
        assert!(begun.elapsed() < ONE_ANSWER);
        assert_eq!(looker.ask(&known), first);
        // SAFETY: the child is ours; its end was perhaps already waited for.
        unsafe { libc::waitpid(looker.pid, ptr::null_mut(), 0) };
        assert_eq!(signalled_error(looker.pid), Some(libc::ESRCH));
    }

    fn signalled_error(pid: libc::pid_t) -> Option<i32> {
        // SAFETY: signal 0 does nothing.
        let result = unsafe { libc::kill(pid, 0) };
        (result != 0).then(|| io::Error::last_os_error().raw_os_error())?
    }

    #[test]
    fn one_that_has_ended_gives_no_answer() {
        let mut looker = Looker::fork().unwrap();
        signal(&looker, libc::SIGKILL);
        assert_eq!(looker.ask(&of_this_namespace("/")), Err(NotFound::NoAnswer));
        let mut patient = Looker::fork().unwrap();
        patient.patience = Duration::ZERO;
        assert_eq!(
            patient.ask(&of_this_namespace("/")),
            Err(NotFound::NoAnswer)
        );
    }

    #[test]
    fn it_ends_with_the_program_and_by_no_other_signal() {
        let mut looker = Looker::fork().unwrap();
        looker.ask(&of_this_namespace("/")).unwrap();
        for number in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
            signal(&looker, number);
        }
        looker.ask(&of_this_namespace("/etc")).unwrap();
        let pid = looker.pid;
        drop(looker);
        assert_eq!(signalled_error(pid), Some(libc::ESRCH));
    }
}
