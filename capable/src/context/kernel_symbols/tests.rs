use super::*;
use crate::kernel::symbols::{SymbolsError, find};

const KERNEL: &str = "\
ffffffff81000000 T _stext
ffffffff81000000 T _text
ffffffff81000100 t __do_sys_getpid
ffffffff81000100 T sys_getpid
ffffffff810001f0 t __pfx_cap_capable
ffffffff81000200 T cap_capable
ffffffff81000300 T security_capable
ffffffff81000400 t ns_capable_common.isra.0
ffffffff81000500 T can_nice
ffffffff81000600 T do_setpriority
ffffffff81000680 t cap_capset
ffffffff81000700 T _etext
ffffffffa0002000 t map_open\t[fake]
ffffffffa0001000 T fake_init\t[fake]
ffffffffa0010000 t bpf_prog_6deef7357e7b4530_check\t[bpf]
ffffffffa0011000 t bpf_trampoline_6442491529\t[bpf]
";

fn table() -> KernelSymbols {
    let mut table = KernelSymbols::empty();
    table.read(KERNEL.as_bytes()).unwrap();
    table
}

fn shown(table: &KernelSymbols, address: u64) -> String {
    table
        .lookup(address)
        .map_or("-".to_owned(), |frame| frame.to_string())
}

#[test]
fn addresses_are_named_by_their_function_and_module() {
    let table = table();
    assert_eq!(shown(&table, 0xffff_ffff_8100_0210), "cap_capable+0x10");
    assert_eq!(shown(&table, 0xffff_ffff_8100_0104), "sys_getpid+0x4");
    assert_eq!(shown(&table, 0xffff_ffff_a000_1002), "fake_init+0x2 [fake]");
    assert_eq!(shown(&table, 0xffff_ffff_a000_2002), "map_open+0x2 [fake]");
    assert!(!table.missed.get());
}

#[test]
fn an_address_outside_of_all_functions_has_no_name() {
    let table = table();
    for address in [
        0,
        0x40_0000,
        0xffff_ffff_8100_0800,
        0xffff_ffff_a000_9000,
        u64::MAX,
    ] {
        table.missed.set(false);
        assert_eq!(shown(&table, address), "-");
        assert!(table.missed.get(), "{address:x} asks for a refresh");
    }
}

#[test]
fn the_caller_is_the_first_function_past_tracer_and_helpers() {
    let table = table();
    let frames = [
        0xffff_ffff_a001_0020,
        0xffff_ffff_a001_1020,
        0xffff_ffff_8100_0205,
        0xffff_ffff_8100_0320,
        0xffff_ffff_8100_0420,
        0xffff_ffff_8100_0520,
        0xffff_ffff_8100_0620,
    ];
    assert_eq!(table.caller(&frames), Some("can_nice"));
    assert_eq!(table.caller(&frames), Some("can_nice"), "from the cache");
    assert_eq!(table.without_tracer(&frames), &frames[2..]);
    // Without symbols for programs.
    let hidden = [
        0xffff_ffff_a0f0_0000,
        0xffff_ffff_8100_0205,
        0xffff_ffff_8100_0520,
    ];
    assert_eq!(table.caller(&hidden), Some("can_nice"));
    assert_eq!(table.without_tracer(&hidden), &hidden[1..]);
    // A program in the memory that a module's init code has left.
    let reused = [
        0xffff_ffff_a000_1080,
        0xffff_ffff_8100_0205,
        0xffff_ffff_8100_0520,
    ];
    assert_eq!(table.caller(&reused), Some("can_nice"));
    assert_eq!(table.without_tracer(&reused), &reused[1..]);
    // The same, attached to a function that cap_capable is inlined into.
    let inlined = [
        0xffff_ffff_a000_1080,
        0xffff_ffff_8100_0685,
        0xffff_ffff_8100_0620,
    ];
    assert_eq!(table.caller(&inlined), Some("cap_capset"));
    assert_eq!(table.without_tracer(&inlined), &inlined[1..]);
    // A function of a module that is not known asked.
    let unknown = [
        0xffff_ffff_8100_0205,
        0xffff_ffff_a0f0_0000,
        0xffff_ffff_8100_0620,
    ];
    assert_eq!(table.caller(&unknown), None);
    assert_eq!(table.caller(&[]), None);
}

#[test]
fn a_return_address_behind_a_last_call_belongs_to_the_function_that_called() {
    let table = table();
    let frames = [0xffff_ffff_8100_0200, 0xffff_ffff_8100_0600];
    assert_eq!(
        table.lookup_frame(&frames, 0).unwrap().to_string(),
        "cap_capable+0x0"
    );
    assert_eq!(
        table.lookup_frame(&frames, 1).unwrap().to_string(),
        "can_nice+0x100"
    );
    assert_eq!(table.caller(&frames), Some("can_nice"));
}

#[test]
fn the_running_kernel_fits_in_five_megabytes_and_can_be_read_again() {
    let mut table = match KernelSymbols::load() {
        Ok(table) => table,
        Err(error) => {
            assert!(matches!(error, SymbolsError::Hidden { .. }), "{error}");
            return;
        }
    };
    assert!(table.memory() < 5 << 20, "{} bytes", table.memory());
    let range = find(&["cap_capable"]).unwrap()[0].unwrap();
    assert_eq!(shown(&table, range.start + 1), "cap_capable+0x1");
    let before = table.len();
    table.refresh().unwrap();
    assert_eq!(
        shown(&table, range.end - 1).split('+').next(),
        Some("cap_capable")
    );
    assert!(
        table.len().abs_diff(before) < 2000,
        "{before} then {}",
        table.len()
    );
}
