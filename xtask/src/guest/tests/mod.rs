//! The tests that run in a guest, or with the harmless half on this machine.

mod act;
mod agreement;
mod burst;
mod cast;
mod comm;
mod conditions;
mod degraded;
mod descent;
mod errors;
mod filters;
mod formats;
mod inside;
mod inspecting;
mod keeping;
mod libcap;
mod limits;
mod meaning;
mod output;
pub mod programs;
mod stack;
mod stop;

use std::process::ExitCode;

use anyhow::Result;

use super::compare::Machine;
use super::folder::Folder;
use super::hooks::{Way, ways};
use super::random;
use super::scene::{Scene, in_virtual_machine};
use crate::tally::Tally;

/// What every test is given.
#[derive(Debug)]
pub struct Bench {
    /// The place for triggers.
    pub scene: Scene,
    /// This machine and its kernel.
    pub machine: Machine,
    /// The ways to trace that must work here.
    pub ways: Vec<Way>,
}

impl Bench {
    /// One way for each hook, by the ring buffer.
    pub fn hooks(&self) -> impl Iterator<Item = Way> + '_ {
        self.ways
            .iter()
            .copied()
            .filter(|way| way.transport == "ring")
    }
}

/// How many random checks the tests make with the kprobe.
const RANDOM_CHECKS: usize = 100_000;

/// The seed with which the tests make them: a failure can be had again.
pub const RANDOM_SEED: u64 = 20_261_122;

/// A test: a sentence, and what fails when it is not true.
type Test = (&'static str, fn(&Bench) -> Result<()>);

const TESTS: &[Test] = &[
    (
        "every_check_of_a_burst_is_printed_or_counted_as_lost",
        burst::all_accounted,
    ),
    (
        "under_a_load_that_preempts_the_kprobe_shows_every_check",
        burst::preempted,
    ),
    (
        "a_reader_that_sleeps_loses_checks_and_says_how_many",
        burst::sleeping_reader,
    ),
    (
        "a_comm_with_escape_sequences_cannot_steer_the_terminal",
        comm::escapes_are_harmless,
    ),
    ("a_comm_survives_json_byte_for_byte", comm::json_keeps_it),
    (
        "one_process_is_kept_with_all_its_threads",
        filters::process_with_threads,
    ),
    (
        "uid_is_the_real_user_of_a_process_under_overridden_credentials",
        filters::real_user,
    ),
    ("unaudited_checks_are_shown_with_v_only", filters::verbose),
    ("the_tracer_itself_never_appears", filters::own_process),
    (
        "functions_of_a_program_are_named_where_it_has_symbols",
        stack::user,
    ),
    (
        "without_symbols_checks_are_shown_and_callers_unknown",
        degraded::hidden_symbols,
    ),
    (
        "without_btf_the_pair_of_probes_gives_the_result",
        degraded::hidden_btf,
    ),
    (
        "the_stack_of_nice_shows_can_nice_and_no_tracer",
        stack::nice,
    ),
    ("sigint_ends_it_at_once_with_a_summary", stop::on_sigint),
    ("sigterm_ends_it_at_once_with_a_summary", stop::on_sigterm),
    ("a_pipe_that_closes_ends_it_quietly", stop::broken_pipe),
    (
        "a_file_takes_rows_before_the_end",
        output::rows_arrive_while_it_runs,
    ),
    (
        "an_unprivileged_user_is_told_what_is_missing",
        errors::unprivileged,
    ),
    ("a_pid_that_does_not_exist_is_an_error", errors::no_such_pid),
    ("an_unknown_hook_is_a_usage_error", errors::no_such_hook),
    (
        "a_hook_that_this_kernel_lacks_is_an_error_with_its_cause",
        errors::hooks_not_here,
    ),
];

/// What issue 4 and the rest of issue 3 ask, with the hook that the program chooses.
const CHOSEN: &[Test] = &[
    ("pid_tid_and_comm_keep_whom_they_name", keeping::by_task),
    ("user_keeps_the_real_user", keeping::by_user),
    (
        "cap_granted_and_denied_keep_what_they_name",
        keeping::by_check,
    ),
    (
        "cgroup_unit_and_container_keep_what_is_in_and_below",
        keeping::by_cgroup,
    ),
    (
        "namespaces_are_kept_by_number_and_by_process",
        keeping::by_namespace,
    ),
    ("filters_that_differ_are_joined_by_and", keeping::by_many),
    (
        "a_filter_by_what_does_not_exist_offers_the_nearest",
        limits::mistakes,
    ),
    (
        "unique_shows_once_what_repeats_by_each_rule",
        limits::unique,
    ),
    ("count_duration_and_timeout_end_it", limits::bounds),
    (
        "children_follows_descendants_and_those_to_come",
        descent::followed,
    ),
    (
        "json_of_100_000_checks_is_what_the_schema_says",
        formats::json_by_the_hundred_thousand,
    ),
    ("list_agrees_with_the_kernel", inspecting::list),
    (
        "inspect_agrees_with_getpcaps_for_ten_processes",
        inspecting::processes,
    ),
    (
        "inspect_agrees_with_getcap_for_ten_files",
        inspecting::files,
    ),
    (
        "a_mount_in_an_own_namespace_is_granted_by_the_bit_and_setns_by_ownership",
        meaning::own_namespace,
    ),
    (
        "access_and_copy_up_show_overridden_credentials",
        meaning::overridden,
    ),
    (
        "a_file_opened_by_another_shows_the_credentials_of_who_opened_it",
        meaning::opened_by_another,
    ),
    ("doctor_says_whether_tracing_works", conditions::doctor),
    (
        "without_addresses_it_says_so_and_traces",
        conditions::hidden_addresses,
    ),
    ("without_btf_it_says_so_and_traces", conditions::hidden_btf),
    (
        "two_capabilities_are_enough_to_trace",
        conditions::two_capabilities,
    ),
    (
        "in_a_pid_namespace_its_numbers_are_understood",
        inside::own_numbers,
    ),
    (
        "in_a_pid_namespace_the_tracer_knows_itself",
        inside::own_checks,
    ),
    (
        "in_a_pid_namespace_user_stacks_have_addresses_only",
        inside::user_stacks,
    ),
];

/// What runs in guests only: it takes privileges that this machine may not give away, makes cgroups,
/// or needs Debian's programs.
const GUESTS: &[Test] = &[
    ("run_follows_two_thousand_forks", programs::kinds::forks),
    (
        "run_is_complete_while_others_are_busy",
        programs::kinds::others_are_busy,
    ),
    ("run_follows_a_script", programs::kinds::script),
    ("run_follows_an_interpreter", programs::kinds::interpreted),
    (
        "run_follows_a_static_program",
        programs::kinds::linked_statically,
    ),
    (
        "run_follows_what_a_set_user_id_program_gains_or_not",
        programs::kinds::set_user_id,
    ),
    (
        "run_follows_what_file_capabilities_give_or_not",
        programs::kinds::file_capabilities,
    ),
    (
        "profile_of_a_unit_that_is_restarted_needs_what_it_starts_with",
        programs::service::restarted,
    ),
    (
        "profile_of_a_unit_that_rests_ends_in_time_and_needs_nothing",
        programs::service::timed,
    ),
];

/// What cannot be undone, and comes after everything else.
const LAST: &[Test] = &[("under_lockdown_it_says_so_and_traces", conditions::lockdown)];

/// `xtask guest tests`.
///
/// # Errors
/// When the scene cannot be built. A failed test is told by the exit code.
pub fn command(only: &[String]) -> Result<ExitCode> {
    let _folder = Folder::make()?;
    let machine = Machine::this()?;
    let kernel = machine.kernel;
    let bench = Bench {
        scene: Scene::build()?,
        machine,
        ways: ways(kernel),
    };
    let wanted =
        |name: &str| only.is_empty() || only.iter().any(|only| name.contains(only.as_str()));
    let mut tally = Tally::default();
    if degraded::is_locked_down() {
        // Other tests need what lockdown takes away.
        let name = "lockdown_is_named_or_does_not_matter";
        tally.record(name, degraded::lockdown(&bench));
        return Ok(tally.finish());
    }
    if wanted("agreement") {
        agreement::run(&bench, &mut tally)?;
    }
    for (name, test) in TESTS.iter().chain(CHOSEN).filter(|(name, _)| wanted(name)) {
        tally.record(name, test(&bench));
    }
    if in_virtual_machine() {
        for (name, test) in GUESTS.iter().filter(|(name, _)| wanted(name)) {
            tally.record(name, test(&bench));
        }
        programs::run(programs::Machine::Guest, wanted, &mut tally)?;
    }
    if wanted("random") {
        random::run(kernel, RANDOM_CHECKS, RANDOM_SEED, &mut tally)?;
    }
    for (name, test) in LAST.iter().filter(|(name, _)| wanted(name)) {
        tally.record(name, test(&bench));
    }
    Ok(tally.finish())
}
