//! A service in a compose file (compose-spec, 05-services.md: `cap_add`, `cap_drop`,
//! `security_opt`).

use super::{
    Emitter, ProgramNeeds, RunsAs, as_root_note, bare_names, comment, docker, may_set_no_new_privs,
    needs_file_capabilities, no_new_privs_note,
};

/// Writes the keys of one service.
pub(super) struct Compose;

impl Emitter for Compose {
    fn emit(&self, needs: &ProgramNeeds, out: &mut String) {
        super::preamble(out, needs, "Compose service");
        comment(
            out,
            "Use it on top of the file that defines the service: docker compose -f compose.yaml -f \
             THIS_FILE up. The set covers only what was profiled: an entry point in the image may \
             need more.",
        );
        if let Some(note) = as_root_note(needs, "a container that runs as root") {
            comment(out, &note);
        }
        let from_file = needs_file_capabilities(needs);
        if from_file {
            comment(out, docker::FROM_FILE);
        } else if let Some(note) =
            no_new_privs_note(needs, "security_opt: [no-new-privileges:true]")
        {
            comment(out, &note);
        }
        if needs.service.is_none() {
            comment(
                out,
                "The service is not known: put its name in place of SERVICE.",
            );
        }
        let service = scalar(needs.service.as_deref().unwrap_or("SERVICE"));
        out.push_str(&format!("services:\n  {service}:\n"));
        out.push_str("    cap_drop:\n      - ALL\n");
        let names = bare_names(needs.set);
        if !names.is_empty() {
            out.push_str("    cap_add:\n");
            for name in names {
                out.push_str(&format!("      - {name}\n"));
            }
        }
        if may_set_no_new_privs(needs) && !from_file {
            out.push_str("    security_opt:\n      - no-new-privileges:true\n");
        }
        if let RunsAs::User(user) = &needs.runs_as {
            out.push_str(&format!("    user: {}\n", scalar(user)));
        }
    }
}

/// The text as a YAML scalar that is read as a string: plain if nothing in it can mean anything
/// else, otherwise as a JSON string, which YAML 1.2 accepts.
fn scalar(text: &str) -> String {
    let mut characters = text.chars();
    let plain = characters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic())
        && characters.all(|each| each.is_ascii_alphanumeric() || "_-".contains(each));
    let word = !matches!(
        text.to_ascii_lowercase().as_str(),
        "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n"
    );
    if plain && word {
        text.to_owned()
    } else {
        serde_json::Value::from(text).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Consumer;
    use super::super::tests::{lines, needs};
    use super::*;

    #[test]
    fn a_service_drops_everything_and_adds_its_needs() {
        let mut needs = needs("net_raw,chown");
        needs.service = Some("web".to_owned());
        assert_eq!(
            lines(Consumer::Compose, &needs).join("\n"),
            "services:\n  web:\n    cap_drop:\n      - ALL\n    cap_add:\n      - CHOWN\n      \
             - NET_RAW\n    security_opt:\n      - no-new-privileges:true"
        );
    }

    #[test]
    fn an_empty_set_has_no_list_of_additions() {
        let text = Consumer::Compose.emit(&needs("none"));
        assert!(text.contains("cap_drop:\n      - ALL\n"), "{text}");
        assert!(!text.contains("cap_add"), "{text}");
    }

    #[test]
    fn a_name_that_yaml_would_take_for_something_else_is_quoted() {
        assert_eq!(scalar("web-1"), "web-1");
        assert_eq!(scalar("no"), "\"no\"");
        assert_eq!(scalar("1000"), "\"1000\"");
        assert_eq!(scalar("a: b\n"), "\"a: b\\n\"");
        assert_eq!(scalar(""), "\"\"");
    }
}
