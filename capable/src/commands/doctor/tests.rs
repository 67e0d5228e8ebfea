//! The report about the running kernel, and about one that lacks everything.

use super::*;

/// The running kernel, with all of these forced to no.
fn without(parts: &[&str]) -> Features {
    let mut features = calibration::probe();
    for (name, support) in features.parts() {
        if parts.contains(&name) {
            *support = Support::No(Lack::with_remedy(format!("no {name}"), "a remedy"));
        }
    }
    features
}

/// The line of the table that begins with this label.
fn line(features: &Features, label: &str) -> String {
    let plan = plan(features, &Choice::default());
    let text = text(features, &requirements(features, &plan), &plan);
    let found = text.lines().find(|line| line.starts_with(label));
    found.unwrap_or_else(|| panic!("{text}")).to_owned()
}

#[test]
fn every_lack_in_the_table_comes_with_its_reason_and_its_remedy() {
    let features = without(&["SYMBOLS", "KERNEL_READS"]);
    for (label, reason) in [
        ("addresses of kernel functions", "no SYMBOLS; a remedy"),
        ("reading kernel memory", "no KERNEL_READS; a remedy"),
    ] {
        let line = line(&features, label);
        assert!(line.contains(" no ") && line.ends_with(reason), "{line}");
    }
}

#[test]
fn a_lack_that_the_plan_does_without_is_said_to_be_no_harm() {
    let mut features = without(&["KPROBE", "KRETPROBE", "FEXIT", "RING_BUFFER"]);
    for (name, support) in features.parts() {
        if ["BPF", "BTF", "TRACEPOINT", "PERF_EVENTS"].contains(&name) {
            *support = Support::Yes;
        }
    }
    for (label, expected) in [
        (
            "fexit programs",
            "no FEXIT; not needed, because tracepoint works",
        ),
        (
            "BPF ring buffer",
            "no RING_BUFFER; not needed, because perf works",
        ),
    ] {
        let line = line(&features, label);
        assert!(line.ends_with(expected), "{line}");
    }
    for (name, support) in features.parts() {
        if name == "TRACEPOINT" {
            *support = Support::no("no TRACEPOINT");
        }
    }
    let line = line(&features, "fexit programs");
    assert!(line.ends_with("no FEXIT; a remedy"), "{line}");
}

#[test]
fn without_privileges_a_hook_that_is_not_there_need_not_be_missed() {
    let mut features = without(&["BPF", "KPROBE"]);
    for (name, support) in features.parts() {
        if name == "TRACEPOINT" {
            *support = Support::unknown("not tried");
        }
    }
    let open = line(&features, "kprobes");
    assert!(
        open.ends_with(
            "no KPROBE; another hook may work: run capable doctor as root (sudo) to see"
        ),
        "{open}"
    );
    let mut features = without(&["BPF", "KPROBE", "KRETPROBE", "FEXIT", "TRACEPOINT"]);
    features.bpf = Support::no("no BPF");
    let sure = line(&features, "kprobes");
    assert!(sure.ends_with("no KPROBE; a remedy"), "{sure}");
}

#[test]
fn where_nothing_can_be_loaded_the_end_says_so_and_the_json_too() {
    let features = without(&["BPF"]);
    let plan = plan(&features, &Choice::default());
    assert_eq!(works(&plan), Some(false));
    let requirements = requirements(&features, &plan);
    let text = text(&features, &requirements, &plan);
    assert!(
        text.ends_with(":\n  cannot load BPF programs: no BPF; a remedy\n"),
        "{text}"
    );
    let json = json(&features, &requirements, &plan).unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["works"], false);
    assert_eq!(json["plan"], serde_json::Value::Null);
    assert_eq!(json["error"], "cannot load BPF programs: no BPF; a remedy");
}

#[test]
fn json_gives_null_for_what_could_not_be_told() {
    let mut features = calibration::probe();
    features.fexit = Support::unknown("not tried");
    let plan = plan(&features, &Choice::default());
    let json = json(&features, &requirements(&features, &plan), &plan);
    let json: serde_json::Value = serde_json::from_str(&json.unwrap()).unwrap();
    let requirements = json["requirements"].as_array().unwrap();
    let fexit = requirements
        .iter()
        .find(|it| it["name"] == "fexit")
        .unwrap();
    assert_eq!(fexit["works"], serde_json::Value::Null);
    assert_eq!(fexit["reason"], "not tried");
}

#[test]
fn a_plan_in_doubt_is_no_promise() {
    let mut features = without(&[]);
    for (_, support) in features.parts() {
        *support = Support::unknown("not tried");
    }
    let plan = plan(&features, &Choice::default());
    assert_eq!(works(&plan), None);
    let text = text(&features, &requirements(&features, &plan), &plan);
    assert!(text.contains("Tracing may work"), "{text}");
}

#[test]
fn what_will_be_unknown_is_listed_with_the_reason_and_the_remedy() {
    let mut features = without(&["SYMBOLS"]);
    for (name, support) in features.parts() {
        if ["BPF", "BTF", "TRACEPOINT", "KERNEL_READS", "RING_BUFFER"].contains(&name) {
            *support = Support::Yes;
        }
    }
    let plan = plan(&features, &Choice::default());
    let text = text(&features, &requirements(&features, &plan), &plan);
    for part in [
        "A trace will not show the following, because no SYMBOLS:\n  ",
        "\n  names of kernel functions: the caller and kernel stacks\n",
        "\n  To see them: a remedy\n",
    ] {
        assert!(text.contains(part), "{text}");
    }
}
