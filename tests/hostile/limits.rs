//! Servers that never answer, never end, or answer with more than anyone should swallow: each ends
//! within its stated limit, in bounded memory, with words that name the limit.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use simulator::{At, Fault, Simulator};

use crate::support::pretend::{Pretend, Reply, ordinary};
use crate::support::{MEMORY, OTHERS, Run, Tap, airbyte, assert_whole, assert_whole_of, polite, small, tap};

/// Bytes that a body may have, packed or not.
const LARGEST: usize = 16 << 20;

/// Runs it to the end and watches its memory.
#[track_caller]
fn run_in_bounded_memory(tap: Tap<'_>) -> Run {
    let (run, peak) = tap.spawn().finish_measured();
    assert!(peak < MEMORY, "it had {peak} KiB in memory");
    run
}

/// Users meet this and fail as broken; the words name the limit, and the others are whole.
#[track_caller]
fn assert_refused(fault: Fault, words: &[&str]) -> Run {
    let sim = Simulator::start(small());
    sim.add_fault(fault, At::stream("users"));
    let run = run_in_bounded_memory(tap(&sim).set("max_retries", 2)).expect_code(5);
    assert!(run.says("ERROR", &["users"]), "users are not named");
    assert!(run.says("ERROR", words), "no ERROR line has all of {words:?}");
    assert_eq!(run.asked("users").len(), 1, "it was asked for again");
    assert_whole_of(&run, &sim, &OTHERS);
    run
}

/// Users meet this once, in the place of their only page, and are read from it.
#[track_caller]
fn assert_read(fault: Fault, id: &str) {
    let sim = Simulator::start(small());
    sim.add_fault(fault, At::stream("users"));
    let run = run_in_bounded_memory(tap(&sim).set("streams", json!(["users"]))).expect_code(0);
    assert_eq!(run.ids("users"), [id]);
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn labelled() -> Vec<(String, String)> {
    vec![("Content-Encoding".to_owned(), "gzip".to_owned())]
}

/// A page of one user, as long as this.
fn page_of(bytes: usize) -> Vec<u8> {
    let (start, end) = (r#"{"data":[{"id":"u-long00","blank":""#, r#""}]}"#);
    let blank = "x".repeat(bytes - start.len() - end.len());
    format!("{start}{blank}{end}").into_bytes()
}

/// Deterministic noise, which does not get shorter by packing.
fn noise(bytes: usize) -> Vec<u8> {
    let mut dice = fastrand::Rng::with_seed(7);
    (0..bytes).map(|_| dice.alphanumeric() as u8).collect()
}

#[test]
fn a_body_of_sixteen_mebibytes_is_read_packed_or_not() {
    assert_read(Fault::Body(page_of(LARGEST), Vec::new()), "u-long00");
    assert_read(Fault::Body(gzip(&page_of(LARGEST)), labelled()), "u-long00");
    assert_read(Fault::Body(gzip(&page_of(LARGEST)), Vec::new()), "u-long00");
}

#[test]
fn a_body_one_byte_longer_is_refused_packed_or_not() {
    for fault in [
        Fault::Body(page_of(LARGEST + 1), Vec::new()),
        Fault::Body(gzip(&page_of(LARGEST + 1)), labelled()),
        Fault::Body(gzip(&page_of(LARGEST + 1)), Vec::new()),
        Fault::Body(gzip(&noise(LARGEST * 2)), labelled()),
    ] {
        drop(assert_refused(fault, &["users", "16 MiB"]));
    }
}

#[test]
fn an_endless_body_is_refused_with_the_limit_named() {
    drop(assert_refused(Fault::Endless, &["users", "16 MiB"]));
}

#[test]
fn a_body_that_unpacks_to_a_gibibyte_is_refused() {
    // A stream of gzip members is unpacked as one; 64 members of 16 MiB are quickly made.
    let member = gzip(&vec![b' '; LARGEST]);
    let one = gzip(&vec![b' '; 256 << 20]);
    for bomb in [member.repeat(64), one] {
        for headers in [Vec::new(), labelled()] {
            drop(assert_refused(Fault::Body(bomb.clone(), headers), &["users"]));
        }
    }
}

#[test]
fn an_error_whose_body_is_a_gzip_bomb_is_still_reported() {
    let sim = Simulator::start(small());
    let bomb = Fault::Packed(Box::new(Fault::plain(409, &"no way ".repeat(8 << 20))));
    for fault in [bomb, Fault::plain(409, &"no way ".repeat(3 << 20))] {
        sim.clear_faults();
        sim.add_fault(fault, At::stream("users"));
        let run = run_in_bounded_memory(tap(&sim)).expect_code(5).expect_line("ERROR", ["users", "409"]);
        assert!(run.stderr.len() < 10_000, "{} bytes on stderr", run.stderr.len());
        assert_whole_of(&run, &sim, &OTHERS);
    }
}

#[test]
fn gzip_is_told_by_its_first_bytes_whatever_the_header_says() {
    let page = page_of(200);
    assert_read(Fault::Body(gzip(&page), labelled()), "u-long00");
    assert_read(Fault::Body(gzip(&page), Vec::new()), "u-long00");
    assert_read(Fault::Body(page, labelled()), "u-long00");
    let sim = Simulator::start(polite());
    sim.add_fault(Fault::GzipUnlabelled, At::any());
    assert_whole(&tap(&sim).set("page_size", 50).run(), &sim);
}

#[test]
fn an_error_in_unlabelled_gzip_is_quoted() {
    for (status, code) in [(401, 3), (403, 3), (409, 5), (503, 4)] {
        let sim = Simulator::start(small());
        let fault = Fault::Packed(Box::new(Fault::errors(status, "no rows for you today")));
        sim.add_fault(fault, At::stream("users"));
        let run = tap(&sim).set("max_retries", 1).run().expect_code(code);
        let status = status.to_string();
        drop(run.expect_line("ERROR", ["users", status.as_str(), "no rows for you today"]));
    }
}

#[test]
fn a_truncated_or_false_gzip_body_is_refused() {
    let packed = gzip(&page_of(100_000));
    for body in [packed[..packed.len() / 2].to_vec(), packed[..5].to_vec(), b"\x1f\x8bnot packed".to_vec()] {
        for headers in [Vec::new(), labelled()] {
            let sim = Simulator::start(small());
            sim.add_fault(Fault::Body(body.clone(), headers), At::stream("users"));
            let run = tap(&sim).set("max_retries", 1).run().expect_line("ERROR", ["users"]);
            assert!(matches!(run.code(), Some(4 | 5)), "exit code {:?}", run.code());
            assert!(run.records("users").is_empty());
            assert_whole_of(&run, &sim, &OTHERS);
        }
    }
}

fn nested(levels: usize) -> String {
    format!("{}{}", "[".repeat(levels), "]".repeat(levels))
}

/// How deep a record may be nested: serde_json takes lines of 127 levels, and Airbyte's messages are two.
const DEEPEST: usize = 125;

/// A page of one record, itself one level of so many.
fn deep_record(levels: usize) -> Fault {
    let record = format!(r#"{{"id":"u-deep00","deep":{}}}"#, nested(levels - 1));
    Fault::Body(format!(r#"{{"data":[{record}]}}"#).into_bytes(), Vec::new())
}

#[test]
fn a_record_may_be_nested_as_deep_as_its_message_can_be_parsed() {
    // Our own parsers of messages give up where others do.
    assert_read(deep_record(DEEPEST), "u-deep00");
    drop(assert_refused(deep_record(DEEPEST + 1), &["users", "nested", &DEEPEST.to_string()]));
    let objects = r#"{"a":"#.repeat(200) + "1" + &"}".repeat(200);
    let body = format!(r#"{{"data":[{{"id":"u-deep00","deep":{objects}}}]}}"#);
    drop(assert_refused(Fault::Body(body.into_bytes(), Vec::new()), &["users", "nested"]));
}

#[test]
fn the_deepest_record_can_be_parsed_under_airbyte_too() {
    let sim = Simulator::start(small());
    sim.add_fault(deep_record(DEEPEST), At::stream("users"));
    let stream = json!({"name": "users", "json_schema": {}, "supported_sync_modes": ["full_refresh"]});
    let chosen = json!({"stream": stream, "sync_mode": "full_refresh", "destination_sync_mode": "overwrite"});
    let catalog = json!({"streams": [chosen]});
    let run = tap(&sim).verb("read").speaks_airbyte().catalog(&catalog).run().expect_code(0);
    let messages = airbyte::parse(&run.stdout).unwrap_or_else(|error| panic!("{error}"));
    assert!(messages.iter().any(|message| matches!(message, airbyte::Message::Record { .. })), "no RECORD");
}

#[test]
fn an_endlessly_nested_envelope_is_refused() {
    for deep in [
        format!(r#"{{"data":{}}}"#, nested(200_000)),
        format!(r#"{{"data":[],"metadata":{}}}"#, nested(200_000)),
        format!(r#"{{"data":[],"metadata":{{"next":{}}}}}"#, nested(200_000)),
        nested(200_000),
        r#"{"data":"#.repeat(200_000),
    ] {
        drop(assert_refused(Fault::Body(deep.into_bytes(), Vec::new()), &["users"]));
    }
}

#[test]
fn unread_parts_of_an_envelope_may_be_nested_deeply() {
    let body = format!(r#"{{"odd":{},"data":[{{"id":"u-odd000"}}]}}"#, nested(200_000));
    assert_read(Fault::Body(body.into_bytes(), Vec::new()), "u-odd000");
}

#[test]
fn an_array_instead_of_an_envelope_is_refused() {
    for body in
        ["[[],{}]", "[null,null]", r#"{"data":[],"metadata":[null]}"#, r#"{"data":[],"metadata":[""]}"#]
    {
        drop(assert_refused(Fault::Body(body.into(), Vec::new()), &["users"]));
    }
}

/// Users whose first page leads to a second by this token.
fn with_token(token: String) -> Pretend {
    Pretend::start(move |asked| match (asked.path.as_str(), asked.parameter("page_token")) {
        ("/iam/v2/users", None) => Reply::page([json!({"id": "u-1"})], Some(&token)),
        ("/iam/v2/users", Some(found)) if found == token => Reply::page([json!({"id": "u-2"})], None),
        _ => ordinary(asked),
    })
}

#[test]
fn a_page_token_may_be_eight_kibibytes_long_and_no_longer() {
    // A slash takes three bytes in the link; what counts is the token.
    for text in ["x", "/"] {
        let token = text.repeat(8 << 10);
        let run = with_token(token.clone()).tap().run().expect_code(0);
        assert_eq!(run.ids("users"), ["u-1", "u-2"]);
        let service = with_token(token + text);
        let run = service.tap().run().expect_code(5);
        let run = run.expect_line("ERROR", ["users", "page token", "8 KiB", "req-pretend-1"]);
        assert_eq!(service.asked("/iam/v2/users").len(), 1);
        assert!(!run.stderr.contains(&text.repeat(100)), "the token is quoted");
        assert!(!run.stdout.contains(&text.repeat(100)), "the token is kept");
        assert_eq!(run.ids("invitations"), ["i-1"]);
    }
}

/// A server that reads a request's head and then does as it likes.
fn rough_server(answer: fn(&mut TcpStream) -> std::io::Result<()>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            thread::spawn(move || {
                let mut head = [0; 4096];
                if stream.read(&mut head).is_ok() {
                    // The client hangs up on it, as it should.
                    let _ = answer(&mut stream);
                }
            });
        }
    });
    format!("http://{address}")
}

/// It ends in the time of two requests and a little more, unavailable or broken, without a record.
#[track_caller]
fn assert_ended(base_url: String, words: &[&str]) -> Run {
    let sim = Simulator::start(small());
    let tap = tap(&sim).set("base_url", base_url).set("request_timeout_seconds", 0.4).set("max_retries", 1);
    let run = run_in_bounded_memory(tap);
    assert!(matches!(run.code(), Some(4 | 5)), "exit code {:?}", run.code());
    assert!(run.seconds < 6.0, "it took {:.1} s", run.seconds);
    assert!(run.says("ERROR", words), "no ERROR line has all of {words:?}");
    run
}

fn silent(_: &mut TcpStream) -> std::io::Result<()> {
    loop {
        thread::park();
    }
}

#[test]
fn a_server_that_never_answers_is_given_up_with_the_limit_named() {
    let words = ["request_timeout_seconds"];
    drop(assert_ended(rough_server(silent), &words).expect_code(4));
    let https = rough_server(silent).replace("http:", "https:");
    drop(assert_ended(https, &words).expect_code(4));
}

#[test]
fn a_trickling_answer_is_given_up_with_the_limit_named() {
    let drips = |stream: &mut TcpStream| {
        for byte in
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 20\r\n".iter().cycle()
        {
            stream.write_all(&[*byte])?;
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    };
    drop(assert_ended(rough_server(drips), &["request_timeout_seconds"]).expect_code(4));
    let sim = Simulator::start(small());
    sim.add_fault(Fault::Drip, At::stream("users"));
    let tap = tap(&sim).set("request_timeout_seconds", 0.4).set("max_retries", 1);
    let run = run_in_bounded_memory(tap).expect_code(4);
    assert!(run.seconds < 6.0, "it took {:.1} s", run.seconds);
    assert_whole_of(&run, &sim, &OTHERS);
    drop(run.expect_line("ERROR", ["users", "request_timeout_seconds"]));
}

#[test]
fn an_endless_head_is_given_up() {
    let headers = |stream: &mut TcpStream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\n")?;
        let lines = format!("X-Odd: {}\r\n", "x".repeat(60_000));
        loop {
            stream.write_all(lines.as_bytes())?;
        }
    };
    drop(assert_ended(rough_server(headers), &["GET"]));
    let many = |stream: &mut TcpStream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\n")?;
        for number in 0..2_000 {
            write!(stream, "X-Odd-{number}: x\r\n")?;
        }
        stream.write_all(b"Content-Length: 2\r\n\r\n{}")
    };
    drop(assert_ended(rough_server(many), &["GET"]));
    let status = |stream: &mut TcpStream| {
        stream.write_all(b"HTTP/1.1 200 ")?;
        loop {
            stream.write_all(&[b'O'; 60_000])?;
        }
    };
    drop(assert_ended(rough_server(status), &["GET"]));
    // As fast as it can be sent it would only show how fast a debug build reads.
    let again = |stream: &mut TcpStream| loop {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        thread::sleep(Duration::from_millis(1));
    };
    drop(assert_ended(rough_server(again), &["GET"]));
}

#[test]
fn a_body_announced_beyond_the_limit_is_refused_before_it_comes() {
    let announced = |stream: &mut TcpStream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n{")?;
        silent(stream)
    };
    drop(assert_ended(rough_server(announced), &["GET"]));
    let chunk = |stream: &mut TcpStream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffff\r\n{")?;
        silent(stream)
    };
    drop(assert_ended(rough_server(chunk), &["GET"]));
}

#[test]
fn an_answer_that_is_not_http_is_given_up() {
    for answer in [
        |stream: &mut TcpStream| stream.write_all(b"SSH-2.0-OpenSSH_9.9\r\n"),
        |stream: &mut TcpStream| stream.write_all(b"\x15\x03\x01\x00\x02\x02\x50"),
        |stream: &mut TcpStream| stream.write_all(b""),
        |stream: &mut TcpStream| stream.write_all(b"HTTP/1.1 999 \r\nContent-Length: -7\r\n\r\n"),
    ] {
        drop(assert_ended(rough_server(answer), &["GET"]));
    }
}
