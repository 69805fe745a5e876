//! A service made for one test: a function answers whatever is asked. For answers that no real
//! service would give, or only a broken one; the simulator is for all others.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};
use url::Url;

use super::tap::{Tap, bare};

/// The organization that [`ordinary`] answers for.
pub const ORGANIZATION: &str = "0e1d2c3b-4a59-6877-8695-a4b3c2d1e0f9";

/// Its Confluent Resource Name.
pub const CRN: &str = "crn://confluent.cloud/organization=0e1d2c3b-4a59-6877-8695-a4b3c2d1e0f9";

/// The key and the secret that [`Pretend::tap`] sends.
pub const KEY: &str = "PRETENDKEY234567";
pub const SECRET: &str = "pretend/Secret+of/Forty8characters0123456789abcd";

/// One request.
#[derive(Clone, Debug)]
pub struct Asked {
    pub path: String,
    pub query: Vec<(String, String)>,
    /// The request line and the headers, one a line.
    pub head: String,
}

impl Asked {
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// One answer; its length is added.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }.with_header("X-Request-Id", "req-pretend-1")
    }

    /// The one page of a listing, or, with the token of a next one, one of several.
    pub fn page(records: impl IntoIterator<Item = Value>, next: Option<&str>) -> Self {
        let records: Vec<Value> = records.into_iter().collect();
        let metadata = match next {
            Some(token) => {
                let mut link = Url::parse("https://api.confluent.cloud/next").unwrap();
                link.query_pairs_mut().append_pair("page_token", token);
                json!({"next": link.as_str()})
            }
            None => json!({}),
        };
        Self::new(200, json!({"data": records, "metadata": metadata}).to_string())
    }

    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// A running pretend service, on a free port of 127.0.0.1. Its threads end with the test process.
pub struct Pretend {
    pub url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Pretend {
    pub fn start(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (answer, kept) = (Arc::new(answer), Arc::clone(&asked));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answer, kept) = (Arc::clone(&answer), Arc::clone(&kept));
                thread::spawn(move || {
                    // A client that hangs up ends the connection, not the test.
                    let _ = serve(stream, &kept, &*answer);
                });
            }
        });
        Self { url, asked }
    }

    /// An ordinary service but for one path.
    pub fn but(path: &'static str, answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        Self::start(move |asked| if asked.path == path { answer(asked) } else { ordinary(asked) })
    }

    /// All requests so far whose path ends like this.
    pub fn asked(&self, path: &str) -> Vec<Asked> {
        self.asked.lock().unwrap().iter().filter(|asked| asked.path.ends_with(path)).cloned().collect()
    }

    /// The binary with a configuration that fits it and waits for nothing.
    pub fn tap(&self) -> Tap<'static> {
        bare().config(json!({
            "base_url": self.url, "api_key": KEY, "api_secret": SECRET, "retry_base_seconds": 0.001,
        }))
    }
}

fn serve(
    stream: TcpStream,
    kept: &Mutex<Vec<Asked>>,
    answer: &dyn Fn(&Asked) -> Reply,
) -> std::io::Result<()> {
    let (mut reader, mut writer) = (BufReader::new(stream.try_clone()?), stream);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head)? == 0 {
                return Ok(());
            }
        }
        let target = head.split(' ').nth(1).unwrap_or_default();
        let url = Url::parse("http://pretend.invalid").unwrap().join(target).unwrap();
        let query = url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned()));
        let asked = Asked { path: url.path().to_owned(), query: query.collect(), head };
        kept.lock().unwrap().push(asked.clone());
        let Reply { status, headers, body } = answer(&asked);
        let mut answer = format!("HTTP/1.1 {status} Pretend\r\nContent-Length: {}\r\n", body.len());
        for (name, value) in headers {
            answer.push_str(&format!("{name}: {value}\r\n"));
        }
        writer.write_all(&[answer.as_bytes(), b"\r\n", &body].concat())?;
    }
}

/// What a healthy organization with one or two records of each kind answers. Both readings of a
/// bare `crn_pattern` are the same here: `/*` brings what is below it too.
pub fn ordinary(asked: &Asked) -> Reply {
    let timed = |mut record: Value| {
        record["metadata"] = json!({"created_at": "2026-03-02T12:00:00.123456Z"});
        record
    };
    let one = |record: Value| Reply::page([timed(record)], None);
    match asked.path.as_str() {
        "/org/v2/organizations" => Reply::page([organization()], None),
        "/org/v2/environments" => Reply::page([environment("env-1")], None),
        "/iam/v2/users" => one(json!({"id": "u-1", "email": "ada@example.com", "full_name": "Ada Example"})),
        "/iam/v2/invitations" => one(json!({"id": "i-1", "email": "new@example.com", "user": {"id": "u-2"}})),
        "/iam/v2/service-accounts" => one(json!({"id": "sa-1", "display_name": "robot"})),
        "/iam/v2/role-bindings" => {
            let pattern = asked.parameter("crn_pattern").unwrap_or_default();
            let all = [("rb-1", String::new()), ("rb-2", "/environment=env-1".to_owned())];
            let found = all.into_iter().map(|(id, below)| binding(id, &format!("{CRN}{below}")));
            let found = found.filter(|row| {
                row["crn_pattern"] == pattern
                    || pattern.strip_suffix('*').is_some_and(|scope| {
                        row["crn_pattern"].as_str().is_some_and(|own| format!("{own}/").starts_with(scope))
                    })
            });
            Reply::page(found, None)
        }
        "/iam/v2/api-keys" => one(json!({"id": KEY, "spec": {"owner": {"id": "u-1"}}})),
        path if path.starts_with("/iam/v2/api-keys/") => {
            Reply::new(200, json!({"id": KEY, "spec": {"owner": {"id": "u-1"}}}).to_string())
        }
        "/cmk/v2/clusters" => one(json!({"id": "lkc-1", "spec": {"environment": {"id": "env-1"}}})),
        _ => Reply::new(404, "404 page not found\n"),
    }
}

pub fn organization() -> Value {
    json!({"id": ORGANIZATION, "display_name": "Pretend", "metadata": {"resource_name": CRN}})
}

pub fn environment(id: &str) -> Value {
    json!({"id": id, "display_name": id, "metadata": {"resource_name": format!("{CRN}/environment={id}")}})
}

/// A role binding of the first user.
pub fn binding(id: &str, pattern: &str) -> Value {
    json!({
        "id": id, "principal": "User:u-1", "role_name": "OrganizationAdmin", "crn_pattern": pattern,
        "metadata": {"created_at": "2026-03-02T12:00:00.123456Z"},
    })
}

#[test]
fn an_ordinary_service_is_read_whole() {
    let service = Pretend::start(ordinary);
    let run = service.tap().run().expect_code(0);
    assert_eq!(run.ids("role_bindings"), ["rb-1", "rb-2"]);
    for (stream, id) in [("users", "u-1"), ("invitations", "i-1"), ("service_accounts", "sa-1")] {
        assert_eq!(run.ids(stream), [id]);
    }
    let head = &service.asked("/iam/v2/users")[0].head;
    assert!(head.to_lowercase().contains("\nauthorization: basic "), "{head}");
}
