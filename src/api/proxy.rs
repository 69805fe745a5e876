//! Checks the proxy variable that applies to the service: reqwest silently ignores an invalid one. Here it
//! is an error.

use std::ffi::OsString;

use hyper_util::client::proxy::matcher::Matcher;
use url::Url;

use crate::error::Error;

/// Variables as reqwest reads them: of each pair the first that is set, and the second pair where the first
/// gives nothing.
const VARIABLES: [[&str; 2]; 2] = [["HTTPS_PROXY", "https_proxy"], ["ALL_PROXY", "all_proxy"]];

/// Checks that the proxy which would be used towards `base`, an https URL, is one.
///
/// # Errors
/// Config, naming the variable and not its value, which may hold a password.
pub fn check(base: &Url, environment: impl Fn(&str) -> Option<OsString>) -> Result<(), Error> {
    // Reqwest uses no proxy in a CGI script, where HTTP_PROXY may be a header of the client.
    if environment("REQUEST_METHOD").is_some() || !leads_through("http://proxy.invalid", base, &environment) {
        return Ok(());
    }
    let set = |pair: [_; 2]| pair.into_iter().find_map(|name| Some((name, environment(name)?)));
    let given = VARIABLES.into_iter().filter_map(set).find(|(_, value)| !value.is_empty());
    let is_refused = |value: &OsString| !value.to_str().is_some_and(|value| is_proxy(value, base));
    let Some((name, _)) = given.filter(|(_, value)| is_refused(value)) else { return Ok(()) };
    Err(Error::config(format!(
        "the environment variable {name} does not contain a usable proxy URL, such as http://host:port \
         or https://user:password@host:port (its value is not shown; socks proxies are not supported). \
         Correct it, or add the host of base_url or oauth_token_url to NO_PROXY"
    )))
}

/// Whether requests to `base` go through this proxy in spite of NO_PROXY.
fn leads_through(proxy: &str, base: &Url, environment: &impl Fn(&str) -> Option<OsString>) -> bool {
    let excepted =
        ["NO_PROXY", "no_proxy"].into_iter().find_map(|name| environment(name)?.into_string().ok());
    let matcher = Matcher::builder().all(proxy).no(excepted.unwrap_or_default()).build();
    base.as_str().parse().is_ok_and(|base| matcher.intercept(&base).is_some())
}

/// Whether reqwest accepts the value as given: it replaces an invalid port by the default one.
fn is_proxy(value: &str, base: &Url) -> bool {
    let url = if value.contains("://") { Url::parse(value) } else { Url::parse(&format!("http://{value}")) };
    url.is_ok_and(|url| matches!(url.scheme(), "http" | "https")) && leads_through(value, base, &|_| None)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The variable that is refused, if any.
    fn refused(variables: &[(&str, &str)]) -> Option<String> {
        let base = Url::parse("https://api.confluent.cloud/prefix").unwrap();
        let environment = |wanted: &str| {
            variables.iter().find(|(name, _)| *name == wanted).map(|(_, value)| OsString::from(value))
        };
        let error = check(&base, environment).err()?.to_string();
        assert!(!error.contains("pa55"), "{error}");
        error.split(' ').find(|word| word.to_uppercase().ends_with("_PROXY")).map(str::to_owned)
    }

    /// Variables, and which of them is refused.
    type Case<'a> = (&'a [(&'a str, &'a str)], Option<&'a str>);

    #[test]
    fn which_variable_is_refused() {
        let (good, bad) = ("http://proxy:8080", "ftp://pa55@proxy");
        let table: [Case<'_>; 17] = [
            (&[], None),
            (&[("HTTPS_PROXY", good)], None),
            (&[("HTTPS_PROXY", bad)], Some("HTTPS_PROXY")),
            (&[("https_proxy", bad)], Some("https_proxy")),
            (&[("ALL_PROXY", bad)], Some("ALL_PROXY")),
            (&[("all_proxy", bad)], Some("all_proxy")),
            (&[("HTTP_PROXY", bad), ("http_proxy", bad)], None),
            (&[("HTTPS_PROXY", good), ("https_proxy", bad), ("ALL_PROXY", bad)], None),
            (&[("HTTPS_PROXY", bad), ("https_proxy", good), ("ALL_PROXY", good)], Some("HTTPS_PROXY")),
            (&[("HTTPS_PROXY", ""), ("https_proxy", bad)], None),
            (&[("HTTPS_PROXY", ""), ("ALL_PROXY", bad)], Some("ALL_PROXY")),
            (&[("HTTPS_PROXY", bad), ("NO_PROXY", "*")], None),
            (&[("HTTPS_PROXY", bad), ("NO_PROXY", "a.example, .confluent.cloud")], None),
            (&[("HTTPS_PROXY", bad), ("no_proxy", "confluent.cloud")], None),
            (&[("HTTPS_PROXY", bad), ("NO_PROXY", ""), ("no_proxy", "*")], Some("HTTPS_PROXY")),
            (&[("HTTPS_PROXY", bad), ("NO_PROXY", "fluent.cloud")], Some("HTTPS_PROXY")),
            (&[("HTTPS_PROXY", bad), ("REQUEST_METHOD", "GET")], None),
        ];
        for (variables, expected) in table {
            assert_eq!(refused(variables).as_deref(), expected, "{variables:?}");
        }
    }

    #[test]
    fn which_values_are_proxies() {
        let table = [
            ("http://proxy", true),
            ("http://proxy:8080/", true),
            ("https://user:pa55@proxy:8080", true),
            ("HTTP://proxy:8080", true),
            ("proxy", true),
            ("proxy:8080", true),
            ("user:pa55@proxy:8080", true),
            ("http://[::1]:8080", true),
            ("10.0.0.1:3128", true),
            ("http://user:pa%2055@proxy", true),
            ("http://[bad", false),
            ("http://", false),
            ("http://:8080", false),
            ("http://user:pa55@", false),
            ("http://proxy:99999", false),
            ("http://proxy:port", false),
            ("http://pro xy", false),
            (" http://proxy", false),
            ("ftp://proxy", false),
            ("socks5://proxy:1080", false),
            ("://proxy", false),
            ("/proxy", false),
        ];
        for (value, is_one) in table {
            assert_eq!(refused(&[("HTTPS_PROXY", value)]).is_none(), is_one, "{value}");
        }
    }
}
