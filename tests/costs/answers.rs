//! Answers that do not fit what was asked.

use serde_json::{Value, json};

use super::{COSTS, TODAY};
use crate::support::pretend::{Pretend, Reply};

/// A line of that day, or of the time at which it begins.
fn line(day: &str) -> Value {
    json!({"start_date": day, "product": "KAFKA", "line_type": "KAFKA_STORAGE", "amount": 1.5})
}

fn answering(lines: &'static [&'static str]) -> Pretend {
    Pretend::but("/billing/v1/costs", move |_| Reply::page(lines.iter().map(|day| line(day)), None))
}

#[test]
fn lines_of_other_days_than_were_asked_for_fail_the_stream() {
    for day in ["2026-04-30", "2026-05-12", "2025-05-09", "2020-01-01 00:00:00", "May 9"] {
        let service = answering(Vec::leak(vec!["2026-05-08", day]));
        let tap = service.tap().set("streams", json!([COSTS])).set("start_date", "2026-05-07").on(TODAY);
        let run = tap.run().expect_code(5);
        assert!(run.says("ERROR", &[COSTS, "start_date was not requested", "2026-05-07"]), "{day}");
        assert_eq!(run.bookmark(COSTS)["partition"], Value::Null, "{day}");
    }
}

#[test]
fn days_may_be_written_as_times_and_the_end_may_be_taken_for_the_last_day() {
    let days = &["2026-05-07", "2026-05-07 00:00:00", "2026-05-09T00:00:00Z", "2026-05-10"];
    let service = answering(days);
    let tap = service.tap().set("streams", json!([COSTS])).set("start_date", "2026-05-07").on(TODAY);
    assert_eq!(tap.run().expect_code(0).records(COSTS).len(), days.len());
}
