//! The part of a `config.json` that holds capabilities (OCI Runtime Specification, config.md,
//! "Linux Process").

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Emitter, ProgramNeeds, RunsAs, named};
use crate::profile::words::harmless;

/// Writes one JSON object to put over the `config.json` of a bundle. JSON has no comments, so what
/// could not be known is an annotation, which runtimes hand on and do not look at.
pub(super) struct Oci;

#[derive(Serialize)]
struct Config {
    annotations: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    process: Option<Process>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Process {
    capabilities: Capabilities,
    #[serde(skip_serializing_if = "Option::is_none")]
    no_new_privileges: Option<bool>,
}

/// The five sets, as capabilities(7) names them.
#[derive(Serialize)]
struct Capabilities {
    bounding: Vec<String>,
    effective: Vec<String>,
    inheritable: Vec<String>,
    permitted: Vec<String>,
    ambient: Vec<String>,
}

impl Emitter for Oci {
    fn emit(&self, needs: &ProgramNeeds, out: &mut String) {
        let mut notes = needs.notes();
        let process = (!needs.nothing_observed).then(|| {
            notes.push(
                "Put this over the config.json of the bundle: jq -s '.[0] * .[1]' config.json \
                 THIS_FILE. The set covers only what was profiled."
                    .to_owned(),
            );
            notes.extend(super::as_root_note(needs, "a container that runs as root"));
            notes.extend(super::no_new_privs_note(needs, "\"noNewPrivileges\": true"));
            process(needs)
        });
        let config = Config {
            annotations: BTreeMap::from([
                ("capable.notes", notes.join(" ")),
                ("capable.title", harmless(&needs.title)),
            ]),
            process,
        };
        // Strings, booleans and lists only, so serialising cannot fail.
        if let Ok(text) = serde_json::to_string_pretty(&config) {
            out.push_str(&text);
            out.push('\n');
        }
    }
}

/// Another user keeps only its ambient set over execve(2), which must be permitted and inheritable.
/// Root needs neither, and runtimes leave them empty for it (CVE-2022-24769).
fn process(needs: &ProgramNeeds) -> Process {
    let names: Vec<_> = named(needs.set).map(|each| each.to_string()).collect();
    let kept = match needs.runs_as {
        RunsAs::Root => Vec::new(),
        RunsAs::User(_) | RunsAs::Unknown => names.clone(),
    };
    Process {
        no_new_privileges: needs.gains_privileges.map(|gains| !gains),
        capabilities: Capabilities {
            bounding: names.clone(),
            effective: names.clone(),
            inheritable: kept.clone(),
            permitted: names,
            ambient: kept,
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::tests::needs;
    use super::super::{Consumer, RunsAs};

    fn emitted(needs: &super::ProgramNeeds) -> Value {
        serde_json::from_str(&Consumer::Oci.emit(needs)).unwrap()
    }

    #[test]
    fn root_gets_three_sets_and_another_user_all_five() {
        let mut needs = needs("net_raw");
        assert_eq!(
            emitted(&needs)["process"],
            json!({
                "capabilities": {
                    "bounding": ["CAP_NET_RAW"],
                    "effective": ["CAP_NET_RAW"],
                    "inheritable": [],
                    "permitted": ["CAP_NET_RAW"],
                    "ambient": [],
                },
                "noNewPrivileges": true,
            })
        );
        for runs_as in [RunsAs::User("nobody".to_owned()), RunsAs::Unknown] {
            needs.runs_as = runs_as;
            let sets = &emitted(&needs)["process"]["capabilities"];
            for set in [
                "bounding",
                "effective",
                "inheritable",
                "permitted",
                "ambient",
            ] {
                assert_eq!(sets[set], json!(["CAP_NET_RAW"]), "{set}");
            }
        }
    }

    #[test]
    fn no_new_privs_is_taken_away_where_the_program_gains_privileges() {
        let mut needs = needs("net_raw");
        needs.gains_privileges = Some(true);
        assert_eq!(emitted(&needs)["process"]["noNewPrivileges"], false);
        needs.gains_privileges = None;
        assert_eq!(emitted(&needs)["process"]["noNewPrivileges"], Value::Null);
    }

    #[test]
    fn of_nothing_observed_no_sets_are_written() {
        let mut needs = needs("none");
        needs.nothing_observed = true;
        let config = emitted(&needs);
        assert_eq!(config["process"], Value::Null);
        let notes = config["annotations"]["capable.notes"].as_str().unwrap();
        assert!(notes.contains("No check was seen"), "{notes}");
    }
}
