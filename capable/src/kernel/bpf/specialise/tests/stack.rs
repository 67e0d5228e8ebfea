//! What the specialiser assumes about the stack: each test is a program that breaks an assumption.
//!
//! All of them spill r1 at -24 and load it again. If the specialiser took that word for one that
//! nothing else can reach, it would replace the load with the known value.

use super::*;

/// `r10 + offset` in a register.
fn address(dst: u8, offset: i32) -> [Instruction; 2] {
    [one(0xbf, dst, 10, 0, 0), one(0x07, dst, 0, 0, offset)]
}

/// `r1 = 7; *(u64 *)(r10 - 24) = r1`, then the instructions, then
/// `r0 = *(u64 *)(r10 - 24); exit`.
fn spilled(between: &[&[Instruction]]) -> Result<Vec<Instruction>, Obstacle> {
    spilled_with(between, &[])
}

/// The same with a function behind it, which [`CALL`] at the end of the instructions calls.
fn spilled_with(
    between: &[&[Instruction]],
    function: &[Instruction],
) -> Result<Vec<Instruction>, Obstacle> {
    let before = [one(0xb7, 1, 0, 0, 7), one(0x7b, 10, 1, -24, 0)];
    let after = [one(0x79, 0, 10, -24, 0), EXIT];
    let code = [&[&before[..]], between, &[&after[..], function]].concat();
    try_specialise(&code, &[])
}

const CALL: Instruction = one(0x85, 0, 1, 0, 2);

/// Whether the load of the spilled word became `r0 = 7`.
fn is_followed(code: Result<Vec<Instruction>, Obstacle>) -> bool {
    code.unwrap().contains(&one(0xb7, 0, 0, 0, 7))
}

/// `*(u64 *)(r2 + offset) = r6`
fn store(offset: i16) -> [Instruction; 1] {
    [one(0x7b, 2, 6, offset, 0)]
}

#[test]
fn a_word_below_all_addresses_is_followed_and_others_are_not() {
    assert!(is_followed(spilled(&[])));
    assert!(is_followed(spilled(&[&address(2, -16), &store(0)])));
    assert!(!is_followed(spilled(&[&address(2, -24), &store(0)])));
    assert!(!is_followed(spilled(&[&address(2, -32), &store(8)])));
}

#[test]
fn an_address_reaches_as_far_down_as_it_is_moved_by_all_instructions() {
    // By an addition that is not of r10 itself, by a subtraction, and by the offset of the store.
    let again = one(0x07, 2, 0, 0, -8);
    assert!(!is_followed(spilled(&[
        &address(2, -16),
        &[again],
        &store(0)
    ])));
    let less = one(0x17, 2, 0, 0, 8);
    assert!(!is_followed(spilled(&[
        &address(2, -16),
        &[less],
        &store(0)
    ])));
    assert!(!is_followed(spilled(&[&address(2, -16), &store(-8)])));
    // r2 = -24; r2 += r10: its lower bound is not known.
    let constant = [one(0xb7, 2, 0, 0, -24), one(0x0f, 2, 10, 0, 0)];
    let found = spilled(&[&constant, &store(0)]);
    assert_eq!(found, Err(Obstacle::Address(4)));
}

#[test]
fn an_address_in_the_middle_of_a_word_reaches_all_of_the_word() {
    let byte = one(0x73, 2, 6, 0, 0);
    assert!(!is_followed(spilled(&[&address(2, -20), &[byte]])));
}

#[test]
fn an_address_is_lowest_where_any_path_makes_it_so() {
    // if r6 == 0 goto +1; r2 += -8
    let perhaps = [one(0x15, 6, 0, 1, 0), one(0x07, 2, 0, 0, -8)];
    assert!(!is_followed(spilled(&[
        &address(2, -16),
        &perhaps,
        &store(0)
    ])));
    // do { r2 += -8 } while (r6 != 0), which is anywhere
    let loops = [one(0x07, 2, 0, 0, -8), one(0x55, 6, 0, -2, 0)];
    let found = spilled(&[&address(2, -16), &loops, &store(0)]);
    assert_eq!(found, Err(Obstacle::Address(6)));
}

#[test]
fn an_address_moves_by_numbers_that_are_not_negative() {
    // r2 += r6
    let sum = one(0x0f, 2, 6, 0, 0);
    let found = spilled(&[&address(2, -16), &[sum], &store(0)]);
    assert_eq!(found, Err(Obstacle::Address(5)));
    // The same after w6 = w6, r6 <<= 32; r6 >>= 32, r6 &= 7, r6 = *(u32 *)(r6 + 0), r6 = 1.
    let numbers: [&[Instruction]; 5] = [
        &[one(0xbc, 6, 6, 0, 0)],
        &[one(0x67, 6, 0, 0, 32), one(0x77, 6, 0, 0, 32)],
        &[one(0x57, 6, 0, 0, 7)],
        &[one(0x61, 6, 6, 0, 0)],
        &[one(0xb7, 6, 0, 0, 1)],
    ];
    for number in numbers {
        let code = spilled(&[number, &address(2, -16), &[sum], &store(0)]);
        assert!(is_followed(code), "{number:?}");
    }
    // And after what may make it negative: r6 |= -1, r6 += -1, r6 >>= 1, r6 &= -8, and the swap of
    // all its bytes.
    let numbers: [&[Instruction]; 5] = [
        &[one(0x47, 6, 0, 0, -1)],
        &[one(0x61, 6, 6, 0, 0), one(0x07, 6, 0, 0, -1)],
        &[one(0x77, 6, 0, 0, 1)],
        &[one(0x57, 6, 0, 0, -8)],
        &[one(0xdc, 6, 0, 0, 64)],
    ];
    for number in numbers {
        let found = spilled(&[number, &address(2, -16), &[sum], &store(0)]);
        let at = 5 + number.len();
        assert_eq!(found, Err(Obstacle::Address(at)), "{number:?}");
    }
}

#[test]
fn helpers_reach_upwards_from_their_arguments() {
    // r1 = r10 + …; r2 = 8; call 16 (bpf_get_current_comm)
    let call = [one(0xb7, 2, 0, 0, 8), one(0x85, 0, 0, 0, 16)];
    assert!(is_followed(spilled(&[&address(1, -16), &call])));
    assert!(!is_followed(spilled(&[&address(1, -32), &call])));
    // r1 = r10; r1 -= r6
    let anywhere = [one(0xbf, 1, 10, 0, 0), one(0x1f, 1, 6, 0, 0)];
    let found = spilled(&[&anywhere, &call]);
    assert_eq!(found, Err(Obstacle::Address(5)));
}

#[test]
fn functions_reach_upwards_from_what_they_are_passed() {
    // r1 = r10 - 16; call; *(u64 *)(r1 + offset) = 1
    let stores = |offset: i16| {
        let function = [one(0x7a, 1, 0, offset, 1), EXIT];
        spilled_with(&[&address(1, -16), &[CALL]], &function)
    };
    assert!(is_followed(stores(0)));
    assert_eq!(stores(-8), Err(Obstacle::Address(7)));
    // r1 += -8; call, of a helper or of the function itself
    let passes = |call| {
        let function = [one(0x07, 1, 0, 0, -8), call, EXIT];
        spilled_with(&[&address(1, -16), &[CALL]], &function)
    };
    let helper = one(0x85, 0, 0, 0, 16);
    assert_eq!(passes(helper), Err(Obstacle::Address(8)));
    let memory = [one(0x7a, 1, 0, 0, 1), EXIT];
    let again = [&[one(0x07, 1, 0, 0, -8), CALL, EXIT, EXIT], &memory[..]].concat();
    let found = spilled_with(&[&address(1, -16), &[CALL]], &again);
    assert_eq!(found, Err(Obstacle::Address(11)));
    // The function has its own stack, with a word of its own at -24.
    let own = [&address(2, -8)[..], &store(0), &[EXIT]].concat();
    assert!(is_followed(spilled_with(
        &[&address(1, -16), &[CALL]],
        &own
    )));
}

#[test]
fn an_address_is_returned_by_no_function() {
    let function = [one(0xbf, 0, 1, 0, 0), EXIT];
    let found = spilled_with(&[&address(1, -16), &[CALL]], &function);
    assert_eq!(found, Err(Obstacle::AddressInMemory(8)));
}

#[test]
fn an_address_is_in_memory_as_a_spilled_word_only() {
    // *(u64 *)(r10 - 32) = r3; r2 = *(u64 *)(r10 - 32): it is followed through a spilled word,
    let spill = [one(0x7b, 10, 3, -32, 0), one(0x79, 2, 10, -32, 0)];
    assert!(is_followed(spilled(&[&address(3, -16), &spill, &store(0)])));
    let low = spilled(&[&address(3, -16), &spill, &store(-16)]);
    assert_eq!(low, Err(Obstacle::AddressInMemory(4)));
    // not if an address leads to that word,
    let found = spilled(&[&address(3, -32), &spill, &store(0)]);
    assert_eq!(found, Err(Obstacle::AddressInMemory(4)));
    // not in other memory, not through another address, and not a half of it.
    for hides in [
        one(0x7b, 6, 3, 0, 0),
        one(0x7b, 3, 3, 0, 0),
        one(0x63, 10, 3, -32, 0),
        one(0xdb, 6, 3, 0, 0),
    ] {
        let found = spilled(&[&address(3, -16), &[hides]]);
        assert_eq!(found, Err(Obstacle::AddressInMemory(4)), "{hides:?}");
    }
    // Half of a spilled address cannot be tracked.
    let half = [one(0x7b, 10, 3, -32, 0), one(0x61, 2, 10, -32, 0)];
    let found = spilled(&[&address(3, -16), &half, &store(0)]);
    assert_eq!(found, Err(Obstacle::Address(6)));
}

#[test]
fn what_becomes_of_an_address_in_other_ways_is_not_used_as_one() {
    // w2 = w2, r2 |= r6, r2 -= r6, r2 = -r2, r6 -= r2
    for (made, changes) in [
        (2, one(0xbc, 2, 2, 0, 0)),
        (2, one(0x4f, 2, 6, 0, 0)),
        (2, one(0x1f, 2, 6, 0, 0)),
        (2, one(0x87, 2, 0, 0, 0)),
        (6, one(0x1f, 6, 2, 0, 0)),
    ] {
        let stores = [one(0x7a, made, 0, 0, 1)];
        let found = spilled(&[&address(2, -16), &[changes], &stores]);
        assert_eq!(found, Err(Obstacle::Address(5)), "{changes:?}");
    }
}

#[test]
fn an_address_of_one_function_or_of_another_is_none() {
    // r1 = r10 - 16; call; the function takes its own r10 - 16 if r6 is 0.
    let own = [
        one(0x15, 6, 0, 2, 0),
        one(0xbf, 1, 10, 0, 0),
        one(0x07, 1, 0, 0, -16),
    ];
    let function = [&own[..], &[one(0x7a, 1, 0, 0, 1), EXIT]].concat();
    let found = spilled_with(&[&address(1, -16), &[CALL]], &function);
    assert_eq!(found, Err(Obstacle::Address(10)));
}

#[test]
fn the_frame_pointer_is_never_written() {
    // r10 = 0; r10 += -8; w10 = w6; r10 = *(u64 *)(r6 + 0)
    for writes in [
        one(0xb7, 10, 0, 0, 0),
        one(0x07, 10, 0, 0, -8),
        one(0xbc, 10, 6, 0, 0),
        one(0x79, 10, 6, 0, 0),
    ] {
        let found = spilled(&[&[writes]]);
        assert_eq!(found, Err(Obstacle::FramePointer(2)), "{writes:?}");
    }
    let wide = [one(0x18, 10, 0, 0, 0), one(0, 0, 0, 0, 0)];
    assert_eq!(spilled(&[&wide]), Err(Obstacle::FramePointer(2)));
    // *(u64 *)(r6 + 0) += r10, which fetches into r10
    let fetches = one(0xdb, 6, 10, 0, 0x01);
    assert_eq!(spilled(&[&[fetches]]), Err(Obstacle::AddressInMemory(2)));
}

#[test]
fn what_r10_reaches_is_one_word_of_the_stack() {
    // A word and a half of one across two, above and below the stack.
    for across in [
        one(0x7a, 10, 0, -20, 0),
        one(0x79, 6, 10, -28, 0),
        one(0x62, 10, 0, -22, 0),
        one(0xdb, 10, 6, -20, 0),
        one(0x7a, 10, 0, 0, 0),
        one(0x72, 10, 0, -513, 0),
        one(0x7a, 10, 0, -520, 0),
    ] {
        let found = spilled(&[&[across]]);
        assert_eq!(found, Err(Obstacle::Stack(2)), "{across:?}");
    }
    let below = spilled(&[&address(2, -512), &store(-8)]);
    assert_eq!(below, Err(Obstacle::Address(4)));
}

#[test]
fn what_the_settings_rule_out_is_no_obstacle() {
    let program = |setting: u8| {
        // r2 = *(u8 *)&setting; if r2 == 0 goto +3; r2 = r10; r2 -= r6; *(u64 *)(r2 + 0) = r6
        let load = [one(0x71, 2, 2, 0, 0), one(0x15, 2, 0, 3, 0)];
        let anywhere = [one(0xbf, 2, 10, 0, 0), one(0x1f, 2, 6, 0, 0)];
        let before = [one(0xb7, 1, 0, 0, 7), one(0x7b, 10, 1, -24, 0)];
        let after = [one(0x79, 0, 10, -24, 0), EXIT];
        let code: [&[Instruction]; 6] =
            [&before, &settings(2), &load, &anywhere, &store(0), &after];
        try_specialise(&code, &[setting])
    };
    assert!(is_followed(program(0)));
    assert_eq!(program(1), Err(Obstacle::Address(8)));
}
