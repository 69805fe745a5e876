//! Where requests go and by which road: https, proxies, redirects.

use std::fs::File;
use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::channel;
use std::thread;

use simulator::{At, Fault, Simulator};

use crate::support::{OTHERS, assert_whole, assert_whole_of, polite, rude, small, tap};

#[test]
fn https_is_read_if_its_certificate_authority_is_trusted() {
    let sim = Simulator::start(rude().https());
    let certificate = sim.certificate().unwrap().to_owned();
    let run = tap(&sim).set("page_size", 50).env_file("SSL_CERT_FILE", &certificate).run();
    assert_whole(&run, &sim);
}

#[test]
fn an_unknown_certificate_authority_is_reported_with_a_remedy() {
    let sim = Simulator::start(small().https());
    tap(&sim).run().expect_refusal(2, ["certificate", "SSL_CERT_FILE"]);
    let other = Simulator::start(small().https());
    let certificate = other.certificate().unwrap().to_owned();
    tap(&sim)
        .env_file("SSL_CERT_FILE", &certificate)
        .run()
        .expect_refusal(2, ["certificate", "SSL_CERT_FILE"]);
    assert!(sim.requests().is_empty(), "a request went to a server of an unknown authority");
}

#[test]
fn no_certificates_are_read_where_tls_is_not_spoken() {
    let (sim, folder) = (Simulator::start(small()), tempfile::tempdir().unwrap());
    let pipe = folder.path().join("certificates.pem");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    // A pipe cannot be opened for writing before somebody opens it for reading.
    let (opened, is_opened) = channel();
    let (writer, reader) = (pipe.clone(), pipe.to_str().unwrap());
    let waiting = thread::spawn(move || opened.send(File::options().write(true).open(writer).is_ok()));
    assert_whole(&tap(&sim).env("SSL_CERT_FILE", reader).run(), &sim);
    assert!(is_opened.try_recv().is_err(), "somebody has opened it");
    drop(File::open(reader).unwrap());
    assert_eq!(is_opened.recv(), Ok(true));
    waiting.join().unwrap().unwrap();
}

/// A listener that counts who comes, and hangs up.
fn recording_listener() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let came = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&came);
    thread::spawn(move || {
        for _ in listener.incoming() {
            counted.fetch_add(1, SeqCst);
        }
    });
    (format!("http://{address}"), came)
}

#[test]
fn loopback_http_goes_through_no_proxy() {
    let sim = Simulator::start(small());
    let (proxy, came) = recording_listener();
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "HTTPS_PROXY", "https_proxy"] {
        assert_whole(&tap(&sim).env(name, &proxy).run(), &sim);
    }
    let localhost = sim.base_url().replace("127.0.0.1", "localhost");
    assert_whole(&tap(&sim).set("base_url", localhost).env("HTTP_PROXY", &proxy).run(), &sim);
    assert_eq!(came.load(SeqCst), 0, "the proxy was asked");
}

#[test]
fn a_redirect_to_another_origin_is_not_followed() {
    let sim = Simulator::start(small());
    let other = Simulator::start(small());
    let elsewhere = format!("{}/iam/v2/users?page_size=100", other.base_url());
    sim.add_fault(Fault::RedirectTo(elsewhere), At::stream("users"));
    let run = tap(&sim).run().expect_line("ERROR", ["users", "redirect"]);
    assert!(other.requests().is_empty(), "a request went to the other origin");
    assert_eq!(run.code(), Some(5), "exit code");
    assert!(run.records("users").is_empty());
    assert_whole_of(&run, &sim, &OTHERS);
}

#[test]
fn a_redirect_to_another_name_or_scheme_of_the_host_is_not_followed() {
    for change in
        [|url: String| url.replace("127.0.0.1", "localhost"), |url: String| url.replace("http:", "https:")]
    {
        let sim = Simulator::start(small());
        sim.add_fault(
            Fault::RedirectTo(change(format!("{}/api/iam/v2/users", sim.base_url()))),
            At::stream("users").nth(1),
        );
        let run = tap(&sim).run().expect_line("ERROR", ["users", "redirect"]);
        assert_eq!(run.code(), Some(5), "exit code");
        assert!(run.requests.iter().all(|request| request.path != "/api/iam/v2/users"), "it was followed");
    }
}

#[test]
fn a_redirect_on_the_same_origin_is_followed() {
    let sim = Simulator::start(polite());
    let alias = format!("{}/api/iam/v2/users?page_size=100", sim.base_url());
    for to in [alias.as_str(), "/api/iam/v2/users?page_size=100"] {
        sim.clear_faults();
        sim.add_fault(Fault::RedirectTo(to.to_owned()), At::stream("users").nth(1));
        let run = tap(&sim).run();
        assert_whole(&run, &sim);
        assert!(run.requests.iter().any(|request| request.path == "/api/iam/v2/users" && request.authorized));
    }
}

#[test]
fn redirects_without_end_are_given_up() {
    let sim = Simulator::start(small());
    sim.add_fault(Fault::RedirectTo(format!("{}/iam/v2/users", sim.base_url())), At::stream("users"));
    let run = tap(&sim).set("max_retries", 2).run().expect_line("ERROR", ["users", "redirect"]);
    assert!(run.asked("users").len() <= 50, "{} requests", run.asked("users").len());
    assert_whole_of(&run, &sim, &OTHERS);
}
