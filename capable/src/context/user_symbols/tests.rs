use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use super::*;

/// A C program that prints the addresses of its stack and waits.
const PROGRAM: &str = r#"
#include <execinfo.h>
#include <stdio.h>
#include <unistd.h>
static inline __attribute__((always_inline)) int tiny(void) {
    void *frames[8];
    int n = backtrace(frames, 8);
    for (int i = 0; i < n; i++) printf("%p\n", frames[i]);
    puts("end");
    fflush(stdout);
    return n;
}
__attribute__((noinline)) int asks_for_it(void) { return tiny() + 1; }
int main(int argc, char **argv) {
    int n = asks_for_it();
    pause();
    return n;
}
"#;

/// The program, compiled, in a directory that goes away with it.
struct Program {
    directory: tempfile::TempDir,
}

impl Program {
    /// `None` if there is no C compiler.
    fn compile(options: &[&str]) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let source = directory.path().join("program.c");
        std::fs::write(&source, PROGRAM).unwrap();
        let status = Command::new("cc")
            .args(options)
            .arg("-o")
            .arg(directory.path().join("program"))
            .arg(&source)
            .status();
        match status {
            Ok(status) => assert!(status.success()),
            Err(error) => {
                eprintln!("cc: {error}: not tested");
                return None;
            }
        }
        Some(Self { directory })
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("program")
    }

    fn start(&self) -> Running {
        start(&self.path())
    }
}

fn start(path: &Path) -> Running {
    let mut child = Command::new(path).stdout(Stdio::piped()).spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let stack = read_stack(&mut output);
    Running { child, stack }
}

fn read_stack(output: &mut BufReader<ChildStdout>) -> Vec<u64> {
    output
        .lines()
        .map(|line| line.unwrap())
        .take_while(|line| line != "end")
        .map(|line| u64::from_str_radix(line.trim_start_matches("0x"), 16).unwrap())
        .collect()
}

struct Running {
    child: Child,
    /// Return addresses, starting inside the calling function; the first is that of `backtrace`.
    stack: Vec<u64>,
}

impl Running {
    fn end(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// The stack with a frame in front, so that all of its entries are return addresses.
    fn frames(&self) -> Vec<u64> {
        std::iter::once(0)
            .chain(self.stack.iter().copied())
            .collect()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn names(stack: &UserStack) -> Vec<&str> {
    stack
        .frames
        .iter()
        .filter_map(|frame| frame.name.as_deref())
        .collect()
}

#[test]
fn functions_inlined_functions_and_lines_are_named_where_there_is_debug_information() {
    for debug in ["-g", "-gz=zlib"] {
        let Some(program) = Program::compile(&["-O1", "-g", debug]) else {
            return;
        };
        let running = program.start();
        let mut symbols = UserSymbols::new(true);
        let stack = symbols.symbolize(running.child.id(), &running.frames());
        assert_eq!(stack.provenance, Provenance::Alive);
        assert_eq!(
            names(&stack)[..3],
            ["tiny", "asks_for_it", "main"],
            "{debug}"
        );
        let shown: Vec<String> = stack.frames[1..4]
            .iter()
            .map(UserFrame::to_string)
            .collect();
        assert!(shown[0].starts_with("tiny [inlined] (") && shown[0].ends_with("program.c:7)"));
        assert!(shown[1].starts_with("asks_for_it+0x") && shown[1].ends_with("program.c:13)"));
        assert!(shown[2].contains(" [program] (") && shown[2].ends_with("program.c:15)"));
        assert_eq!(stack.frames[1].address, stack.frames[2].address);
    }
}

#[test]
fn without_debug_information_there_are_functions_and_without_symbols_places_in_the_file() {
    let Some(program) = Program::compile(&["-O1"]) else {
        return;
    };
    let running = program.start();
    let mut symbols = UserSymbols::new(true);
    let stack = symbols.symbolize(running.child.id(), &running.frames());
    assert_eq!(names(&stack)[..2], ["asks_for_it", "main"]);
    assert_eq!(stack.frames[1].location, None);

    let Some(program) = Program::compile(&["-O1", "-s"]) else {
        return;
    };
    let running = program.start();
    let stack = symbols.symbolize(running.child.id(), &running.frames());
    let frame = &stack.frames[1];
    assert_eq!(frame.name, None);
    let offset = frame.module_offset.unwrap();
    let expected = format!("0x{:x} [program+0x{offset:x}]", frame.address);
    assert_eq!(frame.to_string(), expected);
    assert_eq!(stack.frames[0].to_string(), "0x0", "not in any mapping");
}

#[test]
fn a_process_that_is_gone_keeps_its_names_if_it_was_seen_before() {
    let Some(program) = Program::compile(&["-O1"]) else {
        return;
    };
    let mut running = program.start();
    let (pid, frames) = (running.child.id(), running.frames());
    let mut symbols = UserSymbols::new(true);
    symbols.learn(pid);
    running.end();
    let stack = symbols.symbolize(pid, &frames);
    assert_eq!(stack.provenance, Provenance::Remembered);
    assert_eq!(names(&stack)[..2], ["asks_for_it", "main"]);

    let stack = UserSymbols::new(true).symbolize(pid, &frames);
    assert_eq!(stack.provenance, Provenance::Gone);
    assert_eq!(names(&stack), [""; 0]);
    assert_eq!(stack.frames.len(), frames.len());
    assert!(stack.provenance.note().is_some());
}

#[test]
fn another_file_at_the_same_path_does_not_lend_its_names_to_a_process_that_is_gone() {
    let Some(program) = Program::compile(&["-O1"]) else {
        return;
    };
    let mut running = program.start();
    let (pid, frames) = (running.child.id(), running.frames());
    let mut symbols = UserSymbols::new(false);
    symbols.learn(pid);
    running.end();
    let copy = program.directory.path().join("copy");
    std::fs::copy(program.path(), &copy).unwrap();
    std::fs::rename(&copy, program.path()).unwrap();
    let stack = symbols.symbolize(pid, &frames);
    assert!(!names(&stack).contains(&"asks_for_it"));
}

#[test]
fn a_deleted_program_is_named_while_it_runs() {
    let Some(program) = Program::compile(&["-O1"]) else {
        return;
    };
    let running = program.start();
    std::fs::remove_file(program.path()).unwrap();
    let stack = UserSymbols::new(false).symbolize(running.child.id(), &running.frames());
    assert_eq!(names(&stack)[..2], ["asks_for_it", "main"]);
    assert!(
        stack.frames[1].to_string().ends_with("[program]"),
        "{}",
        stack.frames[1]
    );
}

#[test]
fn a_fifo_in_place_of_a_program_does_not_make_us_wait() {
    let Some(program) = Program::compile(&["-O1"]) else {
        return;
    };
    let running = program.start();
    std::fs::remove_file(program.path()).unwrap();
    let made = Command::new("mkfifo").arg(program.path()).status().unwrap();
    assert!(made.success());
    let stack = UserSymbols::new(false).symbolize(running.child.id(), &running.frames());
    assert_eq!(names(&stack)[..2], ["asks_for_it", "main"]);
}

#[test]
fn our_own_rust_functions_are_demangled() {
    let address = names as *const () as u64;
    let stack = UserSymbols::new(false).symbolize(std::process::id(), &[address]);
    let name = stack.frames[0].name.as_deref().unwrap();
    assert!(name.ends_with("user_symbols::tests::names"), "{name}");
    assert_eq!(stack.frames[0].offset, Some(0));
}

#[test]
fn many_processes_and_stacks_are_not_kept_for_ever() {
    let mut symbols = UserSymbols::new(false);
    for pid in 0..2000 {
        // Far above the largest possible PID: none of them exists.
        symbols.symbolize(1 << 30 | pid, &[1, 2, 3]);
    }
    assert!(symbols.processes.len() <= PROCESS_LIMIT);
}
