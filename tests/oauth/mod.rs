//! Identity pools: short-lived tokens by way of the customer's identity provider, in place of a key.

mod faults;
mod files;
mod hostile;
mod hosts;
mod runtimes;
mod tokens;
mod ways;

use simulator::{OAuth, Request, Simulator};

use crate::support::{Run, small};

/// A small organization that takes tokens.
fn sim() -> Simulator {
    Simulator::start(small().oauth(OAuth::default()))
}

/// Requests to one of the endpoints that give tokens.
fn asked<'r>(run: &'r Run, endpoint: &str) -> Vec<&'r Request> {
    run.requests.iter().filter(|request| request.endpoint == Some(endpoint)).collect()
}

/// No two exchanges at once.
#[track_caller]
fn assert_one_at_a_time(run: &Run) {
    let endpoints = run.requests.iter().filter(|request| request.endpoint.is_some());
    let spans: Vec<_> = endpoints.map(|request| (request.started, request.ended.unwrap())).collect();
    assert!(spans.windows(2).all(|pair| pair[0].1 <= pair[1].0), "two requests for tokens at once");
}
