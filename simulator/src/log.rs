//! What was asked, in order of arrival, and how many streams were asked for at once.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde_json::json;

/// What the endpoints that give tokens are called where others are called by their stream.
pub const PROVIDER: &str = "(provider)";
pub const EXCHANGE: &str = "(exchange)";

/// One request as it arrived and what became of it.
#[derive(Clone, Debug)]
pub struct Request {
    /// Counted from 1, in order of arrival.
    pub number: u64,
    pub method: String,
    pub path: String,
    /// Decoded.
    pub query: Vec<(String, String)>,
    /// What was posted, decoded.
    pub form: Vec<(String, String)>,
    /// The endpoint that gives tokens which was asked: `(provider)` or `(exchange)`.
    pub endpoint: Option<&'static str>,
    /// The stream whose listing, or one of whose records, was asked for.
    pub stream: Option<String>,
    pub started: Instant,
    /// When the answer was decided, or the client had gone; none while it is under way.
    pub ended: Option<Instant>,
    /// None if no status line was sent.
    pub status: Option<u16>,
    /// Whether it carried a key that works, and its secret.
    pub authorized: bool,
    /// Whether it carried any `Authorization` header.
    pub has_authorization: bool,
    pub user_agent: Option<String>,
    pub host: Option<String>,
}

impl Request {
    /// The first query parameter of this name.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

#[derive(Default)]
struct Entries {
    requests: Vec<Request>,
    open: Vec<(u64, String)>,
    max_open: usize,
}

pub struct Log {
    began: Instant,
    entries: Mutex<Entries>,
    file: Option<Mutex<File>>,
}

/// A test that failed while holding a lock must not hide its reason behind this crate's.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Log {
    pub fn new(file: Option<&Path>) -> Self {
        let file = file.map(|path| Mutex::new(File::create(path).expect("the log file can be written")));
        Self { began: Instant::now(), entries: Mutex::default(), file }
    }

    /// Notes a request and gives it its number.
    pub fn arrived(&self, mut request: Request) -> u64 {
        let mut entries = lock(&self.entries);
        request.number = entries.requests.len() as u64 + 1;
        let number = request.number;
        if let Some(stream) = &request.stream {
            entries.open.push((number, stream.clone()));
            let mut streams: Vec<&str> = entries.open.iter().map(|(_, name)| name.as_str()).collect();
            streams.sort_unstable();
            streams.dedup();
            entries.max_open = entries.max_open.max(streams.len());
        }
        entries.requests.push(request);
        number
    }

    /// Notes what a request is answered. The first call closes it; a later one is no news.
    pub fn ended(&self, number: u64, status: Option<u16>) {
        let mut entries = lock(&self.entries);
        let request = &mut entries.requests[(number - 1) as usize];
        if request.ended.is_some() {
            return;
        }
        request.status = status;
        request.ended = Some(Instant::now());
        let line = self.file.as_ref().map(|_| self.line(request));
        entries.open.retain(|(open, _)| *open != number);
        drop(entries);
        if let (Some(file), Some(line)) = (&self.file, line) {
            // A full disk is no reason to stop answering.
            let _ = lock(file).write_all(line.as_bytes());
        }
    }

    fn line(&self, request: &Request) -> String {
        let since = |moment: Instant| moment.duration_since(self.began).as_secs_f64();
        let entry = json!({
            "number": request.number, "method": request.method, "path": request.path, "query": request.query,
            "endpoint": request.endpoint, "stream": request.stream, "started": since(request.started), "ended": request.ended.map(since),
            "status": request.status, "authorized": request.authorized,
            "has_authorization": request.has_authorization, "user_agent": request.user_agent, "host": request.host,
        });
        format!("{entry}\n")
    }

    pub fn requests(&self) -> Vec<Request> {
        lock(&self.entries).requests.clone()
    }

    pub fn max_open(&self) -> usize {
        lock(&self.entries).max_open
    }
}
