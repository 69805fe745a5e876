//! Which host gets what: the provider its client's credentials and the service the token, and nobody anything else.

use simulator::{At, EXCHANGE, Fault, OAuth, PROVIDER, Request, Simulator};

use super::{asked, sim};
use crate::support::{as_pool, assert_whole, small};

fn fields(request: &Request) -> Vec<(&str, &str)> {
    request.form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

#[test]
fn each_host_gets_its_own_credentials_and_nothing_else() {
    let sim = sim();
    let run = as_pool(&sim).set("oauth_scope", "a b").set("oauth_audience", "confluent").run();
    assert_whole(&run, &sim);
    let [provider] = asked(&run, PROVIDER)[..] else { panic!("the provider is asked once") };
    assert_eq!(
        fields(provider),
        [
            ("grant_type", "client_credentials"),
            ("client_id", sim.oauth_client_id()),
            ("client_secret", sim.oauth_client_secret()),
            ("scope", "a b"),
            ("audience", "confluent"),
        ]
    );
    let [exchange] = asked(&run, EXCHANGE)[..] else { panic!("one exchange") };
    let [subject, access] = &sim.tokens()[..] else { panic!("two tokens") };
    assert_eq!(
        fields(exchange),
        [
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("subject_token", subject),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
            ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
            ("identity_pool_id", sim.identity_pool_id()),
        ]
    );
    for request in [provider, exchange] {
        assert!(!request.has_authorization && request.method == "POST" && request.query.is_empty());
    }
    let host = |url: &str| url.split("//").nth(1).unwrap().to_owned();
    assert_eq!(provider.host.as_ref(), Some(&host(&sim.provider_url())));
    for request in run.requests.iter().filter(|request| request.endpoint.is_none()) {
        assert!(request.authorized && request.method == "GET" && request.form.is_empty(), "{request:?}");
        assert_eq!(request.host.as_ref(), Some(&host(&sim.base_url())));
        let said = format!("{request:?}");
        assert!(!said.contains(access) && !said.contains(subject), "a token in a URL: {said}");
    }
}

#[test]
fn no_redirect_takes_a_token_or_a_secret_to_another_origin() {
    for status in [301, 302, 303, 307, 308] {
        let (sim, other) = (sim(), sim());
        for (at, words) in [
            (At::provider(), "the identity provider redirects to another origin"),
            (At::exchange(), "the token exchange redirects to another origin"),
        ] {
            for away in [other.oauth_token_url(), format!("{}/sts/v1/oauth2/token", other.base_url())] {
                sim.clear_faults();
                sim.add_fault(Fault::status(status).with_header("Location", &away), at.clone());
                drop(as_pool(&sim).run().expect_refusal(5, [words]));
            }
        }
        // From the provider to the service and back.
        sim.clear_faults();
        let service = format!("{}/sts/v1/oauth2/token", sim.base_url());
        sim.add_fault(Fault::status(status).with_header("Location", &service), At::provider());
        let run = as_pool(&sim).run().expect_refusal(5, ["redirects to another origin"]);
        assert!(asked(&run, EXCHANGE).is_empty());
        sim.clear_faults();
        sim.add_fault(Fault::status(status).with_header("Location", &sim.oauth_token_url()), At::exchange());
        let run = as_pool(&sim).run().expect_refusal(5, ["redirects to another origin"]);
        assert_eq!(asked(&run, PROVIDER).len(), 1);
        assert!(other.requests().is_empty(), "a request went to the other origin after {status}");
    }
}

#[test]
fn a_redirect_on_the_same_origin_that_keeps_the_form_is_followed() {
    for status in [307, 308] {
        let sim = sim();
        let here = "/oauth2/default/v1/token";
        sim.add_fault(Fault::status(status).with_header("Location", here), At::provider().nth(1));
        let run = as_pool(&sim).run();
        assert_whole(&run, &sim);
        assert_eq!(asked(&run, PROVIDER).len(), 2);
    }
}

#[test]
fn both_hosts_are_spoken_to_over_tls() {
    let sim = Simulator::start(small().https().oauth(OAuth::default()));
    let pem = sim.certificate().unwrap().to_owned();
    assert_whole(&as_pool(&sim).set("ca_certificate", pem).run(), &sim);
    let plain = self::sim();
    let run = as_pool(&plain).set("oauth_token_url", sim.oauth_token_url()).run();
    drop(run.expect_refusal(2, ["the certificate of the host in oauth_token_url is not trusted"]));
}
