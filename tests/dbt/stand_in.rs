//! DEVELOPMENT ONLY, to be removed: what the stream `extractions` is going to send.

use serde_json::json;

use super::warehouse::STREAMS;
use crate::support::Run;

pub fn messages(run: &Run, day: &str, organization: &str) -> String {
    let times = ["pass_started_at", "started_at", "ended_at"];
    let texts = [
        "extraction_id",
        "run_id",
        "stream",
        "outcome",
        "reason",
        "masked_api_key",
        "owner_id",
        "connector_version",
        "settings_hash",
        "organization_id",
    ];
    let mut properties = json!({
        "records": {"type": ["null", "integer"]}, "pass_records": {"type": ["null", "integer"]},
        "may_be_shortened": {"type": ["null", "boolean"]},
    });
    for time in times {
        properties[time] = json!({"type": ["null", "string"], "format": "date-time"});
    }
    for text in texts {
        properties[text] = json!({"type": ["null", "string"]});
    }
    properties["extraction_id"] = json!({"type": "string"});
    let schema = json!({"type": "object", "properties": properties});
    let schema = json!({"type": "SCHEMA", "stream": "extractions", "schema": schema, "key_properties": ["extraction_id"]});
    let mut lines = format!("{schema}\n");
    for stream in STREAMS {
        if !run.messages.iter().any(|message| format!("{message:?}").contains(stream)) {
            continue;
        }
        let outcome = if run.says("INFO", &[&format!("{stream}: complete")]) { "complete" } else { "failed" };
        let count = run.records(stream).len();
        let record = json!({
            "extraction_id": format!("{day}/{stream}"), "run_id": day, "stream": stream, "outcome": outcome,
            "pass_started_at": format!("{day}T12:00:00Z"), "started_at": format!("{day}T12:00:00Z"),
            "ended_at": format!("{day}T12:05:00Z"), "records": count, "pass_records": count,
            "may_be_shortened": run.says("WARN", &["shorten"]), "masked_api_key": "ABCD", "owner_id": "u-1",
            "connector_version": "0.1.0", "settings_hash": "h", "organization_id": organization,
        });
        let message = json!({
            "type": "RECORD", "stream": "extractions", "record": record, "time_extracted": format!("{day}T12:05:00Z"),
        });
        lines.push_str(&format!("{message}\n"));
    }
    lines
}
