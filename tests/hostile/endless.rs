//! Answers that never end: each is bounded, in time and in memory, and ends with the request's id.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::support::pretend::{Asked, Pretend, Reply, ordinary};
use crate::support::{MEMORY, Run, Tap};

/// Every page of this path has a next link that was never seen before, and rows that the function makes of
/// the page's number.
fn endless(path: &'static str, rows: impl Fn(usize) -> Vec<Value> + Send + Sync + 'static) -> Pretend {
    let pages = AtomicUsize::new(0);
    Pretend::but(path, move |_| {
        let page = pages.fetch_add(1, Ordering::SeqCst);
        Reply::page(rows(page), Some(&format!("token-{page}")))
    })
}

#[track_caller]
fn run(tap: Tap<'_>) -> Run {
    let (run, peak) = tap.spawn().finish_measured();
    assert!(peak < MEMORY, "it had {peak} KiB in memory");
    assert!(run.seconds < 30.0, "it took {:.1} s", run.seconds);
    run
}

#[test]
fn a_stream_of_empty_pages_ends_after_a_thousand() {
    let service = endless("/iam/v2/users", |_| Vec::new());
    let run = run(service.tap()).expect_code(5);
    assert!(run.says("ERROR", &["users", "1000", "empty pages", "req-pretend-1"]));
    assert_eq!(service.asked("/iam/v2/users").len(), 1000);
    assert_eq!(run.ids("service_accounts"), ["sa-1"], "the others are read");
}

#[test]
fn a_few_empty_pages_in_a_row_neither_end_nor_break_a_stream() {
    let service = Pretend::start(|asked: &Asked| {
        let page: usize = asked.parameter("page_token").map_or(0, |token| token.parse().unwrap());
        match asked.path.as_str() {
            "/iam/v2/users" if page < 1998 => {
                let rows = (page % 999 == 998).then(|| json!({"id": format!("u-{page}")}));
                Reply::page(rows, Some(&(page + 1).to_string()))
            }
            "/iam/v2/users" => Reply::page([json!({"id": "u-last"})], None),
            _ => ordinary(asked),
        }
    });
    let run = run(service.tap()).expect_code(0);
    assert_eq!(run.ids("users"), ["u-998", "u-1997", "u-last"]);
}

#[test]
fn a_look_up_of_empty_pages_ends_after_a_thousand() {
    for (path, code) in [("/org/v2/organizations", 5), ("/org/v2/environments", 5)] {
        let service = endless(path, |_| Vec::new());
        let tap = service.tap().set("streams", json!(["kafka_clusters"]));
        let run = run(tap).expect_code(code);
        assert!(run.says("ERROR", &["1000 empty pages", "req-pretend-1"]), "{path}");
        assert_eq!(service.asked(path).len(), 1000);
    }
}

#[test]
fn a_look_up_of_ever_new_rows_ends_within_memory() {
    let long = "x".repeat(20_000);
    let few = |page: usize| vec![json!({"id": format!("env-{page}"), "display_name": "x".repeat(10_000)})];
    let many = |page: usize| -> Vec<Value> {
        (0..1000).map(|row| json!({"id": format!("env-{page}-{row}")})).collect()
    };
    let wide = move |page: usize| {
        let name = json!({"resource_name": long, "other": long});
        vec![json!({"id": format!("env-{page}"), "display_name": long, "metadata": name})]
    };
    for (path, streams) in [("/org/v2/organizations", "users"), ("/org/v2/environments", "kafka_clusters")] {
        for (rows, words) in [(few(0), "1000 pages"), (many(0), "100000 rows"), (wide(0), "1000 pages")] {
            let service = endless(path, move |page| renumbered(&rows, page));
            let run = run(service.tap().set("streams", json!([streams]))).expect_code(5);
            assert!(run.says("ERROR", &[words, "req-pretend-1"]), "{path}: {words}");
            assert!(service.asked(path).len() <= 1001);
        }
    }
}

/// The same rows under other ids.
fn renumbered(rows: &[Value], page: usize) -> Vec<Value> {
    let mut rows = rows.to_vec();
    for (number, row) in rows.iter_mut().enumerate() {
        row["id"] = json!(format!("env-{page}-{number}"));
    }
    rows
}

#[test]
fn a_look_up_that_repeats_a_token_ends() {
    let service = Pretend::start(|asked| match asked.path.as_str() {
        "/org/v2/organizations" => Reply::page([json!({"id": "o-1"})], Some("again")),
        _ => ordinary(asked),
    });
    drop(run(service.tap()).expect_refusal(5, ["repeated page token", "req-pretend-1"]));
}
