//! `--children`: a process with all its descendants.

use std::collections::BTreeSet;
use std::io::{self, Read as _, Write as _};
use std::os::fd::AsRawFd as _;

use anyhow::{Result, ensure};

use super::Bench;
use super::act::{Actor, check_setuid};
use super::cast::set_name;
use crate::guest::fork::Child;
use crate::guest::syscall::call;
use crate::guest::tracer::Tracer;

/// Children that already exist, children still to come, and one whose parent is gone when it acts.
pub fn followed(_: &Bench) -> Result<()> {
    for follow in [true, false] {
        let family = Family::found()?;
        let stranger = Actor::prepare(b"stranger", check_setuid)?;
        let pid = family.founder.pid().to_string();
        let mut arguments = vec!["-p", &pid, "-o", "json"];
        if follow {
            arguments.push("--children");
        }
        let tracer = Tracer::start(&arguments)?;
        stranger.run()?;
        family.live()?;
        let (rows, summary) = tracer.rows()?;
        let shown: BTreeSet<&str> = rows.iter().map(|row| row.comm.as_str()).collect();
        let expected: BTreeSet<&str> = if follow {
            BTreeSet::from(["founder", "old-child", "old-grandchild", "child", "orphan"])
        } else {
            BTreeSet::from(["founder"])
        };
        ensure!(
            shown == expected,
            "follow: {follow}: {shown:?} in place of {expected:?}"
        );
        ensure!(
            rows.len() == expected.len() && summary.lost == 0,
            "follow: {follow}: {} rows, {summary:?}",
            rows.len()
        );
    }
    Ok(())
}

/// Three generations, each of which makes one check.
struct Family {
    founder: Child,
    start: io::PipeWriter,
    end: io::PipeReader,
}

impl Family {
    /// A founder with a child that has a child; all wait.
    fn found() -> Result<Self> {
        let (begun, start) = io::pipe()?;
        let (end, alive) = io::pipe()?;
        let (mut told, mut tell) = io::pipe()?;
        let (start_raw, told_raw) = (start.as_raw_fd(), told.as_raw_fd());
        let founder = Child::start(|| {
            // SAFETY: the children do not use their copies.
            unsafe {
                libc::close(start_raw);
                libc::close(told_raw);
            }
            // Closing the pipe is the signal for all of them.
            let wait = || (&begun).read(&mut [0]).is_ok();
            let old = Child::start(|| {
                let grandchild = Child::start(|| {
                    let told = tell.write_all(&[0]).is_ok();
                    i32::from(!(told && wait() && act("old-grandchild")))
                });
                let done = wait() && act("old-child");
                i32::from(!(done && ended(grandchild)))
            });
            if !wait() || !act("founder") {
                return 1;
            }
            let child = Child::start(|| {
                let (lives, ends) = match io::pipe() {
                    Ok(ends) => ends,
                    Err(_) => return 1,
                };
                let middle = Child::start(|| {
                    let raw = ends.as_raw_fd();
                    let orphan = fork(|| {
                        // SAFETY: the orphan does not use its copy of the writer.
                        unsafe { libc::close(raw) };
                        // Reads end of file when the parent is gone.
                        (&lives).read(&mut [0]).is_ok_and(|_| act("orphan"))
                    });
                    i32::from(orphan.is_err())
                });
                let left = ended(middle);
                drop(ends);
                i32::from(!(left && act("child")))
            });
            i32::from(!(ended(child) && ended(old)))
        })?;
        drop((alive, tell));
        told.read_exact(&mut [0])?;
        Ok(Self {
            founder,
            start,
            end,
        })
    }

    /// Lets all of them act, and waits until none is left.
    fn live(self) -> Result<()> {
        let Self {
            founder,
            start,
            mut end,
        } = self;
        drop(start);
        ensure!(founder.wait()? == 0, "the family could not act");
        // Any process that is still alive holds the other end.
        end.read_to_end(&mut Vec::new())?;
        Ok(())
    }
}

fn act(name: &str) -> bool {
    set_name(name);
    check_setuid()
}

fn ended(child: io::Result<Child>) -> bool {
    child.is_ok_and(|child| child.wait().is_ok_and(|status| status == 0))
}

/// Forks a child that outlives its parent.
fn fork(body: impl FnOnce() -> bool) -> io::Result<i64> {
    match call!(SYS_fork) {
        Ok(0) => {
            let code = i32::from(!body());
            // SAFETY: _exit does not return and runs nothing of the parent's.
            unsafe { libc::_exit(code) }
        }
        answer => answer.map_err(io::Error::from_raw_os_error),
    }
}
