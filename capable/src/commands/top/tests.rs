//! What a user sees on screens of several sizes.

use std::{collections::HashMap, time::Duration};

use capable_common::Counters;
use unicode_width::UnicodeWidthStr as _;

use super::{
    frame::{Content, Line, NameSource, Style, View, help},
    group::Group,
    sample::Sample,
    sort::Sort,
};
use crate::{
    capability::Capability,
    event::{
        Facts, ProcessId,
        tests::{denied, granted, undecided},
    },
    kernel::trace::{attach::Missed, losses::tests::every_cause},
    session::{Counted, CountedStack, Losses, Who},
};

fn comm(name: &[u8]) -> [u8; 16] {
    let mut comm = [0; 16];
    comm[..name.len()].copy_from_slice(name);
    comm
}

fn counted(who: Who, facts: Facts, checks: u64) -> Counted {
    Counted {
        who,
        cgroup: Some(7),
        facts,
        syscall: None,
        stack: CountedStack::NotAsked,
        checks,
        first: 1,
    }
}

fn process(pid: u32, name: &str) -> Who {
    Who::Process(ProcessId { pid, started: 1 }, comm(name.as_bytes()))
}

/// Two readings, two seconds apart.
fn sample() -> Sample {
    let rows = |nginx, ping, cron| {
        [
            counted(
                process(300, "nginx"),
                granted(Capability::NET_BIND_SERVICE),
                nginx,
            ),
            counted(process(300, "nginx"), denied(Capability::SETUID), 3),
            counted(process(20, "ping"), denied(Capability::NET_RAW), ping),
            counted(
                process(1_000_000, "cron"),
                undecided(Capability::SYS_ADMIN),
                cron,
            ),
        ]
    };
    let first = Sample::default().next(&rows(100, 1, 9000), Duration::from_secs(2));
    first.next(&rows(120, 2001, 9001), Duration::from_secs(2))
}

struct Fixed;

impl NameSource for Fixed {
    fn cgroup(&mut self, id: u64) -> Vec<u8> {
        format!("/system.slice/unit-{id}.service").into_bytes()
    }

    fn command(&mut self, id: ProcessId) -> Option<Vec<u8>> {
        (id.pid == 20).then(|| b"ping -c 3 \x1b[31mexample".to_vec())
    }
}

fn view(group: Group, sort: Sort) -> View {
    View {
        group,
        sort,
        reversed: false,
        offset: 0,
    }
}

fn content(sample: &Sample, view: View) -> Content<'_> {
    Content {
        view,
        sample,
        losses: Losses::default(),
        counting: Duration::from_secs(3723),
        delay: Duration::from_secs(2),
        filters: "audited checks only (-v: all)",
        starts: Vec::new(),
    }
}

fn screen(group: Group, sort: Sort, width: usize, height: usize) -> Vec<Line> {
    content(&sample(), view(group, sort))
        .screen(width, height, &mut Fixed)
        .0
}

fn text(group: Group, sort: Sort) -> String {
    content(&sample(), view(group, sort)).text(Some(80), &mut Fixed)
}

/// The first words of the rows.
fn first_words(text: &str) -> Vec<&str> {
    text.lines()
        .skip(4)
        .map(|line| line.split_whitespace().next().unwrap_or_default())
        .collect()
}

#[test]
fn a_frame_has_the_size_of_the_screen_whatever_that_is() {
    for group in [
        Group::Check,
        Group::Process,
        Group::Capability,
        Group::Result,
        Group::Cgroup,
    ] {
        for (width, height) in [(80, 24), (200, 50), (40, 10), (10, 3), (1, 1), (0, 0)] {
            let lines = screen(group, Sort::Rate, width, height);
            assert_eq!(lines.len(), height, "{width}x{height}");
            for line in lines {
                assert_eq!(line.text.width(), width, "{width}x{height}: {line:?}");
            }
        }
    }
}

#[test]
fn rows_show_rates_and_totals_of_two_readings() {
    assert_eq!(
        text(Group::Check, Sort::Rate),
        "\
capable top: by check, sorted by rate, every 2 s, for 1:02:03
11125 checks, 1010/s, 0 lost: 120 granted, 2004 denied, 9001 unknown; 4 rows
audited checks only (-v: all)
    PID COMM            CAPABILITY             RESULT   CHECKS/S       TOTAL
     20 ping            CAP_NET_RAW            denied       1000        2001
    300 nginx           CAP_NET_BIND_SERVICE   granted        10         120
1000000 cron            CAP_SYS_ADMIN          -             0.5        9001
    300 nginx           CAP_SETUID             denied          0           3
"
    );
}

#[test]
fn the_title_fits_80_columns_however_the_table_is_looked_at() {
    let sample = sample();
    let longest = View {
        reversed: true,
        ..view(Group::Capability, Sort::Result)
    };
    let text = content(&sample, longest).text(None, &mut Fixed);
    let title = text.lines().next().unwrap();
    assert!(title.width() <= 80 && title.ends_with("1:02:03"), "{title}");
}

#[test]
fn the_keys_of_the_help_page_stand_below_each_other() {
    let lines = help(&[], 80, 40);
    let keys: Vec<_> = lines
        .iter()
        .skip(1)
        .take(2)
        .map(|line| &line.text[..4])
        .collect();
    assert_eq!(keys, ["  g ", "  c "]);
}

#[test]
fn each_order_is_what_its_key_says() {
    let pids = |sort| {
        first_words(&text(Group::Check, sort))
            .iter()
            .map(|word| word.parse().unwrap())
            .collect::<Vec<u32>>()
    };
    assert_eq!(pids(Sort::Rate), [20, 300, 1_000_000, 300]);
    assert_eq!(pids(Sort::Total), [1_000_000, 20, 300, 300]);
    assert_eq!(pids(Sort::Pid), [20, 300, 300, 1_000_000]);
    assert_eq!(pids(Sort::Name), [1_000_000, 300, 300, 20]);
    assert_eq!(pids(Sort::Result), [20, 300, 300, 1_000_000]);
}

#[test]
fn the_reverse_order_is_the_other_way_round() {
    let sample = sample();
    let reversed = View {
        reversed: true,
        ..view(Group::Capability, Sort::Name)
    };
    let text = content(&sample, reversed).text(Some(80), &mut Fixed);
    assert_eq!(
        first_words(&text),
        [
            "CAP_SYS_ADMIN",
            "CAP_SETUID",
            "CAP_NET_RAW",
            "CAP_NET_BIND_SERVICE"
        ]
    );
}

#[test]
fn groups_add_up_and_say_what_they_consist_of() {
    let table = |group| {
        let text = text(group, Sort::Total);
        let lines: Vec<String> = text.lines().skip(3).map(str::to_owned).collect();
        lines.join("\n")
    };
    assert_eq!(
        format!("\n{}", table(Group::Process)),
        "
    PID COMM             CHECKS/S       TOTAL    DENIED CAPABILITIES
1000000 cron                  0.5        9001         - SYS_ADMIN 9001
     20 ping                 1000        2001      2001 NET_RAW 2001
    300 nginx                  10         123         3 NET_BIND_SERVICE 120, S+"
    );
    assert_eq!(
        table(Group::Result),
        "\
RESULT   CHECKS/S       TOTAL CAPABILITIES
-             0.5        9001 SYS_ADMIN 9001
denied       1000        2004 NET_RAW 2001, SETUID 3
granted        10         120 NET_BIND_SERVICE 120"
    );
    assert_eq!(
        table(Group::Capability).lines().nth(1),
        Some("CAP_SYS_ADMIN                0.5        9001         - cron 9001")
    );
}

#[test]
fn a_wide_screen_shows_command_lines_that_cannot_steer_the_terminal() {
    let lines = screen(Group::Check, Sort::Rate, 200, 24);
    let ping = &lines[4];
    assert!(ping.text.contains(r"ping -c 3 \x1b[31mexample"), "{ping:?}");
    assert_eq!(ping.style, Style::Alarm);
    assert!(lines.iter().all(|line| !line.text.contains('\x1b')));
}

#[test]
fn a_narrow_screen_cuts_names_before_numbers() {
    let lines = screen(Group::Check, Sort::Rate, 60, 24);
    assert_eq!(
        lines[5].text,
        "    300 nginx     CAP_NET_BIN+ granted        10         120"
    );
}

#[test]
fn the_page_of_keys_says_what_this_kernel_does_not_tell() {
    let note = "unknown: the result: this kernel is built without what tells it".to_owned();
    let lines = help(&[note], 40, 40);
    let text: Vec<&str> = lines.iter().map(|line| line.text.trim_end()).collect();
    let at = text
        .iter()
        .position(|line| *line == "unknown: the result: this kernel is");
    assert_eq!(text[at.unwrap() + 1], "built without what tells it");
}

#[test]
fn scrolling_stops_where_the_rows_end() {
    let sample = sample();
    let far = View {
        offset: 1000,
        ..view(Group::Check, Sort::Pid)
    };
    let (lines, offset) = content(&sample, far).screen(80, 7, &mut Fixed);
    assert_eq!(offset, 2);
    assert!(lines[5].text.starts_with("1000000 cron"), "{lines:?}");
}

#[test]
fn every_loss_is_named_on_the_screen_and_in_the_text() {
    let (sample, losses) = (sample(), every_cause());
    let content = Content {
        losses: losses.clone(),
        ..content(&sample, view(Group::Check, Sort::Rate))
    };
    let text = content.text(None, &mut Fixed);
    assert!(
        text.contains(&format!(", {} lost: ", losses.counts())),
        "{text}"
    );
    for width in [200, 40] {
        let (screen, _) = content.screen(width, 60, &mut Fixed);
        let screen: Vec<_> = screen.iter().map(|line| line.text.trim_end()).collect();
        for loss in losses.iter() {
            let named = loss.to_string();
            assert!(text.lines().any(|line| line == named), "{named}: {text}");
            assert!(screen.join(" ").contains(&named), "{named}: {screen:?}");
        }
    }
}

/// Children that did not fit into their full table used to be lost silently.
#[test]
fn children_that_could_not_be_followed_are_told_of() {
    let sample = sample();
    let counters = Counters {
        lost_processes: 3,
        ..Counters::default()
    };
    let losses = Losses::of(&counters, Missed::default());
    let content = Content {
        losses: losses.clone(),
        ..content(&sample, view(Group::Check, Sort::Rate))
    };
    let text = content.text(None, &mut Fixed);
    assert!(
        text.contains("lost 3 processes: the table of processes was full"),
        "{text}"
    );
}

#[test]
fn ended_processes_go_together_by_name_and_make_no_rate() {
    let mut sample = sample();
    let ended = Who::Ended(comm(b"nginx"));
    let process = ProcessId {
        pid: 300,
        started: 1,
    };
    sample.fold(&HashMap::from([(
        Who::Process(process, comm(b"nginx")),
        ended,
    )]));
    let rows = [
        counted(ended, granted(Capability::NET_BIND_SERVICE), 124),
        counted(ended, denied(Capability::SETUID), 3),
    ];
    let next = sample.next(&rows, Duration::from_secs(2));
    let text = content(&next, view(Group::Process, Sort::Rate)).text(Some(80), &mut Fixed);
    let row = text.lines().nth(4).unwrap();
    assert_eq!(
        row.split_whitespace().take(4).collect::<Vec<_>>(),
        ["-", "nginx", "2.0", "127"]
    );
}

#[test]
fn cgroups_go_by_their_path() {
    let rows = [counted(process(20, "ping"), undecided(Capability::KILL), 4)];
    let sample = Sample::default().next(&rows, Duration::from_secs(1));
    let text = content(&sample, view(Group::Cgroup, Sort::Name)).text(Some(120), &mut Fixed);
    let row = text.lines().nth(4).unwrap();
    assert!(row.starts_with("/system.slice/unit-7.service"), "{row}");
    assert!(row.ends_with("- KILL 4"), "{row}");
}
