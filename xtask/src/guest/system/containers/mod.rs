//! Containers, made by each engine and runtime that Debian has, with each way to make cgroups.

mod engine;
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
        "a_container_that_is_made_during_a_trace_has_its_name_from_its_first_check_on",
        shown::from_the_first_check,
    ),
    // Docker takes another way from here on.
    Test::new(
        "a_container_of_docker_without_systemd_is_found_by_its_name_and_its_id",
        || shown::by_name_and_id(&engine::DOCKER_CGROUPFS),
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
