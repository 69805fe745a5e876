//! A client that knows nothing but sockets.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;
use simulator::{STREAMS, Simulator, Stream};

pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.body))
    }
}

pub fn encode(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

pub fn ask(sim: &Simulator, target: &str, (key, secret): (&str, &str)) -> std::io::Result<Vec<u8>> {
    let address = sim.base_url().replace("http://", "");
    let mut socket = TcpStream::connect(address)?;
    let key = STANDARD.encode(format!("{key}:{secret}"));
    write!(
        socket,
        "GET {target} HTTP/1.1\r\nHost: test\r\nUser-Agent: raw\r\nAuthorization: Basic {key}\r\nConnection: close\r\n\r\n"
    )?;
    // Nothing here takes long: a simulator that hangs must fail its test, not stop it.
    socket.set_read_timeout(Some(Duration::from_secs(20)))?;
    let mut bytes = Vec::new();
    socket.read_to_end(&mut bytes)?;
    Ok(bytes)
}

pub fn get_with(sim: &Simulator, target: &str, key: (&str, &str)) -> Answer {
    let text = String::from_utf8(ask(sim, target, key).expect("an answer")).expect("text");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

pub fn get(sim: &Simulator, target: &str) -> Answer {
    get_with(sim, target, (sim.api_key(), sim.api_secret()))
}

/// The token in a page's next link, decoded.
pub fn next(page: &Value) -> Option<String> {
    let link = page["metadata"]["next"].as_str().filter(|link| !link.is_empty())?;
    let query = link.split_once('?').expect("a query").1;
    let token = query.split('&').find_map(|pair| pair.strip_prefix("page_token=")).expect("a token");
    Some(percent_decode_str(token).decode_utf8().unwrap().into_owned())
}

/// All rows of a listing, tried again after hiccups.
pub fn read_all(sim: &Simulator, path: &str) -> Vec<Value> {
    let (mut rows, mut token, mut tries) = (Vec::new(), None::<String>, 0);
    let joint = if path.contains('?') { '&' } else { '?' };
    loop {
        let place = token.as_ref().map_or(String::new(), |token| format!("&page_token={}", encode(token)));
        let answer = get(sim, &format!("{path}{joint}page_size=99{place}"));
        if answer.status == 429 || answer.status == 503 {
            tries += 1;
            assert!(tries <= 2, "more than two hiccups in a row");
            continue;
        }
        assert_eq!(answer.status, 200, "{sim:?} {}", answer.body);
        tries = 0;
        let page = answer.json();
        rows.extend(page["data"].as_array().cloned().unwrap_or_default());
        token = next(&page);
        if token.is_none() {
            return rows;
        }
    }
}

/// The streams whose listings need nothing but their path.
pub fn flat() -> impl Iterator<Item = &'static Stream> {
    STREAMS.iter().filter(|stream| stream.parent().is_none() && stream.parameters().is_empty())
}

pub fn bindings(sim: &Simulator, pattern: &str) -> Vec<Value> {
    read_all(sim, &format!("/iam/v2/role-bindings?crn_pattern={}", encode(pattern)))
}

pub fn organization(sim: &Simulator) -> String {
    format!("crn://confluent.cloud/organization={}", sim.organization_id())
}
