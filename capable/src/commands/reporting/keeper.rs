//! A process that writes reports into files when the rest of the program may not write any more.
//!
//! A report is written when the observation is over, by when this program has given up its user and
//! its capabilities. To take the place of an old report in a directory takes them. So another
//! process keeps them, and waits for texts. It looks at nothing of what is traced, and can write no
//! other files than those that the user named.

use std::{
    io::{self, PipeReader, PipeWriter, Read as _, Write as _},
    os::fd::AsRawFd as _,
    ptr,
};

use super::destination::{self, DestinationError, Target};
use crate::{
    capability::Capability,
    kernel::bpf::privileges::{KeptIds, close_all_but, give_up},
};

/// What writing in place of another file may take: to enter its directory, to leave the new file to
/// the owner of the old one, and to replace that in a directory like `/tmp`.
const KEPT: [Capability; 3] = [
    Capability::DAC_OVERRIDE,
    Capability::CHOWN,
    Capability::FOWNER,
];

/// The process. It ends when this is dropped, or when this process ends.
pub struct Keeper {
    pid: libc::pid_t,
    texts: Option<PipeWriter>,
    answers: PipeReader,
}

impl Keeper {
    /// Forks it, for these files, while this process has one thread.
    ///
    /// # Errors
    ///
    /// What the system answers.
    pub fn fork(targets: &[Target]) -> io::Result<Self> {
        let ((reader, texts), (answers, writer)) = (io::pipe()?, io::pipe()?);
        // SAFETY: this process has one thread, so the child finds no lock held by another.
        match unsafe { libc::fork() } {
            -1 => Err(io::Error::last_os_error()),
            0 => {
                drop((texts, answers));
                // What goes wrong is seen by the other side: the pipes are closed.
                let _ = keep(reader, writer, targets);
                // SAFETY: ends the child without the exit handlers that the parent registered.
                unsafe { libc::_exit(0) }
            }
            pid => Ok(Self {
                pid,
                texts: Some(texts),
                answers,
            }),
        }
    }

    /// Has a text written in place of the content of one of the files.
    ///
    /// # Errors
    ///
    /// Why it cannot be written.
    pub fn write(&mut self, number: usize, text: &str) -> io::Result<Result<(), String>> {
        let gone = || io::Error::other("the process that writes it has ended");
        let texts = self.texts.as_mut().ok_or_else(gone)?;
        texts.write_all(&(number as u64).to_ne_bytes())?;
        send(texts, text.as_bytes())?;
        let answer = receive(&mut self.answers)?;
        Ok(match answer.is_empty() {
            true => Ok(()),
            false => Err(String::from_utf8_lossy(&answer).into_owned()),
        })
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.texts = None;
        // SAFETY: the child is ours and ends, since the last writer of its pipe is gone.
        unsafe { libc::waitpid(self.pid, ptr::null_mut(), 0) };
    }
}

/// Writes texts until nobody can send any more.
fn keep(mut texts: PipeReader, mut answers: PipeWriter, targets: &[Target]) -> io::Result<()> {
    let folders = targets.iter().map(|target| target.folder().as_raw_fd());
    let pipes = [texts.as_raw_fd(), answers.as_raw_fd()];
    confine(&pipes.into_iter().chain(folders).collect::<Vec<_>>())?;
    loop {
        let mut number = [0; 8];
        texts.read_exact(&mut number)?;
        let text = receive(&mut texts)?;
        let target = usize::try_from(u64::from_ne_bytes(number)).ok();
        let target = target.and_then(|number| targets.get(number));
        let target = target.ok_or(io::ErrorKind::InvalidInput)?;
        let written = destination::replace(target, &text);
        let answer = written
            .err()
            .map(|error: DestinationError| error.to_string());
        send(&mut answers, answer.unwrap_or_default().as_bytes())?;
    }
}

/// Signals are for the program, which ends this process. Only the two pipes and the directories of
/// the files stay open.
fn confine(kept: &[libc::c_int]) -> io::Result<()> {
    nix::sys::signal::SigSet::all().thread_block()?;
    // SAFETY: the child uses no other descriptors.
    unsafe { close_all_but(kept) };
    give_up(KEPT.into_iter().collect(), KeptIds::Kept)
}

fn send(to: &mut PipeWriter, bytes: &[u8]) -> io::Result<()> {
    to.write_all(&(bytes.len() as u64).to_ne_bytes())?;
    to.write_all(bytes)
}

fn receive(from: &mut PipeReader) -> io::Result<Vec<u8>> {
    let mut length = [0; 8];
    from.read_exact(&mut length)?;
    let length = u64::from_ne_bytes(length);
    let mut bytes = Vec::new();
    from.take(length).read_to_end(&mut bytes)?;
    match bytes.len() as u64 == length {
        true => Ok(bytes),
        false => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{super::destination::Destination, *};

    #[test]
    fn it_writes_into_the_files_that_were_named_and_says_why_it_cannot() {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().join("report");
        let gone = folder.path().join("gone");
        fs::create_dir(&gone).unwrap();
        let named = [gone.join("report"), name.clone()];
        let targets = named.map(|name| Destination::open(&name).unwrap().target().unwrap());
        fs::remove_dir(&gone).unwrap();
        let mut keeper = Keeper::fork(&targets).unwrap();
        let text = "long ".repeat(100_000);
        keeper.write(1, &text).unwrap().unwrap();
        assert_eq!(fs::read_to_string(&name).unwrap(), text);
        let error = keeper.write(0, "text").unwrap().unwrap_err();
        assert!(error.contains("there is no directory"), "{error}");
        assert!(keeper.write(2, "text").is_err());
        assert_eq!(fs::read_to_string(&name).unwrap(), text);
    }
}
