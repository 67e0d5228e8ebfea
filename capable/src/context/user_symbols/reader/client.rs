//! The tracer's side: starts the reader, asks it, and replaces it.

use std::{
    io::{self, IoSlice},
    mem::MaybeUninit,
    os::{
        fd::{BorrowedFd, OwnedFd},
        unix::process::{CommandExt as _, ExitStatusExt as _},
    },
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    net::{
        AddressFamily, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
        SocketFlags, SocketType, recv, sendmsg, socketpair,
    },
};

use super::{
    super::Hindrance,
    DEADLINE, FILES, NAME,
    serve::{UNCONFINED, USAGE},
    wire::{ANSWER_LIMIT, Answer, Request, VERSION},
};

/// The most time that all answers together may take, and what part of the time that passes is added
/// to what is left of it.
const ALLOWANCE: Duration = Duration::from_secs(20);
const PART: u32 = 4;
/// What a reader costs that has to be replaced.
const REPLACEMENT: Duration = Duration::from_millis(200);
/// After so many readers that could not be started, none is tried any more.
const FAILED_STARTS: u32 = 3;

/// Asks a reader, which it starts when it is asked first.
#[derive(Debug)]
pub(in super::super) struct Reader {
    program: PathBuf,
    running: Option<Running>,
    allowance: Allowance,
    failed_starts: u32,
    /// Why there will be no other reader.
    given_up: Option<Hindrance>,
}

impl Reader {
    /// A reader that is this program.
    pub(in super::super) fn new(program: PathBuf) -> Self {
        Self {
            program,
            running: None,
            allowance: Allowance::new(Instant::now()),
            failed_starts: 0,
            given_up: None,
        }
    }

    /// Asks for a place in a file, which is given with the file of its debug information if that is
    /// another one.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub(in super::super) fn ask(
        &mut self,
        request: Request,
        files: &[BorrowedFd<'_>],
    ) -> Result<Answer, Hindrance> {
        if let Some(reason) = &self.given_up {
            return Err(reason.clone());
        }
        if !self.allowance.has_some(Instant::now()) {
            return Err(Hindrance::TooOften);
        }
        let begun = Instant::now();
        let mut running = match self.running.take() {
            Some(running) => running,
            None => self.start()?,
        };
        let result = running.ask(request, files);
        self.allowance.spend(begun.elapsed());
        let reason = match result {
            Ok(answer) => {
                self.running = Some(running);
                return Ok(answer);
            }
            Err(Failure::Late) => Hindrance::Time,
            Err(Failure::Nonsense) => Hindrance::Defect,
            Err(Failure::Gone) => running.reason_of_end(),
        };
        self.allowance.spend(REPLACEMENT);
        if matches!(reason, Hindrance::NotConfined | Hindrance::NotStarted(_)) {
            self.given_up = Some(reason.clone());
        }
        Err(reason)
    }

    fn start(&mut self) -> Result<Running, Hindrance> {
        match Running::start(&self.program) {
            Ok(running) => {
                self.failed_starts = 0;
                Ok(running)
            }
            Err(error) => {
                let reason = Hindrance::NotStarted(error.to_string().into());
                self.failed_starts += 1;
                if self.failed_starts == FAILED_STARTS {
                    self.given_up = Some(reason.clone());
                }
                Err(reason)
            }
        }
    }
}

/// Why a reader did not answer.
enum Failure {
    /// It took too long.
    Late,
    /// What it said is no answer.
    Nonsense,
    /// It has ended, or is about to.
    Gone,
}

/// A reader that runs. It ends with this value.
#[derive(Debug)]
struct Running {
    child: Child,
    socket: OwnedFd,
}

impl Running {
    fn start(program: &Path) -> io::Result<Self> {
        let (socket, other) = socketpair(
            AddressFamily::UNIX,
            SocketType::SEQPACKET,
            SocketFlags::CLOEXEC,
            None,
        )?;
        let child = Command::new(program)
            .arg0(NAME)
            .arg(VERSION)
            .env_clear()
            .current_dir("/")
            // The signals of the terminal are for the tracer, which ends the reader itself.
            .process_group(0)
            .stdin(other)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self { child, socket })
    }

    fn ask(&mut self, request: Request, files: &[BorrowedFd<'_>]) -> Result<Answer, Failure> {
        let deadline = Instant::now() + DEADLINE;
        let mut room = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FILES))];
        let mut control = SendAncillaryBuffer::new(&mut room);
        control.push(SendAncillaryMessage::ScmRights(files));
        let bytes = request.encode();
        sendmsg(
            &self.socket,
            &[IoSlice::new(&bytes)],
            &mut control,
            SendFlags::NOSIGNAL,
        )
        .map_err(|_| Failure::Gone)?;
        let mut answer = [0; ANSWER_LIMIT];
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Failure::Late);
            }
            let mut waited = [PollFd::new(&self.socket, PollFlags::IN)];
            let time = Timespec {
                tv_sec: left.as_secs() as i64,
                tv_nsec: left.subsec_nanos().into(),
            };
            match poll(&mut waited, Some(&time)) {
                Ok(0) | Err(Errno::INTR) => continue,
                Ok(_) => {}
                Err(_) => return Err(Failure::Gone),
            }
            // recv, not recvmsg: a descriptor that the reader may send is not taken.
            return match recv(&self.socket, &mut answer, RecvFlags::DONTWAIT) {
                Ok((_, 0)) => Err(Failure::Gone),
                Ok((_, length)) => answer
                    .get(..length)
                    .and_then(Answer::decode)
                    .ok_or(Failure::Nonsense),
                Err(Errno::INTR | Errno::AGAIN) => continue,
                Err(_) => Err(Failure::Gone),
            };
        }
    }

    /// Why it ended.
    fn reason_of_end(mut self) -> Hindrance {
        // It has closed its end of the socket, which only its end does: this waits for no more than
        // the kernel's work on its memory.
        match self.child.wait() {
            Ok(status) => reason(status),
            Err(_) => Hindrance::Defect,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Not while a request is worked on: then this is for one that took too long.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn reason(status: ExitStatus) -> Hindrance {
    match (status.code(), status.signal()) {
        (Some(code), _) if code == i32::from(UNCONFINED) => Hindrance::NotConfined,
        (Some(code), _) if code == i32::from(USAGE) => {
            Hindrance::NotStarted("the program is no reader of this version of capable".into())
        }
        // Memory that cannot be had ends in abort(3); a panic does not (`serve.rs`).
        (_, Some(libc::SIGABRT)) => Hindrance::Memory,
        (_, Some(libc::SIGALRM)) => Hindrance::Time,
        (_, Some(libc::SIGSYS)) => Hindrance::Forbidden,
        (_, Some(libc::SIGKILL | libc::SIGTERM)) => Hindrance::Killed,
        _ => Hindrance::Defect,
    }
}

/// What is left of the time that answers may take: a part of the time that passes, and no more than
/// [`ALLOWANCE`] at once. However many files others make for the purpose, rows wait for symbols no
/// more than that.
#[derive(Debug)]
struct Allowance {
    left: Duration,
    since: Instant,
}

impl Allowance {
    fn new(now: Instant) -> Self {
        Self {
            left: ALLOWANCE,
            since: now,
        }
    }

    fn has_some(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.since);
        self.since = now;
        self.left = (self.left + passed / PART).min(ALLOWANCE);
        !self.left.is_zero()
    }

    fn spend(&mut self, time: Duration) {
        self.left = self.left.saturating_sub(time);
    }
}

#[cfg(test)]
mod tests {
    use super::{super::serve::DEFECT, *};

    #[test]
    fn the_time_for_answers_is_used_up_and_comes_back_slowly() {
        let begun = Instant::now();
        let mut allowance = Allowance::new(begun);
        assert!(allowance.has_some(begun));
        allowance.spend(ALLOWANCE * 2);
        assert!(!allowance.has_some(begun));
        let second = Duration::from_secs(1);
        assert!(allowance.has_some(begun + second));
        assert_eq!(allowance.left, second / PART);
        allowance.has_some(begun + 100 * ALLOWANCE);
        assert_eq!(allowance.left, ALLOWANCE);
    }

    #[test]
    fn the_end_of_a_reader_tells_the_reason() {
        // The first byte is a signal, the second an exit code (wait(2)).
        let ended = |status| reason(ExitStatus::from_raw(status));
        assert_eq!(ended(libc::SIGABRT), Hindrance::Memory);
        assert_eq!(ended(libc::SIGSYS), Hindrance::Forbidden);
        assert_eq!(ended(libc::SIGKILL), Hindrance::Killed);
        assert_eq!(ended(libc::SIGSEGV), Hindrance::Defect);
        assert_eq!(ended(i32::from(DEFECT) << 8), Hindrance::Defect);
        assert_eq!(ended(i32::from(UNCONFINED) << 8), Hindrance::NotConfined);
        assert!(matches!(
            ended(i32::from(USAGE) << 8),
            Hindrance::NotStarted(_)
        ));
    }

    #[test]
    fn a_program_that_cannot_be_started_is_tried_a_few_times() {
        let mut reader = Reader::new("/nowhere".into());
        let request = Request {
            file: 1,
            offset: 0,
            lines: true,
        };
        for _ in 0..FAILED_STARTS {
            assert_eq!(reader.given_up, None);
            let answer = reader.ask(request, &[]);
            assert!(
                matches!(answer, Err(Hindrance::NotStarted(_))),
                "{answer:?}"
            );
        }
        assert!(reader.given_up.is_some());
    }
}
