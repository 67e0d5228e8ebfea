//! Containers, made by each engine and runtime that Debian has, with each way to make cgroups.

mod engine;
mod imitation;
mod shown;

use std::process::ExitCode;

use anyhow::Result;

use super::Test;

/// The tests, in the order in which they run.
const TESTS: &[Test] = &[
    Test::new(
        "a_container_of_podman_is_found_by_its_name_and_its_id",
        || shown::by_name_and_id(&engine::PODMAN),
    ),
    Test::new(
        "a_container_of_podman_without_systemd_is_found_by_its_name_and_its_id",
        || shown::by_name_and_id(&engine::PODMAN_CGROUPFS),
    ),
    Test::new(
        "a_container_of_docker_is_found_by_its_name_and_its_id",
        || shown::by_name_and_id(&engine::DOCKER),
    ),
    Test::new("a_container_of_containerd_is_found_by_its_id", || {
        shown::by_name_and_id(&engine::CONTAINERD)
    }),
    Test::new("a_container_of_kubernetes_is_shown_with_its_pod", || {
        shown::by_name_and_id(&engine::KUBERNETES)
    }),
    Test::new("a_container_of_crun_is_found_by_its_id", || {
        shown::by_name_and_id(&engine::CRUN)
    }),
    Test::new(
        "a_container_of_crun_without_systemd_is_found_by_its_id",
        || shown::by_name_and_id(&engine::CRUN_CGROUPFS),
    ),
    Test::new("a_container_of_runc_is_found_by_its_id", || {
        shown::by_name_and_id(&engine::RUNC)
    }),
    Test::new(
        "a_container_of_runc_without_systemd_is_found_by_its_id",
        || shown::by_name_and_id(&engine::RUNC_CGROUPFS),
    ),
    Test::new("a_machine_of_nspawn_is_found_by_its_name", || {
        shown::by_name_and_id(&engine::NSPAWN)
    }),
    Test::new("a_container_of_lxc_is_found_by_its_name", || {
        shown::by_name_and_id(&engine::LXC)
    }),
    Test::new(
        "a_container_is_not_found_by_the_beginning_of_its_name",
        shown::not_by_the_beginning_of_a_name,
    ),
    Test::new(
        "a_container_that_is_made_during_a_trace_has_its_name_from_its_first_check_on",
        shown::from_the_first_check,
    ),
    Test::new(
        "a_container_of_podman_that_is_to_come_is_traced_from_its_first_check_on",
        || shown::to_come(&engine::PODMAN),
    ),
    Test::new(
        "a_container_of_podman_without_systemd_that_is_to_come_is_traced_from_its_first_check_on",
        || shown::to_come(&engine::PODMAN_CGROUPFS),
    ),
    Test::new(
        "a_container_of_podman_in_a_service_that_is_to_come_is_traced_from_its_first_check_on",
        || shown::to_come(&engine::PODMAN_SPLIT),
    ),
    Test::new(
        "a_container_of_docker_that_is_to_come_is_traced_from_its_first_check_on",
        || shown::to_come(&engine::DOCKER),
    ),
    Test::new(
        "a_container_of_containerd_that_is_to_come_is_traced_from_its_first_check_on",
        || shown::to_come(&engine::CONTAINERD),
    ),
    Test::new(
        "a_container_of_crun_that_is_to_come_is_traced_from_its_first_check_on",
        || shown::to_come(&engine::CRUN),
    ),
    Test::new(
        "a_machine_of_nspawn_that_is_to_come_is_traced_from_its_first_check_on",
        || shown::to_come(&engine::NSPAWN),
    ),
    Test::new(
        "a_container_of_lxc_that_is_to_come_is_traced_from_its_first_check_on",
        || shown::to_come(&engine::LXC),
    ),
    Test::new(
        "a_container_is_followed_when_it_starts_again_and_when_another_has_its_name",
        shown::again,
    ),
    Test::new(
        "a_profile_of_a_container_that_is_to_come_has_what_it_needed_first",
        shown::profile_to_come,
    ),
    Test::new(
        "what_a_service_calls_a_container_is_not_taken_for_that",
        imitation::by_a_service,
    ),
    Test::new(
        "what_a_container_calls_a_container_is_not_taken_for_that",
        imitation::by_a_container,
    ),
    // Docker takes another way from here on.
    Test::new(
        "a_container_of_docker_without_systemd_is_found_by_its_name_and_its_id",
        || shown::by_name_and_id(&engine::DOCKER_CGROUPFS),
    ),
    Test::new(
        "a_container_of_docker_without_systemd_that_is_to_come_is_traced_from_its_first_check_on",
        || shown::to_come(&engine::DOCKER_CGROUPFS),
    ),
];

/// The names of the tests.
pub fn names() -> Vec<String> {
    TESTS.iter().map(|test| test.name.to_owned()).collect()
}

/// `xtask guest container-tests`.
///
/// # Errors
/// If they cannot begin. The exit code tells whether a test failed.
pub fn command(only: &[String]) -> Result<ExitCode> {
    super::run(TESTS, only)
}
