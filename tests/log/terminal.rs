//! What is said on a terminal: a live display that is gone in the end, lines of the log without timestamps,
//! and verdicts instead of messages where a person tests the settings.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use simulator::Simulator;

use crate::support::pretend::{Asked, Pretend, Reply, ordinary};
use crate::support::{LEVELS, Message, STREAMS, Seen, Tap, Terminal, bare, eventually, parse, polite, tap};

fn is_logged(line: &str) -> bool {
    LEVELS.iter().any(|level| line.starts_with(level))
}

/// A service that answers for the second page of users once it may, and refuses invitations at length.
struct Slow {
    service: Pretend,
    may_go_on: Arc<AtomicBool>,
}

impl Slow {
    fn start() -> Self {
        let may_go_on = Arc::new(AtomicBool::new(false));
        let may = Arc::clone(&may_go_on);
        let answer = move |asked: &Asked| match (asked.path.as_str(), asked.parameter("page_token")) {
            ("/iam/v2/users", None) => Reply::page([json!({"id": "u-1"})], Some("second")),
            ("/iam/v2/users", Some(_)) => {
                eventually("the second page may come", || may.load(Ordering::Relaxed));
                Reply::page([json!({"id": "u-2"})], None)
            }
            ("/iam/v2/invitations", _) => Reply::new(500, "no way ".repeat(60)),
            _ => ordinary(asked),
        };
        Self { service: Pretend::start(answer), may_go_on }
    }

    /// A run that has come to the second page of users; all other streams have ended.
    fn tap(&self) -> Tap<'static> {
        self.service.tap().set("max_retries", 0)
    }

    fn go_on(&self) {
        self.may_go_on.store(true, Ordering::Relaxed);
    }
}

/// Waits until users alone are being read, and shown.
fn wait_for_users(terminal: &Terminal) {
    let shown = |line: &String| !is_logged(line) && line.contains("users: 1 records, 1 pages, 0 s");
    eventually("the display shows users alone", || {
        let screen = terminal.screen();
        screen.len() == 5 && screen.last().is_some_and(shown)
    });
}

#[test]
fn the_live_display_stays_below_the_log_and_is_removed_at_the_end() {
    let slow = Slow::start();
    let mut terminal = slow.tap().on_terminal(Seen::Stderr);
    wait_for_users(&terminal);
    let mut screen = terminal.screen();
    screen.pop();
    assert!(screen.iter().all(|line| is_logged(line)), "{screen:?}");
    slow.go_on();
    let (code, stdout) = terminal.finish();
    assert_eq!(code, Some(4), "exit code");
    let screen = terminal.screen();
    assert!(screen.iter().all(|line| is_logged(line)), "{screen:?}");
    let long = screen.iter().find(|line| line.starts_with("ERROR invitations: not complete")).unwrap();
    assert!(long.len() > 300 && long.contains(&"no way ".repeat(20)), "{long}");
    assert!(screen.iter().any(|line| line.starts_with("INFO users: complete, records 2, pages 2")));
    assert!(screen.last().unwrap().starts_with("INFO 3 of 4 streams"), "{screen:?}");
    assert!(terminal.written().ends_with('\n'), "the last line is not ended");
    parse(&stdout).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn the_display_keeps_within_a_small_terminal() {
    let may_end = Arc::new(AtomicBool::new(false));
    let may = Arc::clone(&may_end);
    let service = Pretend::start(move |asked| {
        if asked.path.starts_with("/iam/v2/") {
            eventually("pages may come", || may.load(Ordering::Relaxed));
        }
        ordinary(asked)
    });
    let mut terminal = service.tap().on_terminal_of(Seen::Stderr, 3, 16);
    let of_display = |text: &str| -> Vec<String> {
        let is_drawn = |line: &&str| line.starts_with(|c| ('\u{2800}'..='\u{28ff}').contains(&c));
        text.lines().map(|line| line.trim_end_matches('\r')).filter(is_drawn).map(str::to_owned).collect()
    };
    // Each time it is drawn, it goes up over what was drawn, and erases that.
    let drawn = || -> Vec<Vec<String>> { terminal.written().split("\u{1b}[J").map(of_display).collect() };
    eventually("two of four streams are shown, as there is room", || {
        drawn().iter().filter(|lines| lines.len() == 2).count() > 3
    });
    for lines in drawn() {
        assert!(lines.len() <= 2 && lines.iter().all(|line| line.chars().count() <= 16), "{lines:?}");
    }
    may_end.store(true, Ordering::Relaxed);
    assert_eq!(terminal.finish().0, Some(0), "exit code");
    let last = terminal.written();
    assert!(of_display(last.rsplit("\u{1b}[J").next().unwrap()).is_empty(), "it is left behind: {last}");
}

#[test]
fn a_signal_leaves_no_display_behind() {
    let slow = Slow::start();
    let mut terminal = slow.tap().on_terminal(Seen::Stderr);
    wait_for_users(&terminal);
    terminal.signal("INT");
    let (code, _) = terminal.finish();
    assert_eq!(code, None, "it dies of the signal");
    let screen = terminal.screen();
    assert!(screen.iter().all(|line| is_logged(line)), "{screen:?}");
    assert!(screen.last().unwrap().starts_with("WARN stopped by a signal"), "{screen:?}");
}

#[test]
fn closing_the_terminal_does_not_end_the_run() {
    let slow = Slow::start();
    let mut terminal = slow.tap().on_terminal(Seen::Stderr);
    wait_for_users(&terminal);
    terminal.hang_up();
    slow.go_on();
    let (code, stdout) = terminal.finish();
    assert_eq!(code, Some(4), "exit code");
    let messages = parse(&stdout).unwrap_or_else(|error| panic!("{error}"));
    let users = |message: &&Message| matches!(message, Message::Record { stream, .. } if stream == "users");
    assert_eq!(messages.iter().filter(users).count(), 2);
}

#[test]
fn closing_a_terminal_that_nobody_reads_does_not_end_the_run() {
    let may_end = Arc::new(AtomicBool::new(false));
    let may = Arc::clone(&may_end);
    let service = Pretend::but("/iam/v2/users", move |asked| {
        let number: u64 = asked.parameter("page_token").map_or(0, |token| token.parse().unwrap());
        let next = (number + 1).to_string();
        Reply::page([json!({"id": format!("u-{number}")})], (!may.load(Ordering::Relaxed)).then_some(&next))
    });
    let mut terminal = service.tap().args(["--log-level", "debug"]).on_terminal(Seen::Stderr);
    terminal.stall();
    let (mut pages, mut since) = (0, Instant::now());
    eventually("the terminal takes no more, so that nothing is asked for", || {
        let asked = service.asked("/iam/v2/users").len();
        if asked != pages {
            (pages, since) = (asked, Instant::now());
        }
        pages > 0 && since.elapsed() > Duration::from_millis(300)
    });
    terminal.hang_up();
    may_end.store(true, Ordering::Relaxed);
    let (code, stdout) = terminal.finish();
    assert_eq!(code, Some(0), "exit code");
    parse(&stdout).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn nothing_is_drawn_where_it_is_unwanted_or_impossible() {
    let sim = Simulator::start(polite());
    let table: [(&str, Tap<'_>, Seen, bool); 8] = [
        ("a terminal", tap(&sim), Seen::Stderr, true),
        ("without colours", tap(&sim).env("NO_COLOR", "1"), Seen::Stderr, true),
        ("a dumb terminal", tap(&sim).env("TERM", "dumb"), Seen::Stderr, false),
        ("fewer words", tap(&sim).args(["--log-level", "warn"]), Seen::Stderr, false),
        ("objects", tap(&sim).args(["--log-format", "json"]), Seen::Stderr, false),
        ("a file of errors", tap(&sim), Seen::Stdout, false),
        ("messages on the same terminal", tap(&sim), Seen::Both, false),
        ("Airbyte", tap(&sim).verb("check"), Seen::Stderr, false),
    ];
    for (name, tap, seen, is_drawn) in table {
        let mut terminal = tap.set("page_size", 20).on_terminal(seen);
        let (code, piped) = terminal.finish();
        assert_eq!(code, Some(0), "exit code");
        assert!(!piped.contains('\u{1b}'), "{name}: an escape sequence in a pipe");
        let sequences: BTreeSet<Option<char>> = terminal
            .written()
            .split("\u{1b}[")
            .skip(1)
            .map(|rest| rest.chars().find(|c| !c.is_numeric()))
            .collect();
        // Up, and erase what is below: no colours.
        let expected = if is_drawn { "AJ" } else { "" };
        assert_eq!(sequences, expected.chars().map(Some).collect(), "{name}: {}", terminal.written());
    }
    // A file instead of a terminal.
    let run = tap(&sim).run().expect_code(0);
    assert!(!run.stderr.contains('\u{1b}'));
}

#[test]
fn lines_have_a_timestamp_except_on_a_terminal() {
    let wrong = || bare().args(["--config", "nowhere.json"]);
    let mut terminal = wrong().on_terminal(Seen::Both);
    assert_eq!(terminal.finish().0, Some(2), "exit code");
    assert!(terminal.screen()[0].starts_with("ERROR config nowhere.json"), "{:?}", terminal.screen());
    let mut terminal = wrong().on_terminal(Seen::Stdout);
    let (_, stderr) = terminal.finish();
    let (stamp, words) = stderr.split_once(' ').unwrap();
    assert!(words.starts_with("ERROR config nowhere.json"), "{stderr}");
    assert!(stamp.len() == 20 && stamp.ends_with('Z'), "{stderr}");
}

#[test]
fn a_test_on_a_terminal_prints_a_verdict_on_each_stream() {
    let sim = Simulator::start(polite().service_accounts(0).refuse("invitations"));
    for seen in [Seen::Both, Seen::Stdout] {
        let mut terminal = tap(&sim).arg("--test").on_terminal(seen);
        let (code, stderr) = terminal.finish();
        assert_eq!(code, Some(3), "exit code");
        let screen = terminal.screen();
        let mut verdicts: Vec<_> = screen.iter().filter(|line| !is_logged(line)).cloned().collect();
        assert_eq!(verdicts.pop().as_deref(), Some("3 of 4 streams can be read"));
        verdicts.sort();
        assert!(verdicts[0].starts_with("invitations       denied: the owner of the API key"), "{screen:?}");
        assert!(verdicts[0].contains("403"), "{screen:?}");
        let others = [
            "role_bindings     1 record read",
            "service_accounts  no records",
            "users             1 record read",
        ];
        assert_eq!(verdicts[1..], others);
        for told in [&screen.join("\n"), &stderr] {
            assert!(!told.contains("ERROR") && !told.contains("RECORD"), "it is told twice: {told}");
        }
    }
    // Through a pipe come messages, whatever stderr is.
    let mut terminal = tap(&sim).arg("--test").on_terminal(Seen::Stderr);
    let (code, stdout) = terminal.finish();
    assert_eq!(code, Some(3), "exit code");
    let records =
        parse(&stdout).unwrap().into_iter().filter(|message| matches!(message, Message::Record { .. }));
    assert_eq!(records.count(), 2);
    assert!(terminal.screen().iter().any(|line| line.starts_with("ERROR invitations: not readable")));
}

#[test]
fn a_verdict_is_one_line_of_plain_text() {
    let service =
        Pretend::but("/iam/v2/users", |_| Reply::new(500, "\u{1b}[31mred\u{202e}\nusers  1 record read"));
    let mut terminal = service.tap().set("max_retries", 0).arg("--test").on_terminal(Seen::Stdout);
    assert_eq!(terminal.finish().0, Some(4), "exit code");
    assert!(!terminal.written().contains(['\u{1b}', '\u{202e}']), "{}", terminal.written());
    let screen = terminal.screen();
    assert_eq!(screen.len(), STREAMS.len() + 1, "{screen:?}");
    assert!(screen.iter().any(|line| line.starts_with("users             unavailable: ")), "{screen:?}");
}
