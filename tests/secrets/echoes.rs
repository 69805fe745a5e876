//! A service that sends back what it was sent, in any shape: no piece of the secret or of the header
//! made of it is quoted, logged or kept.

use serde_json::{Value, json};

use crate::support::leaks::{ESCAPES, leak};
use crate::support::pretend::{Asked, CRN, KEY, Pretend, Reply, SECRET, binding, ordinary};
use crate::support::{Run, Tap};

/// What follows `Basic ` in the header.
fn header() -> String {
    let service = Pretend::start(ordinary);
    drop(service.tap().set("streams", json!(["users"])).run().expect_code(0));
    let head = &service.asked("/iam/v2/users")[0].head;
    let line = head.lines().find(|line| line.to_lowercase().starts_with("authorization: ")).unwrap();
    line.rsplit(' ').next().unwrap().to_owned()
}

/// Nothing of the run holds a piece of the credentials.
#[track_caller]
fn assert_tight(run: &Run, header: &str, what: &str) {
    for text in [&run.stdout, &run.stderr] {
        for line in text.lines() {
            assert_eq!(leak(line, &[SECRET, header]), None, "{what}: {line}");
        }
    }
}

/// Whole, cut at either end, ten characters of it.
fn pieces(of: &str) -> [&str; 4] {
    let third = of.len() / 3;
    [of, &of[..2 * third], &of[third..], &of[third + 1..third + 11]]
}

/// Runs it against a service whose every stream fails, each with one of these in its own place.
fn echoed(echoes: [String; 4]) -> Run {
    let service = Pretend::start(move |asked: &Asked| {
        let [first, second, third, fourth] = &echoes;
        match asked.path.as_str() {
            "/iam/v2/users" => Reply::new(409, format!("no way: {first} (cut here)")),
            "/iam/v2/invitations" => Reply::new(409, json!({"errors": [{"detail": second}]}).to_string()),
            "/iam/v2/service-accounts" => Reply::new(200, json!({"error": {"message": third}}).to_string()),
            "/iam/v2/role-bindings" => {
                Reply::new(409, json!({"seen": fourth, "rest": "x".repeat(400)}).to_string())
            }
            _ => ordinary(asked),
        }
    });
    service.tap().arg("--log-level=debug").run()
}

#[test]
fn an_echo_of_the_credentials_is_withheld_however_it_is_escaped() {
    let header = header();
    for (number, (name, escape)) in ESCAPES.into_iter().enumerate() {
        for of in [SECRET, &header] {
            let mut pieces = pieces(of);
            pieces.rotate_left(number % 4);
            let run = echoed(pieces.map(escape)).expect_code(5);
            assert_tight(&run, &header, name);
            for (stream, status) in [
                ("users", "409"),
                ("invitations", "409"),
                ("service_accounts", "200"),
                ("role_bindings", "409"),
            ] {
                let words = [stream, status, "req-pretend-1", "withheld"];
                assert!(run.says("ERROR", &words), "{name}: no ERROR line has all of {words:?}");
            }
        }
    }
}

#[test]
fn text_without_a_piece_of_the_credentials_is_quoted() {
    let said = format!("{}… of {}… is no basis of a request", &SECRET[..6], &KEY[..4]);
    let run = echoed(std::array::from_fn(|_| said.clone()));
    assert!(run.says("ERROR", &["users", "is no basis of a request"]));
    assert!(!run.stderr.contains("withheld"));
}

#[test]
fn a_secret_shorter_than_a_piece_is_withheld_whole() {
    let service = Pretend::start(|asked| match asked.path.as_str() {
        "/iam/v2/users" => Reply::new(409, "it was %73h\\u006frt"),
        _ => ordinary(asked),
    });
    let run = service.tap().set("api_secret", "short").run().expect_line("ERROR", ["users", "withheld"]);
    assert!(!run.stderr.contains("h\\u006frt"));
}

#[test]
fn a_page_token_that_holds_a_piece_of_the_credentials_is_refused() {
    let header = header();
    for (name, escape) in ESCAPES {
        let tokens =
            [&SECRET[3..20], &SECRET[20..30], &header[..18]].map(|piece| format!("t-{}", escape(piece)));
        let service = Pretend::start(move |asked| match asked.path.as_str() {
            "/iam/v2/users" => Reply::page([json!({"id": "u-1"})], Some(&tokens[0])),
            "/iam/v2/invitations" => Reply::page([json!({"id": "i-1"})], Some(&tokens[1])),
            "/iam/v2/service-accounts" => Reply::page([json!({"id": "sa-1"})], Some(&tokens[2])),
            _ => ordinary(asked),
        });
        let run = service.tap().run().expect_code(5);
        assert_tight(&run, &header, name);
        for stream in ["users", "invitations", "service_accounts"] {
            let words = [stream, "page token", "credentials", "req-pretend-1"];
            assert!(run.says("ERROR", &words), "{name}: no ERROR line has all of {words:?}");
            assert!(run.ids(stream).is_empty(), "{name}");
        }
        assert_eq!(service.asked("/iam/v2/users").len(), 1, "{name}");
        assert_eq!(run.ids("role_bindings"), ["rb-1", "rb-2"]);
    }
}

/// Runs it against a service that answers one path like this.
fn answered(path: &'static str, reply: Reply, set: impl Fn(Tap<'static>) -> Tap<'static>) -> Run {
    let service =
        Pretend::start(move |asked| if asked.path == path { reply.clone() } else { ordinary(asked) });
    set(service.tap().arg("--log-level=debug")).run()
}

#[test]
fn request_ids_names_and_fields_are_redacted_too() {
    let header = header();
    let echo = SECRET[5..35].replace('/', "%2F");
    let organization = |id: &str, name: &str| {
        Reply::page([json!({"id": id, "display_name": name, "metadata": {"resource_name": CRN}})], None)
    };
    let environment = |id: &str| Reply::page([json!({"id": id})], None);
    let user = |user: Value| Reply::page([user], None);
    let binding = json!({"id": "rb-1", "principal": "User:u-1", "crn_pattern": format!("odd://{echo}")});
    let cases = [
        ("/iam/v2/users", Reply::new(409, "no").with_header("X-Request-Id", &echo), "users"),
        ("/iam/v2/users", Reply::new(200, "no").with_header("X-Request-Id", &header[..20]), "users"),
        ("/iam/v2/users", user(json!({"id": "u-1", echo.clone(): 1})), "users"),
        ("/iam/v2/role-bindings", Reply::page([binding], None), "role_bindings"),
        ("/org/v2/organizations", organization(crate::support::pretend::ORGANIZATION, &echo), "users"),
        ("/org/v2/organizations", organization(&echo, "Pretend"), "users"),
        ("/org/v2/environments", environment(&echo), "kafka_clusters"),
    ];
    for (path, mut reply, stream) in cases {
        if reply.headers.len() > 1 {
            reply.headers.remove(0);
        }
        for drift in ["warn", "fail"] {
            let set = |tap: Tap<'static>| tap.set("streams", json!([stream])).set("schema_drift", drift);
            let run = answered(path, reply.clone(), set);
            let said = |line: &&str| !line.contains(r#""type":"RECORD""#);
            let told: Vec<&str> = run.stdout.lines().filter(said).chain(run.stderr.lines()).collect();
            for line in told {
                assert_eq!(leak(line, &[SECRET, &header]), None, "{path} {stream}: {line}");
            }
        }
    }
}

#[test]
fn a_request_id_is_quoted_short_and_printable() {
    for id in ["r".repeat(60_000), "r-\t1".to_owned(), "r é".to_owned()] {
        let mut reply = Reply::new(409, "no");
        reply.headers = vec![("X-Request-Id".to_owned(), id)];
        let run = answered("/iam/v2/users", reply, |tap| tap).expect_line("ERROR", ["users", "409"]);
        let line = run.stderr.lines().find(|line| line.starts_with("ERROR")).unwrap();
        assert!(line.len() < 500 && !line.contains(|c: char| c.is_control()), "{line}");
    }
}

/// What a service may say of a person.
const PERSON: &str = "Ada Example <ada@example.com>";

/// Nothing that was said of the person is told.
#[track_caller]
fn assert_impersonal(run: &Run) {
    for part in ["Ada", "ada@example", "ada%40example"] {
        assert!(!run.stderr.contains(part) && !run.stdout.contains(part), "{part} is told");
    }
}

#[test]
fn no_text_of_an_answer_is_quoted_if_persons_are_hidden() {
    for personal in ["hash", "omit"] {
        let hiding = |tap: Tap<'static>| {
            let tap = tap.set("streams", json!(["users"])).set("max_retries", 0);
            tap.set("personal_data", personal).set("personal_data_key", "a key for the hashes")
        };
        for (status, body, code) in [
            (409, PERSON.to_owned(), 5),
            (503, PERSON.to_owned(), 4),
            (403, json!({"errors": [{"detail": PERSON}]}).to_string(), 3),
            (409, json!({"user": PERSON}).to_string(), 5),
            (200, json!({"errors": [{"detail": PERSON}]}).to_string(), 5),
            (200, PERSON.to_owned(), 5),
            (200, json!({"data": [], "error": {"code": 503, "message": PERSON}}).to_string(), 4),
        ] {
            let run = answered("/iam/v2/users", Reply::new(status, body), hiding).expect_code(code);
            assert_impersonal(&run);
            let status = status.to_string();
            drop(run.expect_line("ERROR", ["users", "/iam/v2/users", status.as_str(), "req-pretend-1"]));
        }
        let cluster = "invalid API key: make sure you're using a Cloud API Key and not a Cluster API Key";
        let run = answered("/iam/v2/users", Reply::new(401, cluster), hiding).expect_code(3);
        assert!(!run.stderr.contains("make sure you're using"), "it is quoted");
        drop(run.expect_line("ERROR", ["users", "is not a Cloud API key"]));
        let run = answered("/iam/v2/users", Reply::page([json!({"id": "u-1"})], Some(PERSON)), hiding);
        // The state must keep the token, as it is needed to go on.
        assert!(!run.stderr.contains("Ada"), "the token is quoted");
        drop(run.expect_code(5).expect_line("ERROR", ["users", "repeated page token", "req-pretend-1"]));
    }
}

#[test]
fn no_unknown_field_is_named_if_persons_are_hidden() {
    const NAME: &str = "ada.lovelace@example.com";
    for (personal, drift, code) in [("hash", "warn", 0), ("omit", "warn", 0), ("omit", "fail", 5)] {
        let service = Pretend::start(|asked| match asked.path.as_str() {
            "/iam/v2/users" => {
                Reply::page([json!({"id": "u-1", NAME: "a\u{0}b", "metadata": {NAME: 1}})], None)
            }
            "/iam/v2/role-bindings" if asked.parameter("principal").is_none() => {
                let below = format!("{CRN}/environment=env-1/thing={NAME}/other=x");
                Reply::page([binding("rb-1", &below)], None)
            }
            _ => ordinary(asked),
        });
        let tap = service.tap().set("personal_data", personal).set("schema_drift", drift);
        let run = tap.set("personal_data_key", "a key for the hashes").arg("--log-level=debug").run();
        assert!(!run.stderr.contains("lovelace"), "a name is told: {}", run.stderr);
        let run = run.expect_code(code);
        assert!(run.says("WARN", &["role_bindings", "1 Confluent Resource Name"]));
        let level = if code == 0 { "WARN" } else { "ERROR" };
        assert!(run.says(level, &["users", "unknown"]), "that there is an unknown field is not told");
    }
}

#[test]
fn only_the_start_of_a_page_token_is_quoted() {
    let token = "opaque-token-of-a-page";
    let service = Reply::page([json!({"id": "u-1"})], Some(token));
    let run = answered("/iam/v2/users", service, |tap| tap).expect_code(5);
    let run = run.expect_line("ERROR", ["users", "repeated page token", "\"opaque-t"]);
    assert!(!run.stderr.contains(&token[..9]), "more of the token is quoted");
}
