//! The clock that these tests show the binary: another day, and all else as ever.

use std::time::Duration;

use simulator::{At, Fault, Simulator};

use crate::support::airbyte;
use crate::support::{Message, assert_whole, few, small, tap};

const DAY: &str = "2026-05-10";

#[test]
fn a_run_sees_the_day_that_a_test_names() {
    let sim = Simulator::start(few().https());
    let run = tap(&sim).env_file("SSL_CERT_FILE", sim.certificate().unwrap()).on(DAY).run().expect_code(0);
    assert_whole(&run, &sim);
    for message in &run.messages {
        if let Message::Record { time_extracted, .. } = message {
            assert!(time_extracted.starts_with(DAY), "{time_extracted}");
        }
    }
    let heard = airbyte::read(
        tap(&sim).env_file("SSL_CERT_FILE", sim.certificate().unwrap()).on(DAY),
        &airbyte::catalog(),
    );
    heard.assert_whole(&sim);
    let noon = 1_778_414_400_000;
    assert!(heard.emitted().iter().all(|at| (noon..noon + 600_000).contains(at)));
}

#[test]
fn waits_and_deadlines_are_as_long_as_ever_on_another_day() {
    let sim = Simulator::start(small());
    sim.add_fault(Fault::Stall, At::stream("users").nth(1));
    sim.add_fault(Fault::errors(503, "try later"), At::stream("invitations").nth(1));
    let tap = tap(&sim).on(DAY).set("request_timeout_seconds", 0.3).limit(Duration::from_secs(20));
    let run = tap.run().expect_code(0);
    assert_whole(&run, &sim);
    assert!(run.seconds > 0.3 && run.seconds < 10.0, "{}", run.seconds);
}
