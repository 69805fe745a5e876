//! A proxy that every run of the suite is told of and none may use: all services are on loopback.
//! Whatever asks it for anything is noted, and a credential among it fails the run.

use std::io::Read;
use std::net::TcpListener;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

static URL: OnceLock<String> = OnceLock::new();
static HEARD: Mutex<String> = Mutex::new(String::new());

/// The proxy's address; it listens from the first call on.
pub fn proxy() -> &'static str {
    URL.get_or_init(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let (mut head, timeout) = (vec![0; 4096], Duration::from_millis(500));
                stream.set_read_timeout(Some(timeout)).unwrap();
                let length = stream.read(&mut head).unwrap_or_default();
                let head = String::from_utf8_lossy(&head[..length]).to_lowercase();
                HEARD.lock().unwrap_or_else(PoisonError::into_inner).push_str(&head);
            }
        });
        url
    })
}

/// Fails if anything that was asked so far carried credentials.
#[track_caller]
pub fn assert_no_credentials() {
    let heard = HEARD.lock().unwrap_or_else(PoisonError::into_inner).clone();
    assert!(!heard.contains("authorization"), "the proxy was handed credentials: {heard}");
}
