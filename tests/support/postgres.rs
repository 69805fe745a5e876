//! The PostgreSQL of the tests: one server, started where a test first asks it for something.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::runtimes::script;

/// One server for all tests; it ends, and its files go, when its stdin does.
pub struct Postgres {
    _child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    url: String,
}

impl Postgres {
    fn start() -> Self {
        // A short path: it becomes the name of a socket. The server itself removes what is in it.
        let folder = TempDir::new().unwrap().keep();
        let mut python = script("postgres", "postgres_server.py");
        python.arg(folder);
        let mut child = python.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (to, mut from) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut url = String::new();
        from.read_line(&mut url).unwrap();
        assert!(url.starts_with("postgresql"), "the server does not start: {url}");
        Self { _child: child, to, from, url: url.trim_end().to_owned() }
    }

    fn with<T>(what: impl FnOnce(&mut Self) -> T) -> T {
        static SERVER: OnceLock<Mutex<Postgres>> = OnceLock::new();
        let server = SERVER.get_or_init(|| Mutex::new(Self::start()));
        what(&mut server.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn url() -> String {
        Self::with(|server| server.url.clone())
    }

    /// The rows that a query gives.
    #[track_caller]
    pub fn query(sql: &str) -> Vec<Vec<Value>> {
        let answer = Self::with(|server| {
            writeln!(server.to, "{}", json!(sql)).unwrap();
            let mut answer = String::new();
            server.from.read_line(&mut answer).unwrap();
            answer
        });
        serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{sql}: {answer}"))
    }
}
