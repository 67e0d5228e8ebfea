//! Short programs, before and after.

use super::*;

#[test]
fn a_branch_on_a_setting_is_taken_and_what_led_to_it_removed() {
    let program = |setting: u8| {
        specialised(
            &[
                &settings(1),
                // w1 = *(u8 *)(r1 + 1); if r1 == 0 goto +1
                &[one(0x71, 1, 1, 1, 0), one(0x15, 1, 0, 1, 0)],
                // call 14
                &[one(0x85, 0, 0, 0, 14)],
                // r0 = 5
                &[one(0xb7, 0, 0, 0, 5), EXIT],
            ],
            &[9, setting],
        )
    };
    assert_eq!(program(0), [one(0xb7, 0, 0, 0, 5), EXIT]);
    assert_eq!(
        program(1),
        [one(0x85, 0, 0, 0, 14), one(0xb7, 0, 0, 0, 5), EXIT]
    );
}

#[test]
fn a_setting_is_followed_through_a_spilled_word_but_not_through_what_a_helper_may_write() {
    let program = |slot: i16| {
        specialised(
            &[
                // r6 = r1
                &[one(0xbf, 6, 1, 0, 0)],
                &settings(1),
                // r1 = *(u64 *)(r1 + 0); *(u64 *)(r10 + slot) = r1
                &[one(0x79, 1, 1, 0, 0), one(0x7b, 10, 1, slot, 0)],
                // r1 = r10; r1 += -16; call 16
                &[one(0xbf, 1, 10, 0, 0), one(0x07, 1, 0, 0, -16)],
                &[one(0x85, 0, 0, 0, 16)],
                // r1 = *(u64 *)(r10 + slot); *(u64 *)(r6 + 0) = r1; r0 = 0
                &[one(0x79, 1, 10, slot, 0), one(0x7b, 6, 1, 0, 0)],
                &[one(0xb7, 0, 0, 0, 0), EXIT],
            ],
            &7u64.to_le_bytes(),
        )
    };
    let spilled = program(-24);
    assert!(spilled.contains(&one(0x7a, 6, 0, 0, 7)), "{spilled:?}");
    assert!(!spilled.iter().any(|one| one.dst == 10), "{spilled:?}");
    let written = program(-8);
    assert!(written.contains(&one(0x7b, 6, 1, 0, 0)), "{written:?}");
    assert!(
        written.contains(&one(0x7a, 10, 0, -8, 7)) || written.contains(&one(0x7b, 10, 1, -8, 0))
    );
}

#[test]
fn a_spilled_setting_is_forgotten_where_its_word_is_overwritten_also_in_part() {
    let program = |overwritten: Instruction| {
        specialised(
            &[
                &settings(2),
                // r2 = *(u64 *)(r2 + 0); *(u64 *)(r10 - 24) = r2
                &[one(0x79, 2, 2, 0, 0), one(0x7b, 10, 2, -24, 0)],
                &[overwritten],
                // r2 = *(u64 *)(r10 - 24); *(u64 *)(r1 + 0) = r2; r0 = 0
                &[one(0x79, 2, 10, -24, 0), one(0x7b, 1, 2, 0, 0)],
                &[one(0xb7, 0, 0, 0, 0), EXIT],
            ],
            &7u64.to_le_bytes(),
        )
    };
    let folded = one(0x7a, 1, 0, 0, 7);
    // *(u64 *)(r10 - 32) = 1, beside it
    assert!(program(one(0x7a, 10, 0, -32, 1)).contains(&folded));
    for overwritten in [
        // *(u8 *)(r10 - 20) = 1; *(u32 *)(r10 - 24) = r1; *(u64 *)(r10 - 24) = 1
        one(0x72, 10, 0, -20, 1),
        one(0x63, 10, 1, -24, 0),
        one(0x7a, 10, 0, -24, 1),
        // lock *(u64 *)(r10 - 24) += r1
        one(0xdb, 10, 1, -24, 0),
    ] {
        let code = program(overwritten);
        assert!(!code.contains(&folded), "{overwritten:?}: {code:?}");
        assert!(code.contains(&overwritten), "{overwritten:?}: {code:?}");
    }
}

#[test]
fn a_loop_forgets_what_changes_in_it() {
    let code = [
        // r1 = 0; r1 += 1; if r1 < 3 goto -2; r0 = r1
        one(0xb7, 1, 0, 0, 0),
        one(0x07, 1, 0, 0, 1),
        one(0xa5, 1, 0, -2, 3),
        one(0xbf, 0, 1, 0, 0),
        EXIT,
    ];
    assert_eq!(specialised(&[&code], &[]), code);
}

#[test]
fn calls_of_functions_still_find_them_after_what_lay_between_is_gone() {
    let code = specialised(
        &[
            // call +3; exit
            &[one(0x85, 0, 1, 0, 3), EXIT],
            // Never reached.
            &[one(0xb7, 0, 0, 0, 1), EXIT],
            // r0 = 2; exit
            &[one(0xb7, 0, 0, 0, 2), EXIT],
        ],
        &[],
    );
    assert_eq!(
        code,
        [one(0x85, 0, 1, 0, 1), EXIT, one(0xb7, 0, 0, 0, 2), EXIT]
    );
}

#[test]
fn a_load_adds_what_a_setting_added_to_its_address() {
    // Both ways to write an address that is no longer needed, and one that still is.
    let code = specialised(
        &[
            &settings(3),
            // r3 = *(u32 *)(r3 + 0); r3 += r6; r1 = *(u64 *)(r3 + 4)
            &[one(0x61, 3, 3, 0, 0), one(0x0f, 3, 6, 0, 0)],
            &[one(0x79, 1, 3, 4, 0)],
            // r4 = r1; r4 += 8; r2 = *(u32 *)(r4 + 0)
            &[one(0xbf, 4, 1, 0, 0), one(0x07, 4, 0, 0, 8)],
            &[one(0x61, 2, 4, 0, 0)],
            // r5 = r1; r5 += 16; r0 = *(u64 *)(r5 + 0); *(u64 *)(r5 + 0) = r2
            &[one(0xbf, 5, 1, 0, 0), one(0x07, 5, 0, 0, 16)],
            &[one(0x79, 0, 5, 0, 0), one(0x7b, 5, 2, 0, 0), EXIT],
        ],
        &100u32.to_le_bytes(),
    );
    assert_eq!(
        code,
        [
            one(0x79, 1, 6, 104, 0),
            one(0x61, 2, 1, 8, 0),
            one(0xbf, 5, 1, 0, 0),
            one(0x07, 5, 0, 0, 16),
            one(0x79, 0, 1, 16, 0),
            one(0x7b, 5, 2, 0, 0),
            EXIT
        ]
    );
}

#[test]
fn a_load_that_another_path_leads_to_keeps_its_address() {
    let code = [
        // if r1 == 0 goto +2; r3 = r6; r3 += 8; r0 = *(u64 *)(r3 + 0)
        one(0x15, 1, 0, 2, 0),
        one(0xbf, 3, 6, 0, 0),
        one(0x07, 3, 0, 0, 8),
        one(0x79, 0, 3, 0, 0),
        EXIT,
    ];
    assert_eq!(specialised(&[&code], &[]), code);
}

#[test]
fn a_program_that_is_not_understood_is_left_as_it_is() {
    // A jump with a long distance, of later kernels.
    let code = [one(0xb7, 1, 0, 0, 0), one(0x06, 0, 0, 0, 0), EXIT];
    assert_eq!(try_specialise(&[&code], &[]), Err(Obstacle::Unknown(1)));
}

#[test]
fn a_program_that_leads_out_of_itself_is_left_as_it_is() {
    let jump = [one(0x05, 0, 0, 5, 0), EXIT];
    assert_eq!(try_specialise(&[&jump], &[]), Err(Obstacle::Outside(0)));
    let call = [one(0x85, 0, 1, 0, -3), EXIT];
    assert_eq!(try_specialise(&[&call], &[]), Err(Obstacle::Outside(0)));
    let no_end = [one(0xb7, 0, 0, 0, 0)];
    assert_eq!(try_specialise(&[&no_end], &[]), Err(Obstacle::Outside(0)));
    let half = [EXIT, settings(1)[0]];
    assert_eq!(try_specialise(&[&half], &[]), Err(Obstacle::Outside(1)));
    assert_eq!(try_specialise(&[], &[]), Err(Obstacle::Outside(0)));
}

#[test]
fn a_jump_into_a_long_instruction_is_not_understood() {
    let jump = one(0x05, 0, 0, 1, 0);
    let code: [&[Instruction]; 3] = [&[jump], &settings(1), &[EXIT]];
    assert_eq!(try_specialise(&code, &[]), Err(Obstacle::Unknown(2)));
}

#[test]
fn atomic_loads_and_stores_are_not_understood() {
    // r1 = load_acquire(r2 + 0), of later kernels; the others change memory.
    let acquire = [one(0xdb, 1, 2, 0, 0x100), EXIT];
    assert_eq!(try_specialise(&[&acquire], &[]), Err(Obstacle::Unknown(0)));
    for operation in [0x00, 0x01, 0x40, 0x51, 0xa0, 0xe1, 0xf1] {
        let change = [one(0xdb, 1, 2, 0, operation), EXIT];
        assert_eq!(specialised(&[&change], &[]), change);
    }
}
