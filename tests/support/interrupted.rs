//! Runs that stop in the middle, and where the next one goes on.

use serde_json::Value;
use simulator::{At, Fault, Simulator};

use super::{Run, STREAMS, Tap, polite, tap};

/// A run that gets no answer to this request for each of these streams, nor to any later one.
#[track_caller]
pub fn stopped(tap: Tap<'_>, sim: &Simulator, streams: &[&str], request: u64) -> Run {
    for stream in streams {
        sim.add_fault(Fault::errors(503, "try later"), At::stream(stream).from(request));
    }
    let run = tap.set("max_retries", 0).run().expect_code(4);
    sim.clear_faults();
    run
}

/// The same; it stops in the middle of a listing of each of them.
#[track_caller]
pub fn interrupted(tap: Tap<'_>, sim: &Simulator, streams: &[&str], request: u64) -> Run {
    let run = stopped(tap, sim, streams, request);
    for stream in streams {
        assert!(run.bookmark(stream)["page_token"].is_string(), "{stream}: {}", run.bookmark(stream));
    }
    run
}

/// Nobody can look up the key, which would ask for role bindings too and be counted.
pub fn middling() -> Simulator {
    Simulator::start(polite().refuse("api_keys"))
}

/// A state in which each stream that is offered to everyone is in the middle, to be gone on from in pages of ten.
pub fn in_the_middle(sim: &Simulator) -> Value {
    interrupted(tap(sim).set("page_size", 10), sim, &STREAMS, 2).last_state().unwrap()
}

/// Whether each stream's first request has a token.
pub fn first_tokens(run: &Run) -> Vec<bool> {
    let first = |stream: &&str| run.asked(stream)[0].parameter("page_token").is_some();
    STREAMS.iter().map(first).collect()
}

/// How many records of an interrupted stream a resumed run may say again: the page in the middle of which
/// it was killed, and those role bindings that both of their listings bring, because a later run does not know
/// what an earlier one has said.
pub fn most_repeated(stream: &str, page: u64) -> u64 {
    /// Role bindings of the simulator's organization itself, unless a scenario says otherwise.
    const BOTH_LISTINGS: u64 = 44;

    if stream == "role_bindings" { page + BOTH_LISTINGS } else { page }
}

/// Whether a run that resumed at an empty last page has started the stream over, since the page's token may
/// have expired. All that it says of the stream belongs to the new pass.
pub fn starts_over(run: &Run, stream: &str) -> bool {
    let mut lines = run.stdout.lines().chain(run.stderr.lines());
    lines.any(|line| line.contains(stream) && line.contains("may have expired"))
}
