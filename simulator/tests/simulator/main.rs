//! The simulator asked over a plain socket, as a client would.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "tests")]

mod client;
mod grants;
mod hostile;

use std::collections::HashSet;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use serde_json::Value;
use simulator::{At, BindingsServer, Fault, OldKey, STREAMS, Scenario, Simulator};

use client::{ask, bindings, encode, flat, get, get_with, next, organization, read_all};

#[test]
fn reading_to_the_end_brings_the_truth_however_rude() {
    for seed in 0..12 {
        let sim = Simulator::start(Scenario::new().seed(seed));
        for stream in flat() {
            let (name, path) = (stream.name, stream.path);
            assert_eq!(read_all(&sim, path), sim.truth().records(name), "seed {seed} {name}");
        }
        let alias = read_all(&sim, "/api/iam/v2/invitations");
        assert_eq!(alias, sim.truth().records("invitations"), "seed {seed}");
        let found = bindings(&sim, &format!("{}/*", organization(&sim)));
        assert_eq!(found, sim.truth().records("role_bindings"), "seed {seed}");
    }
}

#[test]
fn ids_are_unique_and_the_same_for_the_same_seed() {
    let big = || Simulator::start(Scenario::new().seed(3).users(100_000).polite());
    let (one, two) = (big(), big());
    let ids = one.truth().ids("users");
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 100_000);
    assert_eq!(ids, two.truth().ids("users"));
    assert_eq!(one.truth().record("users", 99_999)["id"], ids[99_999].as_str());
    for stream in STREAMS.iter().skip(1) {
        let ids = one.truth().ids(stream.name);
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len(), "{}", stream.name);
        // Costs have none, and descriptions that no two of them share.
        let id = |record: &Value| {
            let id = record["id"].as_str().or(record["id"]["id"].as_str());
            id.or(record["description"].as_str()).unwrap().to_owned()
        };
        assert_eq!(one.truth().records(stream.name).iter().map(id).collect::<Vec<_>>(), ids);
    }
}

#[test]
fn polite_pages_are_full_and_links_name_the_public_host() {
    let sim = Simulator::start(Scenario::new().polite());
    let page = get(&sim, "/iam/v2/users").json();
    assert_eq!(page["data"].as_array().unwrap().len(), 10);
    let page = get(&sim, "/iam/v2/users?page_size=5000").json();
    assert_eq!(page["data"].as_array().unwrap().len(), 100);
    assert!(
        page["metadata"]["next"]
            .as_str()
            .unwrap()
            .starts_with("https://api.confluent.cloud/iam/v2/users?page_token=")
    );
    let token = next(&page).unwrap();
    let again = |token: &str| get(&sim, &format!("/iam/v2/users?page_token={}", encode(token))).json();
    assert_eq!(again(&token), again(&token));
    assert_eq!(again(&token)["data"].as_array().unwrap().len(), 100);
    let last = again(&next(&again(&token)).unwrap());
    assert_eq!(last["metadata"], serde_json::json!({}));
    assert_eq!(last["data"].as_array().unwrap().len(), 37);
}

#[test]
fn a_token_is_good_for_its_listing_and_its_start_only() {
    let scenario = || Scenario::new().seed(1).polite();
    let (sim, other) = (Simulator::start(scenario()), Simulator::start(scenario()));
    let token = encode(&next(&get(&sim, "/iam/v2/users").json()).unwrap());
    let raw = percent_decode_str(&token).decode_utf8().unwrap().into_owned();
    let with =
        |sim: &Simulator, path: &str, token: &str| get(sim, &format!("{path}page_token={token}")).status;
    assert_eq!(with(&sim, "/iam/v2/users?", &token), 200);
    assert_eq!(with(&sim, "/iam/v2/users?", &raw), 400, "not percent-encoded");
    assert_eq!(with(&sim, "/iam/v2/invitations?", &token), 400);
    assert_eq!(with(&other, "/iam/v2/users?", &token), 400);
    let scope = encode(&format!("{}/*", organization(&sim)));
    let page = get(&sim, &format!("/iam/v2/role-bindings?crn_pattern={scope}")).json();
    let token = encode(&next(&page).unwrap());
    assert_eq!(with(&sim, "/iam/v2/role-bindings?", &token), 400, "without its filter");
    assert_eq!(with(&sim, &format!("/iam/v2/role-bindings?crn_pattern={scope}&"), &token), 200);
}

#[test]
fn tokens_expire_and_are_refused_on_demand() {
    let sim = Simulator::start(Scenario::new().polite());
    let target = || {
        let token = next(&get(&sim, "/iam/v2/users").json()).unwrap();
        format!("/iam/v2/users?page_token={}", encode(&token))
    };
    let old = target();
    sim.expire_tokens();
    assert_eq!(get(&sim, &old).status, 400);
    assert_eq!(get(&sim, &target()).status, 200);
    sim.refuse_tokens_with(410);
    assert_eq!(get(&sim, &target()).status, 410);
    sim.refuse_tokens(true);
    assert_eq!(get(&sim, &target()).status, 400);
    sim.refuse_tokens(false);
    assert_eq!(get(&sim, &target()).status, 200);
}

#[test]
fn tokens_expire_into_an_empty_last_page_on_demand() {
    for scenario in [Scenario::new().polite(), Scenario::new()] {
        let sim = Simulator::start(scenario.environments(40));
        let get = |target: &str| loop {
            let answer = get(&sim, target);
            if answer.status != 429 && answer.status != 503 {
                return answer;
            }
        };
        let target = || {
            let token = next(&get("/org/v2/environments?page_size=3").json()).unwrap();
            format!("/org/v2/environments?page_token={}", encode(&token))
        };
        let old = target();
        sim.expire_tokens_to_empty();
        let answer = get(&old);
        let page = answer.json();
        assert_eq!((answer.status, next(&page)), (200, None), "{sim:?}");
        assert!(page["data"].as_array().is_none_or(Vec::is_empty), "{sim:?}");
        let newer = target();
        assert!(next(&get(&newer).json()).is_some(), "{sim:?}");
        sim.expire_tokens();
        assert_eq!((get(&old).status, get(&newer).status), (200, 400), "{sim:?}");
        sim.expire_tokens_to_empty();
        assert_eq!(get(&newer).status, 200, "{sim:?}");
        assert_eq!(read_all(&sim, "/org/v2/environments"), sim.truth().records("environments"));
    }
}

#[test]
fn a_rotated_key_is_the_one_that_is_listed_and_works() {
    let sim = Simulator::start(Scenario::new().polite());
    let pair = |sim: &Simulator| (sim.api_key().to_owned(), sim.api_secret().to_owned());
    let status = |(key, secret): &(String, String)| get_with(&sim, "/iam/v2/users", (key, secret)).status;
    let (first, before) = (pair(&sim), sim.truth().records("api_keys").to_vec());
    let (id, secret) = sim.rotate_key(OldKey::Works);
    let second = (id.to_owned(), secret.to_owned());
    assert_eq!(pair(&sim), second);
    assert!(first.0 != second.0 && first.1 != second.1);
    assert_eq!([status(&first), status(&second)], [200, 200]);
    let listed = read_all(&sim, "/iam/v2/api-keys");
    assert_eq!(listed, sim.truth().records("api_keys"));
    assert_eq!((&listed[0]["id"], &listed[0]["spec"]["owner"]), (&id.into(), &before[0]["spec"]["owner"]));
    assert_eq!(listed[1..], before[1..]);
    assert_eq!(get(&sim, &format!("/iam/v2/api-keys/{}", first.0)).status, 404);
    sim.rotate_key(OldKey::Revoked);
    assert_eq!([status(&first), status(&second), status(&pair(&sim))], [401, 401, 200]);
    assert_eq!(sim.truth().ids("api_keys")[0], sim.api_key());
    assert_eq!(sim.requests().iter().filter(|request| !request.authorized).count(), 2);
}

#[test]
fn three_servers_read_a_scope_in_three_ways() {
    let counts = |server| {
        let scenario = Scenario::new().seed(5).role_bindings(100).organization_bindings(20).bindings(server);
        let sim = Simulator::start(scenario);
        let top = organization(&sim);
        [bindings(&sim, &top).len(), bindings(&sim, &format!("{top}/*")).len()]
    };
    assert_eq!(counts(BindingsServer::Inclusive), [20, 100]);
    assert_eq!(counts(BindingsServer::NestedOnly), [20, 80]);
    assert_eq!(counts(BindingsServer::Partial), [100, 0]);
}

#[test]
fn filters_narrow_the_listing() {
    let sim = Simulator::start(Scenario::new().polite());
    let accepted = read_all(&sim, "/iam/v2/invitations?status=INVITE_STATUS_ACCEPTED");
    assert!(!accepted.is_empty() && accepted.iter().all(|row| row["status"] == "INVITE_STATUS_ACCEPTED"));
    let scope = encode(&organization(&sim));
    let owner = format!("User:{}", sim.owner_id());
    let path = format!("/iam/v2/role-bindings?crn_pattern={scope}&principal={}", encode(&owner));
    let own = read_all(&sim, &path);
    assert!(own.iter().any(|row| row["role_name"] == "OrganizationAdmin"));
    assert!(own.iter().all(|row| row["principal"] == owner.as_str()));
    let key = get(&sim, &format!("/iam/v2/api-keys/{}", sim.api_key())).json();
    assert_eq!(key["spec"]["owner"]["id"], sim.owner_id());
    let weak = Simulator::start(Scenario::new().weak_key());
    let owner = format!("User:{}", weak.owner_id());
    let mut rows = weak.truth().records("role_bindings").iter();
    assert!(!rows.any(|row| row["principal"] == owner.as_str() && row["role_name"] == "OrganizationAdmin"));
}

#[test]
fn invitations_asked_for_by_the_hundred_stop_at_a_hundred() {
    let sim = Simulator::start(Scenario::new().polite());
    let page = get(&sim, "/iam/v2/invitations?page_size=100").json();
    assert_eq!(page["data"].as_array().unwrap().len(), 100);
    assert_eq!(next(&page), None);
}

#[test]
fn what_is_refused_says_so_in_the_recorded_words() {
    let scenario = Scenario::new().polite().refuse("users").refuse("role_bindings/*").organizations(2);
    let sim = Simulator::start(scenario);
    let wrong = get_with(&sim, "/iam/v2/users", ("WRONG", sim.api_secret()));
    assert_eq!((wrong.status, wrong.json()["errors"][0]["detail"].as_str()), (401, Some("Unauthorized")));
    assert!(wrong.head.contains("WWW-Authenticate: Basic error="));
    let refused = get(&sim, "/iam/v2/users");
    assert_eq!((refused.status, &refused.json()["errors"][0]["code"]), (403, &"forbidden_access".into()));
    let scope = encode(&organization(&sim));
    let bindings = |rest: &str| get(&sim, &format!("/iam/v2/role-bindings?crn_pattern={rest}"));
    let flat = bindings(&format!("{scope}%2F%2A"));
    assert_eq!((flat.status, &flat.json()["error_code"]), (403, &40301.into()));
    assert_eq!(bindings(&scope).status, 200);
    assert_eq!(bindings("crn%3A%2F%2Fconfluent.cloud%2Forganization%3Dsomeone-else").status, 403);
    assert_eq!(get(&sim, "/iam/v2/role-bindings").status, 400);
    assert_eq!(get(&sim, "/iam/v2/groups").status, 404);
    assert_eq!(get(&sim, "/iam/v2/users?page_size=x").status, 403);
    assert_eq!(read_all(&sim, "/org/v2/organizations").len(), 2);
    let sim = Simulator::start(Scenario::new().resource_key());
    let cluster = get(&sim, "/iam/v2/users");
    assert_eq!(cluster.status, 401);
    assert!(
        cluster
            .body
            .contains("invalid API key: make sure you're using a Cloud API Key and not a Cluster API Key")
    );
}

#[test]
fn faults_happen_where_they_were_planned() {
    let sim = Simulator::start(Scenario::new().polite());
    let users = || get(&sim, "/iam/v2/users");
    let planned = |fault: Fault| sim.add_fault(fault, At::stream("users").nth(1));
    planned(Fault::errors(500, "boom").with_header("X-Odd", "1"));
    let answer = users();
    assert_eq!(answer.status, 500);
    assert!(answer.head.contains("X-Odd: 1") && answer.head.contains("X-Request-Id: "));
    planned(Fault::rate_limited(7));
    assert!(users().head.contains("Retry-After: 7\r\n"));
    planned(Fault::RedirectTo("http://127.0.0.1:1/".to_owned()));
    assert!(users().head.contains("Location: http://127.0.0.1:1/"));
    planned(Fault::Html200);
    assert!(users().body.starts_with("<!DOCTYPE"));
    planned(Fault::NextWithoutToken);
    assert!(!users().json()["metadata"]["next"].as_str().unwrap().contains("page_token"));
    planned(Fault::DeepJson);
    assert!(users().body.len() > 200_000);
    let token = next(&users().json()).unwrap();
    planned(Fault::RepeatToken);
    let again = get(&sim, &format!("/iam/v2/users?page_token={}", encode(&token)));
    assert_eq!(next(&again.json()), Some(token));
    planned(Fault::GzipUnlabelled);
    let bytes = ask(&sim, "/iam/v2/users", (sim.api_key(), sim.api_secret())).unwrap();
    assert!(bytes.windows(6).any(|part| part == b"\r\n\r\n\x1f\x8b"));
    planned(Fault::HalfBody);
    let half = ask(&sim, "/iam/v2/users", (sim.api_key(), sim.api_secret())).unwrap();
    assert!(half.len() < get(&sim, "/iam/v2/users").body.len());
    planned(Fault::Reset);
    let reset = ask(&sim, "/iam/v2/users", (sim.api_key(), sim.api_secret())).unwrap_err();
    assert_eq!(reset.kind(), ErrorKind::ConnectionReset);
    assert_eq!(users().status, 200);
}

#[test]
fn a_connection_is_kept_and_requests_on_it_are_logged_in_order() {
    let sim = Simulator::start(Scenario::new().polite().latency(Duration::from_millis(20)));
    let mut socket = TcpStream::connect(sim.base_url().replace("http://", "")).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let request = "GET /iam/v2/users?page_size=1 HTTP/1.1\r\nHost: here\r\n\r\n";
    // Two at once: the second must not be lost while the first is answered.
    socket.write_all(request.repeat(2).as_bytes()).unwrap();
    let mut text = String::new();
    while text.matches("HTTP/1.1 401").count() < 2 {
        let mut bytes = [0; 4096];
        let read = socket.read(&mut bytes).unwrap();
        assert!(read > 0, "{text}");
        text.push_str(std::str::from_utf8(&bytes[..read]).unwrap());
    }
    let log = sim.requests();
    assert_eq!(log.len(), 2);
    assert_eq!((log[0].path.as_str(), log[0].parameter("page_size")), ("/iam/v2/users", Some("1")));
    assert_eq!((log[0].number, log[0].host.as_deref(), log[0].has_authorization), (1, Some("here"), false));
}

fn wait_for(sim: &Simulator, count: usize) -> Vec<simulator::Request> {
    let began = Instant::now();
    while sim.requests().len() < count {
        assert!(began.elapsed() < Duration::from_secs(5), "{sim:?}");
        std::thread::sleep(Duration::from_millis(1));
    }
    sim.requests()
}

#[test]
fn held_answers_wait_and_streams_open_at_once_are_counted() {
    let sim = Simulator::start(Scenario::new().polite());
    sim.hold();
    std::thread::scope(|scope| {
        let asked = [
            scope.spawn(|| get(&sim, "/iam/v2/users").status),
            scope.spawn(|| get(&sim, "/iam/v2/users").status),
            scope.spawn(|| get(&sim, "/org/v2/environments").status),
        ];
        let log = wait_for(&sim, 3);
        assert!(log.iter().all(|request| request.ended.is_none() && request.status.is_none()));
        sim.release();
        assert!(asked.into_iter().all(|thread| thread.join().unwrap() == 200));
    });
    assert_eq!(sim.max_open(), 2);
    assert!(sim.requests().iter().all(|request| request.status == Some(200) && request.authorized));
}

#[test]
fn a_stopped_simulator_listens_no_more() {
    let sim = Simulator::start(Scenario::new());
    let address = sim.base_url().replace("http://", "");
    drop(sim);
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn silence_and_endless_bodies_last_until_the_client_leaves() {
    let sim = Simulator::start(Scenario::new().polite());
    for fault in [Fault::Stall, Fault::Endless, Fault::Drip] {
        let name = format!("{fault:?}");
        let enough = if name == "Endless" { 1_000_000 } else { 0 };
        sim.add_fault(fault, At::any().nth(1));
        let mut socket = TcpStream::connect(sim.base_url().replace("http://", "")).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        let key = STANDARD.encode(format!("{}:{}", sim.api_key(), sim.api_secret()));
        write!(socket, "GET /iam/v2/users HTTP/1.1\r\nAuthorization: Basic {key}\r\n\r\n").unwrap();
        let (mut bytes, mut part) = (0, [0; 4096]);
        let stopped = loop {
            match socket.read(&mut part) {
                Ok(0) => panic!("{name}: the simulator hung up"),
                Ok(read) => bytes += read,
                Err(error) => break error.kind(),
            }
            if enough > 0 && bytes > enough {
                break ErrorKind::WouldBlock;
            }
        };
        assert_eq!(stopped, ErrorKind::WouldBlock, "{name}");
        assert_eq!(bytes == 0, name == "Stall", "{name}");
        drop(socket);
        assert_eq!(get(&sim, "/iam/v2/users").status, 200, "{name}");
        let began = Instant::now();
        while sim.requests().iter().any(|request| request.ended.is_none()) {
            assert!(began.elapsed() < Duration::from_secs(5), "{name}: never ended");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

#[test]
fn what_is_deleted_is_gone_from_the_listing_and_the_truth_and_the_rest_stays() {
    let mut sim = Simulator::start(Scenario::new().users(25).polite());
    let before = sim.truth().records("users").to_vec();
    let gone = sim.delete("users", 3);
    assert_eq!((gone.len(), sim.truth().count("users")), (3, 22));
    assert_eq!(sim.truth().records("users"), &before[..22]);
    let page = get(&sim, "/iam/v2/users?page_size=100").json();
    assert_eq!(page["data"].as_array().unwrap(), &before[..22]);
    assert_eq!(get(&sim, &format!("/iam/v2/users/{}", gone[0])).status, 404);
}
