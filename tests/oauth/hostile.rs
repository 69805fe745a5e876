//! Endpoints that answer what they should not, and hosts that send back what they were sent.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use serde_json::{Value, json};
use simulator::{At, EXCHANGE, Fault, Simulator};

use super::{asked, sim};
use crate::support::leaks::{ESCAPES, leak};
use crate::support::pretend::{Asked, Pretend, Reply, ordinary};
use crate::support::{Tap, as_pool, assert_whole, bare};

/// Tokens like those of real providers: the signature is what nobody may see.
const SUBJECT: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIwb2FhdWRpdG9yIiwiYXVkIjoiY29uZmx1ZW50In0.Qm9Yx3Zk7LwT2vHs9RbN4cJd8Ga6PfU1eKiM5oXtVzC0";
const ACCESS: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJwb29sLUExQjIiLCJpc3MiOiJDb25mbHVlbnQifQ.Zt7PqL2xVb9WmKc4RsYd8HfJ6aGnT3eUiO1zBvNkX5wCq0";
const CLIENT_SECRET: &str = "Ab3~hushHush/Secret+of.Client0123456789";

/// A provider that answers this, and a service that exchanges for [`ACCESS`] unless it is to answer otherwise.
fn hosts(
    provider: impl Fn(&Asked) -> Reply + Send + Sync + 'static,
    service: impl Fn(&Asked) -> Option<Reply> + Send + Sync + 'static,
) -> (Pretend, Pretend) {
    let service = Pretend::start(move |asked| match service(asked) {
        Some(reply) => reply,
        None if asked.path == "/sts/v1/oauth2/token" => granted(ACCESS),
        None => ordinary(asked),
    });
    (Pretend::start(provider), service)
}

fn granted(token: &str) -> Reply {
    Reply::new(200, json!({"access_token": token, "expires_in": 3600, "token_type": "Bearer"}).to_string())
}

fn pool_of(provider: &Pretend, service: &Pretend) -> Tap<'static> {
    bare().config(json!({
        "base_url": service.url, "oauth_token_url": format!("{}/token", provider.url), "identity_pool_id": "pool-A1B2",
        "oauth_client_id": "0oaauditor", "oauth_client_secret": CLIENT_SECRET, "retry_base_seconds": 0.001,
        "max_retries": 1,
    }))
}

#[test]
fn an_answer_without_a_usable_token_is_broken_and_not_quoted() {
    let odd = |token: Value| json!({"access_token": token, "expires_in": 3600}).to_string();
    for body in [
        String::new(),
        "{}".to_owned(),
        "null".to_owned(),
        "[]".to_owned(),
        SUBJECT.to_owned(),
        format!("\"{SUBJECT}\""),
        format!("<html>{SUBJECT}</html>"),
        json!({"token": SUBJECT, "message": SUBJECT}).to_string(),
        json!({"error": SUBJECT}).to_string(),
        odd(json!("")),
        odd(json!(null)),
        odd(json!([SUBJECT])),
        odd(json!(format!("{SUBJECT}\r\nX-Evil: 1"))),
        odd(json!(format!("{SUBJECT} x"))),
        odd(json!("é".repeat(9))),
        odd(json!("a".repeat((16 << 10) + 1))),
        format!(r#"{{"access_token":"{SUBJECT}","access_token":"{ACCESS}"}}"#),
    ] {
        let answer = body.clone();
        let (provider, service) = hosts(move |_| Reply::new(200, answer.clone()), |_| None);
        let run = pool_of(&provider, &service).run();
        let run = run.expect_refusal(5, ["contains no token that can be used", "[POST /token answered 200"]);
        assert_eq!(leak(&run.stderr, &[&SUBJECT[22..]]), None, "{body}");
        assert!(service.asked("").is_empty());
        let (provider, service) = hosts(
            |_| granted(SUBJECT),
            move |asked| (asked.path == "/sts/v1/oauth2/token").then(|| Reply::new(200, body.clone())),
        );
        let run = pool_of(&provider, &service).run();
        let run = run.expect_refusal(5, ["contains no token that can be used", "[POST /sts/v1/oauth2/token"]);
        assert_eq!(leak(&run.stderr, &[&SUBJECT[22..], CLIENT_SECRET]), None);
    }
}

/// A token that has not been learned cannot be recognized, so nothing is quoted that is not where JSON has its errors.
#[test]
fn a_token_in_an_answer_of_another_status_is_not_quoted() {
    for status in [201, 302, 400, 503] {
        for body in [
            ACCESS.to_owned(),
            format!("access_token={ACCESS}&expires_in=9"),
            format!("<token>{ACCESS}</token>"),
        ] {
            let echo = body.clone();
            let (provider, service) = hosts(move |_| Reply::new(status, echo.clone()), |_| None);
            let run = pool_of(&provider, &service).run();
            assert!(run.says("ERROR", &[&format!("[POST /token answered {status}")]), "{}", run.stderr);
            assert_eq!(leak(&run.stderr, &[&ACCESS[22..]]), None, "{status}: {body}");
            let (provider, service) = hosts(
                |_| granted(SUBJECT),
                move |asked| (asked.path == "/sts/v1/oauth2/token").then(|| Reply::new(status, body.clone())),
            );
            let run = pool_of(&provider, &service).run();
            assert!(run.says("ERROR", &["[POST /sts/v1/oauth2/token"]), "{}", run.stderr);
            assert_eq!(leak(&run.stderr, &[&ACCESS[22..]]), None, "{status}");
        }
    }
}

#[test]
fn a_body_without_end_or_of_gzip_is_bounded_at_the_endpoints_too() {
    for at in [At::provider, At::exchange] {
        let sim = sim();
        sim.add_fault(Fault::Endless, at());
        drop(as_pool(&sim).run().expect_refusal(5, ["larger than 16 MiB", "[POST /"]));
        sim.clear_faults();
        sim.add_fault(Fault::GzipUnlabelled, at().nth(1));
        assert_whole(&as_pool(&sim).run(), &sim);
    }
}

/// A life that is no life is taken for an unknown one, or each request would exchange anew.
#[test]
fn a_life_that_makes_no_sense_is_no_reason_for_more_exchanges() {
    let lives = [
        json!(0),
        json!(-5),
        json!(1e-9),
        json!("0.01"),
        json!(null),
        json!("never"),
        json!(1e300),
        json!({}),
    ];
    for life in lives {
        let body = json!({"access_token": ACCESS, "expires_in": life}).to_string();
        let (provider, service) = hosts(
            |_| granted(SUBJECT),
            move |asked| (asked.path == "/sts/v1/oauth2/token").then(|| Reply::new(200, body.clone())),
        );
        drop(pool_of(&provider, &service).run().expect_code(0));
        assert_eq!(service.asked("/sts/v1/oauth2/token").len(), 1, "{life}");
    }
}

/// By a stream each for the token of the provider, that of the service and the client's secret; then by the exchange,
/// which has not given one yet.
#[test]
fn no_token_or_secret_that_is_sent_back_comes_out() {
    let secrets = [&SUBJECT[22..], &ACCESS[22..], CLIENT_SECRET];
    let paths = ["/iam/v2/users", "/iam/v2/invitations", "/iam/v2/service-accounts"];
    for (number, (name, escape)) in ESCAPES.into_iter().enumerate() {
        let failing = move |asked: &Asked| {
            let place = paths.iter().position(|path| *path == asked.path)?;
            Some(Reply::new(400, json!({"errors": [{"detail": escape(secrets[place])}]}).to_string()))
        };
        let (provider, service) = hosts(|_| granted(SUBJECT), failing);
        let run = pool_of(&provider, &service).run().expect_code(5);
        for stream in ["users", "invitations", "service_accounts"] {
            assert!(run.says("ERROR", &[stream, "[withheld"]), "{name}: {}", run.stderr);
        }
        assert_eq!(leak(&run.stderr, &secrets), None, "{name}");
        let echo = escape(secrets[number % 2 * 2]);
        let (provider, service) = hosts(
            |_| granted(SUBJECT),
            move |asked| (asked.path == "/sts/v1/oauth2/token").then(|| Reply::new(400, echo.clone())),
        );
        let run = pool_of(&provider, &service).run().expect_code(3);
        assert_eq!(leak(&run.stderr, &secrets), None, "{name}");
    }
}

#[test]
fn a_page_token_with_the_signature_of_a_token_is_neither_used_nor_kept() {
    let signature = ACCESS.rsplit('.').next().unwrap();
    for (kept, code) in [(&signature[3..20], 5), (&ACCESS[22..60], 0)] {
        let (provider, service) = hosts(
            |_| granted(SUBJECT),
            move |asked| {
                let first = asked.path == "/iam/v2/users" && asked.parameter("page_token").is_none();
                first.then(|| Reply::page([json!({"id": "u-9"})], Some(kept)))
            },
        );
        let run = pool_of(&provider, &service).run().expect_code(code);
        assert_eq!(run.says("ERROR", &["users", "page token", "a piece of the credentials"]), code == 5);
    }
}

/// The token that was replaced is covered as well as the one that is used.
#[test]
fn a_token_that_has_been_replaced_is_still_withheld() {
    let (count, old) = (AtomicUsize::new(0), ACCESS.replace("Zt7", "Old"));
    let given = [old.clone(), ACCESS.to_owned()];
    let echo = old.clone();
    let (provider, service) = hosts(
        |_| granted(SUBJECT),
        move |asked| match asked.path.as_str() {
            "/sts/v1/oauth2/token" => Some(granted(&given[count.fetch_add(1, SeqCst).min(1)])),
            "/iam/v2/users" if asked.head.contains(&given[0]) => Some(Reply::new(401, "")),
            "/iam/v2/users" => Some(Reply::new(400, json!({"errors": [{"detail": echo}]}).to_string())),
            _ => None,
        },
    );
    let run = pool_of(&provider, &service).run().expect_code(5);
    assert!(run.says("ERROR", &["users", "[withheld"]), "{}", run.stderr);
    assert_eq!(leak(&run.stderr, &[&old[22..]]), None);
}

#[test]
fn personal_data_that_is_hidden_hides_what_the_provider_says() {
    let sim: Simulator = sim();
    let tap = as_pool(&sim).set("oauth_client_secret", "not the secret").set("personal_data", "omit");
    let run =
        tap.run().expect_refusal(3, ["the identity provider gives the client no token", "answered 401"]);
    assert!(!run.stderr.contains("invalid_client"), "it is quoted");
    assert!(asked(&run, EXCHANGE).is_empty());
}

/// Long names share words with addresses and with whatever is listed.
#[test]
fn a_client_with_a_long_name_is_no_secret() {
    let (provider, service) = hosts(|_| granted(SUBJECT), |_| None);
    let tap = pool_of(&provider, &service).set("user_agent", "confluent-cloud-audit");
    let run = tap.set("oauth_client_id", "confluent-cloud-identity-audit.apps.example.com").run();
    assert_eq!(run.expect_code(0).ids("users"), ["u-1"]);
}

/// A client's secret in place of its id, and what the provider says of that.
#[test]
fn a_client_id_that_is_the_secret_is_not_quoted() {
    let (provider, service) = hosts(
        |asked| {
            let said = format!("no client is called {CLIENT_SECRET}, {}", asked.path);
            Reply::new(401, json!({"error": said}).to_string())
        },
        |_| None,
    );
    let tap = pool_of(&provider, &service).set("oauth_client_id", CLIENT_SECRET);
    let run = tap.set("oauth_client_secret", "0oaauditor").run().expect_code(3);
    assert!(
        run.says("ERROR", &["the identity provider gives the client no token", "[withheld"]),
        "{}",
        run.stderr
    );
    assert_eq!(leak(&run.stderr, &[CLIENT_SECRET]), None);
}
