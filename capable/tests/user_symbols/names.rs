//! Names for the stacks of programs that mean no harm.

use std::process::Command;

use capable::context::user_symbols::{Provenance, UserFrame, UserStack};

use super::{
    one_at_a_time,
    program::{Program, names},
    symbols,
};

#[test]
fn functions_inlined_functions_and_lines_are_named_where_there_is_debug_information() {
    let _alone = one_at_a_time();
    for debug in ["-g", "-gz=zlib"] {
        let Some(program) = Program::compile(&["-O1", "-g", debug]) else {
            return;
        };
        let running = program.start();
        let mut symbols = symbols(true);
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
    let _alone = one_at_a_time();
    let Some(program) = Program::compile(&["-O1"]) else {
        return;
    };
    let running = program.start();
    let mut symbols = symbols(true);
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
    let _alone = one_at_a_time();
    let Some(program) = Program::compile(&["-O1"]) else {
        return;
    };
    let mut running = program.start();
    let (pid, frames) = (running.child.id(), running.frames());
    let mut symbols = symbols(true);
    symbols.learn(pid);
    running.end();
    let stack = symbols.symbolize(pid, &frames);
    assert_eq!(stack.provenance, Provenance::Remembered);
    assert_eq!(names(&stack)[..2], ["asks_for_it", "main"]);

    let stack = super::symbols(true).symbolize(pid, &frames);
    assert_eq!(stack.provenance, Provenance::Gone);
    assert_eq!(names(&stack), [""; 0]);
    assert_eq!(stack.frames.len(), frames.len());
    assert!(stack.provenance.note().is_some());
}

#[test]
fn another_file_at_the_same_path_does_not_lend_its_names_to_a_process_that_is_gone() {
    let _alone = one_at_a_time();
    let Some(program) = Program::compile(&["-O1"]) else {
        return;
    };
    let mut running = program.start();
    let (pid, frames) = (running.child.id(), running.frames());
    let mut symbols = symbols(false);
    symbols.learn(pid);
    running.end();
    let copy = program.directory().join("copy");
    std::fs::copy(program.path(), &copy).unwrap();
    std::fs::rename(&copy, program.path()).unwrap();
    let stack = symbols.symbolize(pid, &frames);
    assert!(!names(&stack).contains(&"asks_for_it"));
}

#[test]
fn a_deleted_program_is_named_while_it_runs() {
    let _alone = one_at_a_time();
    let Some(program) = Program::compile(&["-O1"]) else {
        return;
    };
    let running = program.start();
    std::fs::remove_file(program.path()).unwrap();
    let stack = symbols(false).symbolize(running.child.id(), &running.frames());
    assert_eq!(names(&stack)[..2], ["asks_for_it", "main"]);
    assert!(
        stack.frames[1].to_string().ends_with("[program]"),
        "{}",
        stack.frames[1]
    );
}

#[test]
fn a_fifo_in_place_of_a_program_does_not_make_us_wait() {
    let _alone = one_at_a_time();
    let Some(program) = Program::compile(&["-O1"]) else {
        return;
    };
    let running = program.start();
    std::fs::remove_file(program.path()).unwrap();
    let made = Command::new("mkfifo").arg(program.path()).status().unwrap();
    assert!(made.success());
    let stack = symbols(false).symbolize(running.child.id(), &running.frames());
    assert_eq!(names(&stack)[..2], ["asks_for_it", "main"]);
}

#[test]
fn functions_of_rust_are_demangled() {
    let _alone = one_at_a_time();
    let address = one_at_a_time as *const () as u64;
    let stack = symbols(false).symbolize(std::process::id(), &[address]);
    assert_eq!(names(&stack), ["user_symbols::one_at_a_time"]);
    assert_eq!(stack.frames[0].offset, Some(0));
}

#[test]
fn debug_information_that_is_elsewhere_is_no_reason_for_no_names() {
    let _alone = one_at_a_time();
    let Some(program) = Program::compile(&["-O1", "-g"]) else {
        return;
    };
    let strip = Command::new("strip").arg("-g").arg(program.path()).status();
    assert!(strip.unwrap().success());
    let running = program.start();
    let stack: UserStack = symbols(true).symbolize(running.child.id(), &running.frames());
    assert_eq!(names(&stack)[..2], ["asks_for_it", "main"]);
    assert_eq!(stack.note(), None);
}
