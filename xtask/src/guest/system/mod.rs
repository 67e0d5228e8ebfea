//! The tests that run in a guest with an installed system, where systemd is the first process.

mod accounts;
pub mod containers;
mod following;
mod memory;
mod shell;
mod units;

use std::env;
use std::process::ExitCode;

use anyhow::{Result, ensure};

use super::folder::Folder;
use super::tests::everyday;
use crate::SPECIALISE;
use crate::tally::Tally;

/// A test.
struct Test {
    /// A sentence that states what must hold.
    name: &'static str,
    /// Fails if the sentence is not true.
    run: fn() -> Result<()>,
}

impl Test {
    const fn new(name: &'static str, run: fn() -> Result<()>) -> Self {
        Self { name, run }
    }
}

/// The tests, in the order in which they run.
const TESTS: &[Test] = &[
    Test::new(
        "it_starts_beside_programs_of_roots_that_hold_more_locked_memory_than_the_limit",
        memory::beside_others,
    ),
    Test::new(
        "a_limit_on_locked_memory_that_cannot_be_lifted_is_named",
        memory::not_lifted,
    ),
    Test::new(
        "a_command_has_the_limit_on_locked_memory_that_its_user_had",
        memory::given_back,
    ),
    Test::new(
        "who_does_not_exist_is_named_though_modules_of_nsswitch_would_be_asked",
        accounts::unknown,
    ),
    Test::new(
        "users_that_only_a_module_knows_and_all_groups_of_a_user_are_found",
        accounts::dynamic,
    ),
    Test::new(
        "a_unit_is_that_of_the_system_and_not_one_of_a_user",
        units::of_the_system,
    ),
    Test::new(
        "a_user_unit_is_that_of_a_user_and_not_one_of_the_system",
        units::of_a_user,
    ),
    Test::new(
        "of_what_everyone_runs_nothing_is_needed_that_it_does_without",
        everyday::all,
    ),
    Test::new(
        "a_unit_is_followed_over_its_restarts_and_they_are_counted",
        following::over_restarts,
    ),
    Test::new(
        "a_unit_that_does_not_run_yet_is_waited_for_also_by_an_alias",
        following::to_come,
    ),
    Test::new(
        "a_unit_without_a_file_is_followed_by_its_whole_name",
        following::transient,
    ),
    Test::new(
        "instances_of_a_template_and_services_of_a_slice_are_followed_that_are_made_later",
        following::instances_and_slices,
    ),
    Test::new(
        "a_service_that_a_timer_starts_is_followed_each_time",
        following::by_timer,
    ),
    Test::new(
        "a_unit_of_a_user_is_followed_over_its_restart",
        following::of_a_user,
    ),
    Test::new(
        "a_unit_to_come_is_never_what_a_user_calls_so",
        following::not_a_users,
    ),
    Test::new(
        "a_profile_of_a_unit_sees_its_start_reload_restart_and_stop",
        following::profiled_from_its_start,
    ),
    Test::new(
        "the_counts_of_a_unit_go_on_over_its_restart_which_is_told",
        following::counted,
    ),
    Test::new(
        "a_unit_that_cannot_be_followed_is_traced_as_it_runs_and_that_is_said",
        following::refused,
    ),
];

/// The names of the tests.
pub fn names() -> Vec<String> {
    TESTS.iter().map(|test| test.name.to_owned()).collect()
}

/// `xtask guest system-tests`.
///
/// # Errors
/// If the folder for the tests cannot be made. The exit code tells whether a test failed.
pub fn command(only: &[String]) -> Result<ExitCode> {
    run(TESTS, only)
}

/// Runs those of some tests that are wanted.
fn run(tests: &[Test], only: &[String]) -> Result<ExitCode> {
    ensure!(
        env::var(SPECIALISE).as_deref() == Ok("yes"),
        "without {SPECIALISE}=yes a program that cannot be specialised would pass unseen"
    );
    let _folder = Folder::make()?;
    let mut tally = Tally::default();
    for test in tests {
        if only.is_empty() || only.iter().any(|only| test.name.contains(only.as_str())) {
            tally.record(test.name, (test.run)());
        }
    }
    Ok(tally.finish())
}
