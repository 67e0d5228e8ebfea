//! Files that are made to do harm.

use std::{fs, path::Path, process::Command, thread};

use capable::context::user_symbols::UserStack;

use super::{
    forge::{Forged, doubling},
    one_at_a_time, peak,
    program::{Program, Running, names},
    reader_of, symbols,
};

/// The most memory, in MiB, that a reader may have used for a file that is small, and that this
/// process may have used beside what it had.
const LITTLE: u64 = 64;

/// A process that has mapped a file.
struct Attack {
    running: Running,
    _program: Program,
}

impl Attack {
    /// `None` if there is no C compiler.
    fn with(file: &Path) -> Option<Self> {
        let program = Program::mapper()?;
        let file = file.to_str().unwrap();
        Some(Self {
            running: program.start_with(&[file]),
            _program: program,
        })
    }

    fn stack(&self, symbols: &mut capable::context::user_symbols::UserSymbols) -> UserStack {
        let code = self.running.stack[0];
        symbols.symbolize(self.running.child.id(), &[code + 16])
    }
}

/// What the stack of a process shows that has mapped the forged file, and the most memory that the
/// reader used.
fn shown(forged: &Forged) -> Option<(UserStack, u64)> {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("forged.so");
    forged.write(&file).unwrap();
    let attack = Attack::with(&file)?;
    let own = std::process::id();
    // Forget the peak of forging (proc_pid_clear_refs(5)).
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = peak(own);
    let mut symbols = symbols(true);
    let stack = attack.stack(&mut symbols);
    let memory = reader_of(own).map_or(0, peak);
    let more = peak(own) - before;
    assert!(more <= LITTLE, "this process used {more} MiB");
    Some((stack, memory))
}

#[test]
fn a_forged_file_is_one_that_could_be_good() {
    let _alone = one_at_a_time();
    let Some((stack, _)) = shown(&Forged::new("evil").line_table(10)) else {
        return;
    };
    assert_eq!(names(&stack), ["evil"]);
    assert_eq!(stack.frames[0].offset, Some(16));
    let place = stack.frames[0].location.as_ref().unwrap();
    assert!(place.file.ends_with("a.c"), "{place}");
    assert_eq!(stack.note(), None);
}

#[test]
fn sizes_that_are_lies_cost_no_memory_and_symbols_are_named_nevertheless() {
    let _alone = one_at_a_time();
    for size in [1 << 63, 1 << 60, 40 << 30, u64::MAX] {
        let forged = Forged::new("evil").compressed(".debug_info", size, b"nothing");
        let Some((stack, memory)) = shown(&forged) else {
            return;
        };
        assert_eq!(names(&stack), ["evil"], "{size:#x}");
        assert!(memory <= LITTLE, "{size:#x}: {memory} MiB");
    }
}

#[test]
fn a_table_of_symbols_in_a_hole_of_a_tebibyte_is_refused_with_the_reason() {
    let _alone = one_at_a_time();
    for size in [8 << 30, 1 << 40] {
        let Some((stack, memory)) = shown(&Forged::new("evil").sparse(size)) else {
            return;
        };
        assert_eq!(names(&stack), [""; 0]);
        let note = stack.note().unwrap();
        assert!(note.starts_with("symbols of /") && note.ends_with("more than capable reads"));
        assert!(stack.frames[0].module_offset.is_some());
        assert!(memory <= LITTLE, "{size:#x}: {memory} MiB");
    }
}

#[test]
fn the_largest_table_of_symbols_that_is_read_stays_below_the_bound_of_memory() {
    let _alone = one_at_a_time();
    let Some((stack, memory)) = shown(&Forged::new("evil").copies(4_000_000)) else {
        return;
    };
    assert_eq!((names(&stack), stack.note()), (vec!["evil"], None));
    assert!((64..=256).contains(&memory), "{memory} MiB");
}

#[test]
fn names_are_cut_and_cost_no_memory() {
    let _alone = one_at_a_time();
    let nested = format!("_Z{}{}E", "N".repeat(100), "St".repeat(50_000));
    let names_given = [
        "A".repeat(3_000_000),
        doubling(),
        nested,
        format!("_R{}", "NvC".repeat(100_000)),
        format!("_Z1f{}i", "P".repeat(4000)),
    ];
    for given in names_given {
        let Some((stack, memory)) = shown(&Forged::new(given.clone())) else {
            return;
        };
        let [name] = names(&stack)[..] else {
            panic!("{}: {stack:?}", &given[..20]);
        };
        assert!(name.len() <= 512, "{} bytes", name.len());
        assert!(name.ends_with('…'), "{name}");
        assert!(memory <= LITTLE, "{}: {memory} MiB", &given[..20]);
    }
}

#[test]
fn debug_information_that_unfolds_to_gigabytes_costs_the_reader_and_leaves_the_symbol() {
    let _alone = one_at_a_time();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("forged.so");
    Forged::new("evil")
        .line_table(100 << 20)
        .write(&file)
        .unwrap();
    assert!(fs::metadata(&file).unwrap().len() < 4 << 20);
    let Some(attack) = Attack::with(&file) else {
        return;
    };
    let mut symbols = symbols(true);
    let own = std::process::id();
    let stack = attack.stack(&mut symbols);
    assert_eq!(names(&stack), ["evil"]);
    assert_eq!(stack.frames[0].location, None);
    let second = reader_of(own).unwrap();
    assert!(peak(second) <= LITTLE, "the next reader has read it, too");
    // It is remembered: another place in the file is looked up by the same reader.
    let code = attack.running.stack[0];
    let stack = symbols.symbolize(attack.running.child.id(), &[code + 32]);
    assert_eq!(names(&stack), ["evil"]);
    assert_eq!(reader_of(own), Some(second));
}

#[test]
fn a_reader_that_is_killed_is_replaced_and_the_row_says_why() {
    let _alone = one_at_a_time();
    let directory = tempfile::tempdir().unwrap();
    let (slow, good) = (
        directory.path().join("slow.so"),
        directory.path().join("good.so"),
    );
    Forged::new("slow")
        .line_table(100 << 20)
        .write(&slow)
        .unwrap();
    Forged::new("good").write(&good).unwrap();
    let (Some(attack), Some(other)) = (Attack::with(&slow), Attack::with(&good)) else {
        return;
    };
    let mut symbols = symbols(true);
    let own = std::process::id();
    let killer = thread::spawn(move || {
        let reader = loop {
            if let Some(reader) = reader_of(own) {
                break reader;
            }
        };
        // SAFETY: the call takes numbers only; the reader is a child of this process.
        unsafe { libc::kill(reader as i32, libc::SIGKILL) };
    });
    let stack = attack.stack(&mut symbols);
    killer.join().unwrap();
    assert_eq!(names(&stack), [""; 0]);
    let note = stack.note().unwrap();
    assert!(note.ends_with("slow.so: the reader was killed"), "{note}");
    assert_eq!(names(&other.stack(&mut symbols)), ["good"]);
}

#[test]
fn a_file_that_is_cut_while_it_is_read_ends_nobody() {
    let _alone = one_at_a_time();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("forged.so");
    let forged = Forged::new("evil").line_table(1 << 20);
    forged.write(&file).unwrap();
    let Some(attack) = Attack::with(&file) else {
        return;
    };
    let whole = fs::read(&file).unwrap();
    let mut symbols = symbols(true);
    let own = std::process::id();
    attack.stack(&mut symbols);
    let reader = reader_of(own).unwrap();
    thread::scope(|scope| {
        let changing = scope.spawn(|| {
            for length in (0..200).map(|step| step * whole.len() / 200) {
                fs::write(&file, &whole[..length]).unwrap();
            }
            fs::write(&file, &whole).unwrap();
        });
        while !changing.is_finished() {
            let stack = attack.stack(&mut symbols);
            if let Some(note) = stack.note() {
                assert!(
                    note.ends_with("it is not an ELF file, or it was cut"),
                    "{note}"
                );
            }
        }
    });
    assert_eq!(reader_of(own), Some(reader), "it was replaced");
    assert_eq!(names(&attack.stack(&mut symbols)), ["evil"]);
}

#[test]
fn neither_devices_nor_fifos_are_opened_for_their_symbols() {
    let _alone = one_at_a_time();
    let Some(program) = Program::mapper() else {
        return;
    };
    let mut symbols = symbols(true);
    let running = program.start_with(&["/dev/zero"]);
    let stack = symbols.symbolize(running.child.id(), &[running.stack[0]]);
    let note = "symbols of /dev/zero: it is not a regular file, was replaced, or cannot be opened";
    assert_eq!(stack.note().as_deref(), Some(note));

    let file = program.directory().join("forged.so");
    Forged::new("evil").write(&file).unwrap();
    let running = program.start_with(&[file.to_str().unwrap()]);
    fs::remove_file(&file).unwrap();
    assert!(
        Command::new("mkfifo")
            .arg(&file)
            .status()
            .unwrap()
            .success()
    );
    let stack = symbols.symbolize(running.child.id(), &[running.stack[0]]);
    // With CAP_CHECKPOINT_RESTORE the mapping itself leads to the file that was there.
    assert!(
        names(&stack) == ["evil"] || stack.note().is_some(),
        "{stack:?}"
    );
}
