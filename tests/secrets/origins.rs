//! Where credentials go: to the configured origin and to nobody else, whatever redirects, links and
//! proxies say; and whom the binary believes to be that origin.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use simulator::{At, Fault, Simulator};

use crate::support::{OTHERS, Run, Tap, assert_whole, assert_whole_of, polite, secrets_of, small, tap};

#[test]
fn no_redirect_takes_the_key_to_another_origin() {
    for status in [301, 302, 303, 307, 308] {
        let (sim, other) = (Simulator::start(small()), Simulator::start(small()));
        let port = other.base_url().rsplit(':').next().unwrap().to_owned();
        for elsewhere in [
            format!("{}/iam/v2/users", other.base_url()),
            format!("//127.0.0.1:{port}/iam/v2/users"),
            format!("http://user:word@127.0.0.1:{port}/iam/v2/users"),
            format!("http://localhost:{port}/iam/v2/users"),
        ] {
            sim.clear_faults();
            sim.add_fault(Fault::status(status).with_header("Location", &elsewhere), At::stream("users"));
            let run = tap(&sim).set("max_retries", 1).run().expect_line("ERROR", ["users", "redirect"]);
            assert_eq!(run.code(), Some(5), "exit code after {status}");
            assert!(run.records("users").is_empty());
            assert_whole_of(&run, &sim, &OTHERS);
        }
        assert!(other.requests().is_empty(), "a request went to the other origin after {status}");
    }
}

#[test]
fn a_second_redirect_to_another_origin_is_not_followed() {
    let (sim, other) = (Simulator::start(small()), Simulator::start(small()));
    let away = format!("{}/iam/v2/users", other.base_url());
    sim.add_fault(Fault::RedirectTo("/api/iam/v2/users".to_owned()), At::stream("users").nth(1));
    sim.add_fault(Fault::RedirectTo(away), At::stream("users").from(2));
    let run =
        tap(&sim).set("max_retries", 1).run().expect_code(5).expect_line("ERROR", ["users", "redirect"]);
    assert!(other.requests().is_empty(), "a request went to the other origin");
    assert_whole_of(&run, &sim, &OTHERS);
}

#[test]
fn every_kind_of_redirect_on_our_origin_is_followed_with_the_key() {
    for status in [301, 302, 303, 307, 308] {
        let sim = Simulator::start(polite());
        let alias = "/api/iam/v2/users?page_size=50";
        sim.add_fault(Fault::status(status).with_header("Location", alias), At::stream("users").nth(1));
        let run = tap(&sim).set("page_size", 50).run();
        assert_whole(&run, &sim);
        assert!(run.asked("users")[1].authorized && run.asked("users")[1].path.starts_with("/api/"));
    }
}

#[test]
fn a_redirect_that_loses_the_page_or_the_filter_is_not_followed() {
    for (stream, nth) in [("users", 2), ("role_bindings", 1), ("kafka_clusters", 1)] {
        let sim = Simulator::start(polite().refuse("api_keys"));
        let path = match stream {
            "users" => "/api/iam/v2/users?page_size=50",
            "role_bindings" => "/api/iam/v2/role-bindings",
            _ => "/api/cmk/v2/clusters?environment=env-other",
        };
        sim.add_fault(Fault::RedirectTo(path.to_owned()), At::stream(stream).nth(nth));
        let tap = tap(&sim).set("streams", serde_json::json!([stream])).set("page_size", 50);
        let run = tap.run().expect_code(5).expect_line("ERROR", [stream, "redirect"]);
        assert!(run.requests.iter().all(|request| !request.path.starts_with("/api/")), "{stream}: followed");
    }
}

#[test]
fn no_more_than_five_redirects_are_followed() {
    for (steps, whole) in [(5, true), (6, false)] {
        let sim = Simulator::start(polite());
        let alias = "/api/iam/v2/users?page_size=100".to_owned();
        sim.add_fault(Fault::RedirectTo(alias), At::stream("users").from(1).times(steps));
        let run = tap(&sim).set("max_retries", 0).run();
        assert_whole_of(&run, &sim, &OTHERS);
        if whole {
            assert_whole(&run, &sim);
        } else {
            let run = run.expect_line("ERROR", ["users", "redirect"]);
            assert!(run.asked("users").len() <= 6, "{} requests", run.asked("users").len());
        }
    }
}

#[test]
fn redirects_without_a_usable_target_are_reported() {
    for to in ["", "http://", "::::", "mailto:a@b", "file:///etc/passwd", "\u{e9}\u{7f}"] {
        let sim = Simulator::start(small());
        sim.add_fault(Fault::RedirectTo(to.to_owned()), At::stream("users"));
        let run = tap(&sim).set("max_retries", 0).run().expect_line("ERROR", ["users"]);
        assert_ne!(run.code(), Some(0), "redirected to {to:?}");
        assert!(run.records("users").is_empty());
        assert_whole_of(&run, &sim, &OTHERS);
    }
    let sim = Simulator::start(small());
    sim.add_fault(Fault::status(302), At::stream("users"));
    let run = tap(&sim).set("max_retries", 0).run().expect_line("ERROR", ["users", "302"]);
    assert_whole_of(&run, &sim, &OTHERS);
}

#[test]
fn next_links_to_another_origin_are_requested_from_ours() {
    let other = Simulator::start(small());
    let port = other.base_url().rsplit(':').next().unwrap().to_owned();
    for elsewhere in [
        other.base_url(),
        format!("http://127.0.0.1:{port}/some/prefix"),
        format!("http://user:word@127.0.0.1:{port}"),
        format!("//127.0.0.1:{port}"),
        String::new(),
    ] {
        let sim = Simulator::start(polite().links_to(&elsewhere));
        let run = tap(&sim).set("page_size", 20).run();
        assert_whole(&run, &sim);
        assert!(run.asked("users").len() > 10 && run.requests.iter().all(|request| request.authorized));
    }
    assert!(other.requests().is_empty(), "a request went to the other origin");
}

/// A proxy that writes down the head of each request and hangs up.
struct Proxy {
    url: String,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let heads = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&heads);
        thread::spawn(move || {
            for stream in listener.incoming() {
                kept.lock().unwrap().push(refuse(stream.unwrap()));
            }
        });
        Self { url, heads }
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

fn refuse(mut stream: TcpStream) -> String {
    let mut head = String::new();
    for line in BufReader::new(stream.try_clone().unwrap()).lines() {
        let Ok(line) = line else { break };
        if line.is_empty() {
            break;
        }
        head.push_str(&line);
        head.push('\n');
    }
    // The client may have gone.
    let _ = stream.write_all(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
    head
}

const VARIABLES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

/// The service by a name that nobody has, through a proxy of this variable.
fn by_name<'s>(sim: &'s Simulator, variable: &str, proxy: &str) -> Tap<'s> {
    tap(sim)
        .set("base_url", "https://api.confluent.invalid")
        .set("max_retries", 1)
        .set("request_timeout_seconds", 5)
        .env(variable, proxy)
}

#[track_caller]
fn assert_unavailable(run: Run) {
    let run = run.expect_code(4);
    assert!(run.says("ERROR", &["host", "base_url"]) || run.says("ERROR", &["proxy"]), "no words");
    assert_eq!(run.stdout, "");
}

#[test]
fn a_proxy_is_asked_for_a_tunnel_without_our_credentials() {
    let sim = Simulator::start(small());
    for variable in VARIABLES {
        let proxy = Proxy::start();
        assert_unavailable(by_name(&sim, variable, &proxy.url).run());
        let heads = proxy.heads();
        assert!(!heads.is_empty(), "{variable} is not honoured");
        for head in heads {
            assert!(head.starts_with("CONNECT api.confluent.invalid:443 HTTP/1.1\n"), "{head}");
            let told = head.to_lowercase();
            assert!(!told.contains("authorization"), "{head}");
            for secret in secrets_of(&sim) {
                assert!(!head.contains(&secret), "the proxy was told the secret");
            }
        }
    }
}

#[test]
fn a_proxy_gets_its_own_password_and_not_ours() {
    let sim = Simulator::start(small());
    let proxy = Proxy::start();
    let url = proxy.url.replace("http://", "http://someone:proxy-pa55@");
    let run = by_name(&sim, "HTTPS_PROXY", &url).run();
    assert!(!run.stderr.contains("proxy-pa55"), "the password of the proxy is told");
    assert_unavailable(run);
    for head in proxy.heads() {
        assert!(
            head.to_lowercase().contains("proxy-authorization: basic c29tzw9uztpwcm94es1wytu1"),
            "{head}"
        );
        assert!(!head.to_lowercase().contains("\nauthorization"), "{head}");
    }
}

#[test]
fn no_proxy_excludes_a_host() {
    let sim = Simulator::start(small());
    let proxy = Proxy::start();
    let run = by_name(&sim, "HTTPS_PROXY", &proxy.url).env("NO_PROXY", "localhost,.invalid").run();
    assert_unavailable(run);
    assert_eq!(proxy.heads(), [] as [String; 0], "the proxy was asked");
}

#[test]
fn an_unreachable_proxy_is_reported() {
    let sim = Simulator::start(small());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    assert_unavailable(by_name(&sim, "HTTPS_PROXY", &gone).run());
}

/// Values that make no proxy, each with a password in it.
const BROKEN: [&str; 11] = [
    "http://[bad-proxy-pa55",
    "http://someone:proxy-pa55@",
    "http://someone:proxy-pa55@:8080",
    "http://someone:proxy-pa55@proxy.invalid:99999",
    "http://someone:proxy-pa55@proxy.invalid:port",
    "http://someone:proxy pa55@proxy.invalid",
    " http://someone:proxy-pa55@proxy.invalid",
    "ftp://someone:proxy-pa55@proxy.invalid",
    "socks5://someone:proxy-pa55@proxy.invalid:1080",
    "socks5h://someone:proxy-pa55@proxy.invalid:1080",
    "proxy-pa55 ",
];

#[test]
fn a_broken_proxy_is_an_error_naming_the_variable_not_its_value() {
    let sim = Simulator::start(small());
    let good = Proxy::start();
    for variable in VARIABLES {
        for broken in BROKEN {
            let run = by_name(&sim, variable, broken).run().expect_refusal(2, [variable, "proxy", "http://"]);
            assert!(!run.stderr.contains("pa55"), "the value of {variable} is told");
        }
    }
    // The one that would be used, and not the one that reqwest would fall back to.
    let run = by_name(&sim, "HTTPS_PROXY", "ftp://proxy.invalid").env("ALL_PROXY", &good.url).run();
    drop(run.expect_refusal(2, ["HTTPS_PROXY"]));
    let heard = crate::support::airbyte::check(by_name(&sim, "HTTPS_PROXY", "http://[bad"));
    heard.failed(&["HTTPS_PROXY"]);
    assert_eq!(good.heads(), [] as [String; 0], "another proxy was asked");
}

#[test]
fn a_broken_proxy_that_is_not_used_is_no_error() {
    let sim = Simulator::start(small());
    let broken = "http://[bad";
    for (name, excepted) in
        [("NO_PROXY", "*"), ("no_proxy", "localhost, .invalid"), ("NO_PROXY", "api.confluent.invalid")]
    {
        assert_unavailable(by_name(&sim, "HTTPS_PROXY", broken).env(name, excepted).run());
    }
    assert_unavailable(by_name(&sim, "HTTP_PROXY", broken).env("http_proxy", broken).run());
    // An empty variable hides its twin, and counts as none.
    assert_unavailable(by_name(&sim, "HTTPS_PROXY", "").env("https_proxy", broken).run());
    let everywhere = VARIABLES.iter().fold(tap(&sim), |tap, variable| tap.env(variable, broken));
    assert_whole(&everywhere.run(), &sim);
    for (first, second) in
        [("HTTPS_PROXY", "https_proxy"), ("HTTPS_PROXY", "ALL_PROXY"), ("ALL_PROXY", "all_proxy")]
    {
        let proxy = Proxy::start();
        assert_unavailable(by_name(&sim, first, &proxy.url).env(second, broken).run());
        assert!(!proxy.heads().is_empty(), "{first} is not used");
    }
}

#[test]
fn a_proxy_without_a_scheme_or_with_a_path_is_used() {
    let sim = Simulator::start(small());
    let rewrites: [fn(&str) -> String; 4] = [
        |url: &str| url.replace("http://", ""),
        |url: &str| url.replace("http://", "someone:word@"),
        |url: &str| url.replace("http://", "HTTP://"),
        |url: &str| format!("{url}/some/path"),
    ];
    for rewrite in rewrites {
        let proxy = Proxy::start();
        assert_unavailable(by_name(&sim, "HTTPS_PROXY", &rewrite(&proxy.url)).run());
        assert!(!proxy.heads().is_empty(), "the proxy was not asked");
    }
}

#[test]
fn loopback_bypasses_every_proxy_even_with_https() {
    let sim = Simulator::start(small().https());
    let proxy = Proxy::start();
    let certificate = sim.certificate().unwrap().to_owned();
    let all = VARIABLES.iter().chain(&["HTTP_PROXY", "http_proxy"]);
    let tap = all.fold(tap(&sim), |tap, name| tap.env(name, &proxy.url));
    assert_whole(&tap.env_file("SSL_CERT_FILE", &certificate).run(), &sim);
    assert_eq!(proxy.heads(), [] as [String; 0], "the proxy was asked");
}

#[test]
fn a_certificate_authority_may_be_given_as_path_or_text() {
    let sim = Simulator::start(polite().https());
    let pem = sim.certificate().unwrap().to_owned();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("authority.pem");
    std::fs::write(&path, &pem).unwrap();
    assert_whole(&tap(&sim).set("ca_certificate", path.to_str().unwrap()).run(), &sim);
    assert_whole(&tap(&sim).set("ca_certificate", pem.clone()).run(), &sim);
    // Forms and variables make spaces and letters of line breaks.
    let other = Simulator::start(small().https());
    let two = format!("{}{pem}", other.certificate().unwrap());
    assert_whole(&tap(&sim).set("ca_certificate", two).run(), &sim);
}

#[test]
fn an_authority_that_did_not_sign_the_certificate_is_not_trusted() {
    let (sim, other) = (Simulator::start(small().https()), Simulator::start(small().https()));
    let pem = other.certificate().unwrap().to_owned();
    tap(&sim).set("ca_certificate", pem).run().expect_refusal(2, ["certificate", "ca_certificate"]);
    assert!(sim.requests().is_empty(), "a request went to a server of an unknown authority");
}

#[test]
fn an_invalid_certificate_authority_is_a_settings_error() {
    let sim = Simulator::start(small().https());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("junk.pem");
    std::fs::write(&path, "no certificate at all").unwrap();
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for junk in ["/nowhere/authority.pem", path.to_str().unwrap(), broken, "-----BEGIN CERTIFICATE-----"] {
        drop(tap(&sim).set("ca_certificate", junk).run().expect_refusal(2, ["ca_certificate"]));
    }
    assert!(sim.requests().is_empty(), "it asked all the same");
}
