//! What a tired hand pastes, swaps or says twice: no secret comes out, and no setting that protects is lost.

use serde_json::json;

use crate::support::pretend::{KEY, Pretend, SECRET, ordinary};

#[test]
fn settings_given_for_a_state_are_refused_and_not_carried_on() {
    let service = Pretend::start(ordinary);
    let settings = json!({"base_url": service.url, "api_key": KEY, "api_secret": SECRET});
    for state in [
        settings.clone(),
        json!({"type": "STATE", "value": settings}),
        json!({"bookmarks": {}, "singer_state": [{"personal_data_key": "another long random text"}]}),
    ] {
        let run = service.tap().state(&state).run().expect_code(2);
        assert!(!run.stdout.contains("another long"), "it is carried on");
        drop(run.expect_refusal(2, ["state.json", "it holds settings"]));
    }
    assert!(service.asked("").is_empty());
}
