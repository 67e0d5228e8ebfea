//! The set and what is known of it, for a program.

use std::os::unix::ffi::OsStrExt;

use serde::Serialize;

use super::{Emitter, ProgramNeeds, RunsAs};
use crate::capability::CapabilitySet;
use crate::document::Document;
use crate::escape::text_of;
use crate::profile::names;

/// Writes one JSON object over several lines.
pub(super) struct Json;

/// The object; the names are documented in docs/emitters.md.
#[derive(Serialize)]
struct Object<'a> {
    title: &'a str,
    #[serde(with = "names::set")]
    needed: CapabilitySet,
    #[serde(with = "names::set")]
    not_certain: CapabilitySet,
    #[serde(with = "names::set")]
    starting_only: CapabilitySet,
    #[serde(with = "names::set")]
    denied: CapabilitySet,
    #[serde(with = "names::set")]
    could_not_tell: CapabilitySet,
    incomplete: bool,
    nothing_observed: bool,
    user: Option<&'a str>,
    executable: Option<String>,
    unit: Option<&'a str>,
    image: Option<&'a str>,
    notes: Vec<String>,
}

impl Emitter for Json {
    fn emit(&self, needs: &ProgramNeeds, out: &mut String) {
        let object = Object {
            title: &needs.title,
            needed: needs.set,
            not_certain: needs.not_certain,
            starting_only: needs.starting_only,
            denied: needs.denied,
            could_not_tell: needs.could_not_tell,
            incomplete: needs.incomplete,
            nothing_observed: needs.nothing_observed,
            user: match &needs.runs_as {
                RunsAs::Root => Some("root"),
                RunsAs::User(user) => Some(user),
                RunsAs::Unknown => None,
            },
            executable: needs
                .executable
                .as_ref()
                .map(|file| text_of(file.as_os_str().as_bytes()).into_owned()),
            unit: needs.unit.as_deref(),
            image: needs.image.as_deref(),
            notes: needs.notes(),
        };
        // Strings, numbers and lists only, so serialising cannot fail.
        if let Ok(text) = Document::Needs.lines(&object) {
            out.push_str(&text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Consumer;
    use super::super::tests::needs;
    use super::*;
    use crate::schema::Schema;

    #[test]
    fn it_is_json_with_the_documented_names_and_null_for_unknown() {
        let mut needs = needs("net_raw,cap_41");
        needs.denied = "kill".parse().unwrap();
        needs.runs_as = RunsAs::Unknown;
        let value: serde_json::Value = serde_json::from_str(&Consumer::Json.emit(&needs)).unwrap();
        let mut schema = Schema::new(include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/docs/json-schema-report.json"
        )));
        schema.check(Some("needs"), &value);
        assert_eq!(value["schema"], "capable.needs/1");
        assert_eq!(
            value["needed"],
            serde_json::json!(["CAP_NET_RAW", "CAP_41"])
        );
        assert_eq!(value["denied"], serde_json::json!(["CAP_KILL"]));
        assert_eq!(value["user"], serde_json::Value::Null);
        assert_eq!(value["executable"], "/usr/bin/prog");
    }
}
