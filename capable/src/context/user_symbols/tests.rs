use super::*;

#[test]
fn many_processes_and_stacks_are_not_kept_for_ever() {
    let mut symbols = UserSymbols::new();
    for pid in 0..2000 {
        // Far above the largest possible PID: none of them exists.
        symbols.symbolize(1 << 30 | pid, &[1, 2, 3]);
    }
    assert!(symbols.processes.len() <= PROCESS_LIMIT);
}

#[test]
fn without_a_reader_there_are_addresses_modules_and_build_ids() {
    let address = lookup_address as *const () as u64;
    let stack = UserSymbols::new().symbolize(std::process::id(), &[address]);
    let [frame] = &*stack.frames else {
        panic!("{stack:?}");
    };
    assert_eq!((frame.address, &frame.name), (address, &None));
    let own = std::env::current_exe().unwrap();
    assert_eq!(frame.module.as_deref(), own.to_str());
    assert!(frame.module_offset.is_some());
    let build_id = frame.build_id.as_deref().unwrap();
    assert!(build_id.len() >= 16 && build_id.bytes().all(|digit| digit.is_ascii_hexdigit()));
    assert_eq!(stack.note(), None);
}
