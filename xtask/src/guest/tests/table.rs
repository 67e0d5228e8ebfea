//! The tests, in the order in which they run.

use super::{
    Test, burst, comm, conditions, degraded, descent, errors, everyday, few, filters, formats,
    hotplug, inside, inspecting, keeping, least, limits, meaning, output, programs, recycled,
    refusals, stack, stop,
};
use crate::guest::proofs;

/// The tests that run both here and in guests, and those that run only in guests.
pub const TESTS: &[Test] = &[
    Test::anywhere(
        "every_check_of_a_burst_is_printed_or_counted_as_lost",
        burst::all_accounted,
    ),
    Test::anywhere(
        "under_a_load_that_preempts_the_kprobe_shows_every_check",
        burst::preempted,
    ),
    Test::anywhere(
        "a_reader_that_sleeps_loses_checks_and_says_how_many",
        burst::sleeping_reader,
    ),
    Test::anywhere(
        "a_comm_with_escape_sequences_cannot_steer_the_terminal",
        comm::escapes_are_harmless,
    ),
    Test::anywhere("a_comm_survives_json_byte_for_byte", comm::json_keeps_it),
    Test::anywhere(
        "one_process_is_kept_with_all_its_threads",
        filters::process_with_threads,
    ),
    Test::anywhere(
        "uid_is_the_real_user_of_a_process_under_overridden_credentials",
        filters::real_user,
    ),
    Test::anywhere("unaudited_checks_are_shown_with_v_only", filters::verbose),
    Test::anywhere("the_tracer_itself_never_appears", filters::own_process),
    Test::anywhere(
        "functions_of_a_program_are_named_where_it_has_symbols",
        stack::user,
    ),
    Test::anywhere(
        "a_program_with_symbols_of_a_tebibyte_is_shown_with_addresses_and_the_reason",
        stack::forged,
    ),
    Test::anywhere(
        "without_symbols_checks_are_shown_and_callers_unknown",
        degraded::hidden_symbols,
    ),
    Test::anywhere(
        "without_btf_the_pair_of_probes_gives_the_result",
        degraded::hidden_btf,
    ),
    Test::anywhere(
        "the_stack_of_nice_shows_can_nice_and_no_tracer",
        stack::nice,
    ),
    Test::anywhere("sigint_ends_it_at_once_with_a_summary", stop::on_sigint),
    Test::anywhere("sigterm_ends_it_at_once_with_a_summary", stop::on_sigterm),
    Test::anywhere("a_pipe_that_closes_ends_it_quietly", stop::broken_pipe),
    Test::anywhere(
        "a_file_takes_rows_before_the_end",
        output::rows_arrive_while_it_runs,
    ),
    Test::anywhere(
        "an_unprivileged_user_is_told_what_is_missing",
        errors::unprivileged,
    ),
    Test::anywhere("a_pid_that_does_not_exist_is_an_error", errors::no_such_pid),
    Test::anywhere("an_unknown_hook_is_a_usage_error", errors::no_such_hook),
    Test::anywhere(
        "a_hook_that_this_kernel_lacks_is_an_error_with_its_cause",
        errors::hooks_not_here,
    ),
    // With the hook that the program chooses by default.
    Test::anywhere("pid_tid_and_comm_keep_whom_they_name", keeping::by_task),
    Test::anywhere("user_keeps_the_real_user", keeping::by_user),
    Test::anywhere("gid_keeps_the_real_group", keeping::by_group),
    Test::anywhere(
        "cap_granted_and_denied_keep_what_they_name",
        keeping::by_check,
    ),
    Test::anywhere(
        "cgroup_unit_and_container_keep_what_is_in_and_below",
        keeping::by_cgroup,
    ),
    Test::anywhere(
        "namespaces_are_kept_by_number_and_by_process",
        keeping::by_namespace,
    ),
    Test::anywhere("filters_that_differ_are_joined_by_and", keeping::by_many),
    Test::anywhere(
        "a_filter_by_what_does_not_exist_offers_the_nearest",
        limits::mistakes,
    ),
    Test::anywhere(
        "a_container_that_is_not_there_is_waited_for",
        limits::awaited,
    ),
    Test::anywhere(
        "unique_shows_once_what_repeats_by_each_rule",
        limits::unique,
    ),
    Test::anywhere("count_duration_and_timeout_end_it", limits::bounds),
    Test::anywhere(
        "each_command_holds_what_the_security_policy_says",
        least::held,
    ),
    Test::anywhere(
        "who_gets_the_number_of_a_process_that_ended_is_not_taken_for_it",
        recycled::filtered,
    ),
    Test::anywhere(
        "unique_and_summary_tell_processes_apart_that_had_the_same_number",
        recycled::told_apart,
    ),
    Test::anywhere(
        "children_follows_descendants_and_those_to_come",
        descent::followed,
    ),
    Test::anywhere(
        "json_of_100_000_checks_is_what_the_schema_says",
        formats::json_by_the_hundred_thousand,
    ),
    Test::anywhere(
        "of_what_everyone_runs_nothing_is_needed_that_it_does_without",
        everyday::test,
    ),
    Test::anywhere("list_agrees_with_the_kernel", inspecting::list),
    Test::anywhere(
        "inspect_agrees_with_getpcaps_for_ten_processes",
        inspecting::processes,
    ),
    Test::anywhere(
        "inspect_agrees_with_getcap_for_ten_files",
        inspecting::files,
    ),
    Test::anywhere(
        "a_mount_in_an_own_namespace_is_granted_by_the_bit_and_setns_by_ownership",
        meaning::own_namespace,
    ),
    Test::anywhere(
        "access_and_copy_up_show_overridden_credentials",
        meaning::overridden,
    ),
    Test::anywhere(
        "a_file_opened_by_another_shows_the_credentials_of_who_opened_it",
        meaning::opened_by_another,
    ),
    Test::anywhere("doctor_says_whether_tracing_works", conditions::doctor),
    Test::anywhere(
        "without_addresses_it_says_so_and_traces",
        conditions::hidden_addresses,
    ),
    Test::anywhere("without_btf_it_says_so_and_traces", conditions::hidden_btf),
    Test::anywhere(
        "two_capabilities_are_enough_to_trace",
        few::two_capabilities,
    ),
    Test::anywhere(
        "a_check_that_may_be_unaudited_is_not_shown_as_audited",
        few::undecided,
    ),
    Test::anywhere(
        "in_a_pid_namespace_its_numbers_are_understood",
        inside::own_numbers,
    ),
    Test::anywhere(
        "in_a_pid_namespace_the_tracer_knows_itself",
        inside::own_checks,
    ),
    Test::anywhere(
        "in_a_pid_namespace_user_stacks_have_addresses_only",
        inside::user_stacks,
    ),
    // These need privileges that this machine may not give away, create cgroups, or need Debian's
    // programs.
    Test::in_guests(
        "each_line_of_the_atlas_that_can_be_tried_holds",
        proofs::test,
    ),
    Test::in_guests(
        "what_hotplug_loses_is_told_from_a_full_buffer",
        hotplug::told_apart,
    ),
    Test::in_guests(
        "why_says_the_right_thing_of_kinds_from_public_reports",
        refusals::test,
    ),
    Test::in_guests("run_follows_two_thousand_forks", programs::kinds::forks),
    Test::in_guests(
        "run_is_complete_while_others_are_busy",
        programs::kinds::others_are_busy,
    ),
    Test::in_guests("run_follows_a_script", programs::kinds::script),
    Test::in_guests("run_follows_an_interpreter", programs::kinds::interpreted),
    Test::in_guests(
        "run_follows_a_static_program",
        programs::kinds::linked_statically,
    ),
    Test::in_guests(
        "run_follows_what_a_set_user_id_program_gains_or_not",
        programs::kinds::set_user_id,
    ),
    Test::in_guests(
        "run_follows_what_file_capabilities_give_or_not",
        programs::kinds::file_capabilities,
    ),
    Test::in_guests(
        "file_capabilities_are_enough_to_trace",
        few::file_capabilities,
    ),
    Test::in_guests(
        "profile_of_a_unit_that_is_restarted_needs_what_it_starts_with",
        programs::service::restarted,
    ),
    Test::in_guests(
        "profile_of_a_unit_that_rests_ends_in_time_and_needs_nothing",
        programs::service::timed,
    ),
];

/// Tests that change what cannot be undone, run after everything else.
pub const LAST: &[Test] = &[Test::in_guests(
    "under_lockdown_it_says_so_and_traces",
    conditions::lockdown,
)];
