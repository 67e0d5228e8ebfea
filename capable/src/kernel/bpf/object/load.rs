//! Loads programs into the kernel: specialised, or else as they were built.

use std::{
    fmt::Display,
    io,
    os::fd::{AsFd as _, OwnedFd},
};

use aya_obj::generated::bpf_insn;

use super::{Loaded, Object, ObjectError};
use crate::kernel::bpf::{
    info,
    specialise::{Mode, Settings, specialise},
    sys,
};

/// The size of the buffer for the verifier's log, in bytes.
const VERIFIER_LOG: usize = 1 << 20;

/// How many of the verifier's last lines a warning repeats.
const LAST_LINES: usize = 5;

impl Object {
    /// Loads a program, once. A tracing program needs the BTF type id of what it traces.
    pub fn load(&mut self, name: &'static str, btf_id: u32) -> Result<Loaded, ObjectError> {
        let built = self.image.take_program(name)?;
        let program = sys::Program {
            kind: built.kind,
            attach_type: built.attach_type,
            attach_btf_id: btf_id,
            name,
            instructions: &built.instructions,
            license: &built.license,
        };
        let specialised = self.specialised(&program)?;
        let program = load(&program, specialised.as_deref(), self.mode)?;
        Ok(Loaded { name, program })
    }

    /// The program specialised for the frozen configuration, unless that is turned off or not
    /// possible.
    fn specialised(
        &self,
        program: &sys::Program<'_>,
    ) -> Result<Option<Vec<bpf_insn>>, ObjectError> {
        if self.mode == Mode::Off {
            return Ok(None);
        }
        let (map, bytes) = &self.settings;
        let settings = Settings { map: *map, bytes };
        match specialise(program.instructions, settings) {
            Ok(specialised) => Ok(Some(specialised)),
            Err(obstacle) => fall_back(self.mode, program.name, obstacle).map(|()| None),
        }
    }
}

/// Loads a specialised program, or, if the verifier rejects it and the mode allows, the program as
/// it was built.
fn load(
    program: &sys::Program<'_>,
    specialised: Option<&[bpf_insn]>,
    mode: Mode,
) -> Result<OwnedFd, ObjectError> {
    if let Some(instructions) = specialised {
        let specialised = sys::Program {
            instructions,
            ..*program
        };
        match try_load(&specialised) {
            Err(refusal) if refusal.by_verifier() => {
                fall_back(mode, program.name, refusal.last_lines())?;
            }
            other => return other.map_err(|refusal| refusal.of(program)),
        }
    }
    try_load(program).map_err(|refusal| refusal.of(program))
}

/// Logs why a program is loaded as it was built; an error if the mode forbids that.
fn fall_back(mode: Mode, name: &str, reason: impl Display) -> Result<(), ObjectError> {
    if mode == Mode::Always {
        return Err(ObjectError::NotSpecialised {
            name: name.to_owned(),
            reason: reason.to_string(),
        });
    }
    log::warn!("{name} is loaded as it was built: {reason}");
    Ok(())
}

/// Loads a program; if the kernel refuses it, asks the verifier why.
fn try_load(program: &sys::Program<'_>) -> Result<OwnedFd, Refusal> {
    let (name, count) = (program.name, program.instructions.len());
    match sys::load_program(program, None) {
        Ok(loaded) => {
            if log::log_enabled!(log::Level::Debug)
                && let Ok((kept, machine, verified)) = info::program_size(loaded.as_fd())
            {
                log::debug!(
                    "loaded {name}: {count} instructions, {kept} kept by the verifier, {machine} \
                     bytes of machine code, {verified} verified"
                );
            }
            Ok(loaded)
        }
        Err(error) => {
            let mut log = vec![0; VERIFIER_LOG];
            let _refused_again = sys::load_program(program, Some(&mut log));
            let end = log.iter().position(|&byte| byte == 0).unwrap_or(log.len());
            let log = String::from_utf8_lossy(&log[..end]).into_owned();
            log::debug!("the verifier on {name}:\n{log}");
            Err(Refusal { error, log })
        }
    }
}

/// A program was refused.
struct Refusal {
    /// What the kernel answered.
    error: io::Error,
    /// What the verifier wrote.
    log: String,
}

impl Refusal {
    /// The lines about the program: none if the kernel refused it without looking at it.
    fn lines(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.log.lines().filter(|line| {
            !line.is_empty()
                && !line.starts_with("processed ")
                && !line.starts_with("verification time")
        })
    }

    /// Whether the verifier rejected the program, rather than the kernel before verification.
    fn by_verifier(&self) -> bool {
        self.lines().next().is_some()
    }

    /// The kernel's answer and, below it, the last lines of the verifier's log.
    fn last_lines(&self) -> String {
        let mut lines: Vec<&str> = self.lines().rev().take(LAST_LINES).collect();
        lines.reverse();
        format!("{}\n{}", self.error, lines.join("\n"))
    }

    /// The error for a user.
    fn of(self, program: &sys::Program<'_>) -> ObjectError {
        let name = program.name.to_owned();
        let reason = self.lines().next_back().map(str::to_owned);
        match reason {
            None => ObjectError::Refused {
                name,
                error: self.error,
            },
            Some(reason) => ObjectError::Rejected {
                name,
                error: self.error,
                reason,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::kernel::bpf::assembly::{EXIT, LICENSE, copy, set};
    use crate::kernel::bpf::specialise::Obstacle;

    /// Everything that any test has logged.
    static LOGGED: Mutex<Vec<String>> = Mutex::new(Vec::new());

    struct Logger;

    impl log::Log for Logger {
        fn enabled(&self, _: &log::Metadata<'_>) -> bool {
            true
        }

        fn log(&self, record: &log::Record<'_>) {
            LOGGED.lock().unwrap().push(record.args().to_string());
        }

        fn flush(&self) {}
    }

    fn program<'a>(name: &'a str, instructions: &'a [bpf_insn]) -> sys::Program<'a> {
        sys::Program {
            // `BPF_PROG_TYPE_SOCKET_FILTER`, which every kernel has.
            kind: 1,
            attach_type: 0,
            attach_btf_id: 0,
            name,
            instructions,
            license: LICENSE,
        }
    }

    /// Reads a register that nothing has written.
    fn broken(register: u8) -> [bpf_insn; 2] {
        [copy(0, register), EXIT]
    }

    #[test]
    #[ignore = "needs root"]
    fn a_program_that_the_verifier_rejects_specialised_is_loaded_as_it_was_built() {
        log::set_logger(&Logger).unwrap();
        log::set_max_level(log::LevelFilter::Warn);
        let built = [set(0, 1), set(0, 0), EXIT];
        let fallback = program("fallback", &built);
        let loaded = load(&fallback, Some(&broken(7)), Mode::WherePossible).unwrap();
        assert_eq!(info::program_size(loaded.as_fd()).unwrap().0, 3);
        let logged = LOGGED.lock().unwrap();
        let told = logged
            .iter()
            .find(|line| line.contains("fallback"))
            .unwrap();
        assert!(told.starts_with("fallback is loaded as it was built: Permission denied"));
        assert!(told.ends_with("R7 !read_ok"), "{told}");
    }

    #[test]
    #[ignore = "needs root"]
    fn a_program_that_the_verifier_rejects_either_way_is_explained_as_it_was_built() {
        let rejected = broken(8);
        let rejected = program("rejected", &rejected);
        let error = load(&rejected, Some(&broken(7)), Mode::WherePossible).unwrap_err();
        let told = error.to_string();
        assert!(told.contains("rejected the program rejected"), "{told}");
        assert!(told.contains("R8 !read_ok"), "{told}");
    }

    #[test]
    #[ignore = "needs root"]
    fn a_program_that_the_verifier_rejects_specialised_is_an_error_where_it_must_be_so() {
        let built = [set(0, 0), EXIT];
        let demanded = program("demanded", &built);
        let error = load(&demanded, Some(&broken(7)), Mode::Always).unwrap_err();
        let told = error.to_string();
        assert!(told.contains("demanded cannot be specialised"), "{told}");
        assert!(told.contains("R7 !read_ok"), "{told}");
    }

    #[test]
    fn what_the_specialiser_does_not_understand_is_an_error_where_it_must_be_so() {
        let reason = Obstacle::Unknown(7);
        assert!(fall_back(Mode::WherePossible, "strange", reason).is_ok());
        let told = fall_back(Mode::Always, "strange", reason).unwrap_err();
        assert!(told.to_string().contains(&reason.to_string()), "{told}");
    }

    #[test]
    #[ignore = "needs root"]
    fn a_program_that_the_verifier_accepts_specialised_is_loaded_so() {
        let built = [set(0, 1), set(0, 0), EXIT];
        let specialised = [set(0, 0), EXIT];
        let accepted = program("accepted", &built);
        let loaded = load(&accepted, Some(&specialised), Mode::Always).unwrap();
        assert_eq!(info::program_size(loaded.as_fd()).unwrap().0, 2);
    }
}
