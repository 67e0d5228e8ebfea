//! Programs in C whose stacks are named.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
};

use capable::context::user_symbols::UserStack;

/// Prints the addresses of its stack and waits.
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

/// Maps the first page of code of a file (argument 1), prints its address, and waits. With a second
/// argument it is denied CAP_SYS_NICE first, by a stack of that many frames in this page, which are
/// made up: nothing of the file runs.
const MAPPER: &str = r#"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
struct link { struct link *outer; char *address; };
static struct link chain[128];
int main(int argc, char **argv) {
    int file = open(argv[1], O_RDONLY);
    char *code = mmap(0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 4096);
    if (code == MAP_FAILED) return 1;
    int depth = argc > 2 ? atoi(argv[2]) : 0;
    for (int i = 0; i < depth; i++) {
        chain[i].outer = i + 1 < depth ? &chain[i + 1] : 0;
        chain[i].address = code + 17 + i;
    }
    if (depth > 0) {
        long answer;
        __asm__ volatile("push %%rbp\n mov %1, %%rbp\n syscall\n pop %%rbp"
            : "=a"(answer)
            : "r"(chain), "a"((long)SYS_setpriority), "D"(0L), "S"(0L), "d"(-5L)
            : "rcx", "r11", "memory");
    }
    printf("%p\nend\n", code);
    fflush(stdout);
    pause();
    return 0;
}
"#;

/// A program, compiled, in a directory that goes away with it.
pub struct Program {
    directory: tempfile::TempDir,
}

impl Program {
    /// `None` if there is no C compiler.
    pub fn compile(options: &[&str]) -> Option<Self> {
        Self::compile_source(PROGRAM, options)
    }

    /// The program that maps files; `None` if there is no C compiler.
    pub fn mapper() -> Option<Self> {
        Self::compile_source(MAPPER, &["-O1"])
    }

    fn compile_source(text: &str, options: &[&str]) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let source = directory.path().join("program.c");
        std::fs::write(&source, text).unwrap();
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

    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub fn path(&self) -> PathBuf {
        self.directory.path().join("program")
    }

    pub fn start(&self) -> Running {
        self.start_with(&[])
    }

    pub fn start_with(&self, arguments: &[&str]) -> Running {
        let mut child = Command::new(self.path())
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let stack = read_stack(&mut output);
        Running { child, stack }
    }
}

fn read_stack(output: &mut BufReader<ChildStdout>) -> Vec<u64> {
    output
        .lines()
        .map(|line| line.unwrap())
        .take_while(|line| line != "end")
        .map(|line| u64::from_str_radix(line.trim_start_matches("0x"), 16).unwrap())
        .collect()
}

/// A program that has printed addresses.
pub struct Running {
    pub child: Child,
    /// Those addresses: for the stack, return addresses, of which the first is that of `backtrace`.
    pub stack: Vec<u64>,
}

impl Running {
    pub fn end(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// The stack with a frame in front, so that all of its entries are return addresses.
    pub fn frames(&self) -> Vec<u64> {
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

/// The names in a stack.
pub fn names(stack: &UserStack) -> Vec<&str> {
    stack
        .frames
        .iter()
        .filter_map(|frame| frame.name.as_deref())
        .collect()
}
