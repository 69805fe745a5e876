//! Reads settings from files and the environment and merges them. Names are checked here; values are only
//! coerced, and never shown.

use std::collections::BTreeMap;
use std::ffi::OsString;

use serde_json::{Map, Value};

use super::coerce::fit;
use super::names::meant;
use super::schema::names;
use super::ways::{THEIRS, is_of_credentials, name_credentials};
use crate::error::Error;
use crate::files::{named, parse, read};
use crate::json::Tape;
use crate::log;
use crate::secret::is_name;

/// Prefix of the environment variables of settings; the name follows in upper case.
pub const PREFIX: &str = "TAP_CONFLUENT_CLOUD_";

/// The variables of the environment.
pub type Variables = Vec<(OsString, OsString)>;

/// The settings of one source, and whether that is a file.
type Layer = (bool, Map<String, Value>);

/// Merges settings, later ones taking precedence, and warns about names and variables that are
/// ignored. `sources`: paths of JSON files, or `ENV` for the environment, which comes first unless it is
/// named.
///
/// # Errors
/// Config, if a file cannot be read or is not a JSON object, a name in it is nearly that of a setting, or
/// a variable is not UTF-8.
pub fn gather(sources: &[String], environment: Variables) -> Result<Map<String, Value>, Error> {
    let mut warnings = Vec::new();
    let variables = of_environment(environment, &mut warnings)?;
    let lowest = (!sources.iter().any(|source| source == "ENV")).then(|| "ENV".to_owned());
    let mut layers = Vec::new();
    for source in lowest.iter().chain(sources) {
        let is_file = source != "ENV";
        let given = if is_file { of_file(source, &mut warnings)? } else { variables.clone() };
        layers.push((is_file, given));
    }
    let given = merge(layers, &mut warnings);
    warnings.iter().for_each(log::warn);
    Ok(given)
}

/// The settings of a file. A name that closely resembles a setting is an error, because the setting may protect
/// data and would be lost. Names that begin with `_` are added by runtimes.
fn of_file(path: &str, warnings: &mut Vec<String>) -> Result<Map<String, Value>, Error> {
    let (file, bytes) = (named("config", path), read("config", path)?);
    let Value::Object(values) = parse("config", path, &bytes)? else {
        return Err(Error::config(format!("{file} does not contain a JSON object, {{…}}")));
    };
    // The last value of a duplicate name would be used, which may be null.
    let tape = Tape::read(String::from_utf8_lossy(&bytes).into_owned(), 128);
    let is_once = |name| tape.as_ref().map_or(true, |tape| tape.root().at(&[name]).is_some());
    let twice = names().filter(|name| values.contains_key(*name) && !is_once(name));
    let mut wrong: Vec<_> = twice.map(|name| format!("{name} is given twice.")).collect();
    let mut given = Map::new();
    for (name, value) in values {
        let Some(value) = fit(&name, value).filter(|_| !name.starts_with('_')) else { continue };
        if names().any(|setting| setting == name) {
            given.insert(name, value);
        } else if let Some(setting) = meant(&name, names()) {
            wrong.push(format!("{name:?} is not a setting, did you mean {setting}?"));
        } else {
            let it = if is_name(&name) { format!("{name:?}") } else { "a name that is not shown".to_owned() };
            warnings.push(format!("settings: {it} is not a setting of tap-confluent-cloud, and is ignored"));
        }
    }
    if wrong.is_empty() {
        return Ok(given);
    }
    Err(Error::config(format!("{file}: {} Correct or remove it", wrong.join(" "))))
}

/// The settings of the environment. Other variables may have the same prefix: Meltano exports some, and so do
/// plugins whose names extend ours.
fn of_environment(environment: Variables, warnings: &mut Vec<String>) -> Result<Map<String, Value>, Error> {
    let all = environment.into_iter().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
    let mut all: BTreeMap<String, OsString> = all.filter(|(_, value)| !value.is_empty()).collect();
    let mut take = |setting: &'static str, variable: &str| {
        let text = all.remove(variable).map(OsString::into_string).transpose().map_err(|_| {
            Error::config(format!("the environment variable {variable} is not valid UTF-8: correct it"))
        })?;
        Ok(text.and_then(|text| Some((setting.to_owned(), fit(setting, text.into())?))))
    };
    let mut given = Map::new();
    for name in names() {
        given.extend(take(name, &variable(name))?);
    }
    if !name_credentials(&given) {
        for (name, variable) in THEIRS {
            if given.contains_key("api_key") {
                // Our variable's secret does not belong to the key of their variable.
                given.shift_remove(name);
            }
            given.extend(take(name, variable)?);
        }
    }
    for name in all.keys() {
        let rest =
            name.strip_prefix(PREFIX).filter(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic()));
        if let Some(setting) = rest.and_then(|rest| meant(rest, names())) {
            let right = variable(setting);
            warnings.push(format!("the environment variable {name} is ignored, did you mean {right}?"));
        }
    }
    Ok(given)
}

fn variable(setting: &str) -> String {
    format!("{PREFIX}{}", setting.to_uppercase())
}

/// Merges the layers. If a file names credentials, those of the environment and of files are not mixed:
/// those of the source that names the last ones count. Several files may complement each other, because the
/// user named them together.
fn merge(layers: Vec<Layer>, warnings: &mut Vec<String>) -> Map<String, Value> {
    let giver = |setting: &str| layers.iter().rfind(|(_, given)| given.contains_key(setting));
    let (host, has_guard) =
        (giver("base_url").map(|(is_file, _)| *is_file), giver("organization_id").is_some());
    let key = layers.iter().rfind(|(_, given)| name_credentials(given)).map(|(is_file, _)| *is_file);
    let a_file_gives_it = layers.iter().any(|(is_file, given)| *is_file && name_credentials(given));
    let mut given = Map::new();
    for (is_file, mut layer) in layers {
        let elsewhere = a_file_gives_it && key != Some(is_file);
        layer.retain(|name, _| !elsewhere || name != "organization_id" && !is_of_credentials(name));
        given.extend(layer);
    }
    if (key, host) == (Some(true), Some(false)) {
        warnings.push(format!(
            "settings: base_url comes from the environment variable {}, but the credentials come from a file \
             and are sent there",
            variable("base_url")
        ));
    }
    if given.contains_key("personal_data_key")
        && given.get("personal_data").is_none_or(|value| value == "keep")
    {
        warnings.push(
            "settings: personal_data_key is given, but personal_data is keep, so names and e-mail addresses \
             are not hashed"
                .to_owned(),
        );
    }
    if has_guard && !given.contains_key("organization_id") {
        let (ours, theirs) = (variable("organization_id"), "organization_id of a file".to_owned());
        let (what, place, there) = match key {
            Some(true) => (ours, "a file", "in that file"),
            _ => (theirs, "the environment", "there"),
        };
        warnings.push(format!(
            "settings: {what} is ignored, because the credentials come from {place}: organization_id must come \
             from the same place. Give it {there}"
        ));
    }
    given
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn environment(variables: &[(&str, &str)]) -> Variables {
        variables.iter().map(|(name, value)| (name.into(), value.into())).collect()
    }

    #[test]
    fn what_the_environment_gives() {
        let (ours, theirs) = (["TAP_CONFLUENT_CLOUD_API_KEY", "TAP_CONFLUENT_CLOUD_API_SECRET"], THEIRS);
        let both = |key: &str, secret: &str| json!({"api_key": key, "api_secret": secret});
        let (key_of_ours, secret_of_ours) = ((ours[0], "K1"), (ours[1], "S1"));
        let (key_of_theirs, secret_of_theirs) = ((theirs[0].1, "K2"), (theirs[1].1, "S2"));
        let guard = ("TAP_CONFLUENT_CLOUD_ORGANIZATION_ID", "org");
        let table = [
            (vec![], json!({})),
            (vec![key_of_ours, secret_of_ours], both("K1", "S1")),
            (vec![key_of_theirs, secret_of_theirs], both("K2", "S2")),
            (vec![key_of_ours, secret_of_ours, key_of_theirs, secret_of_theirs], both("K1", "S1")),
            (vec![key_of_ours, secret_of_theirs], json!({"api_key": "K1"})),
            (vec![key_of_theirs, secret_of_ours], json!({"api_key": "K2"})),
            (vec![key_of_theirs, secret_of_theirs, secret_of_ours], both("K2", "S2")),
            (vec![(ours[0], " "), key_of_theirs, secret_of_theirs], both("K2", "S2")),
            (vec![secret_of_ours, secret_of_theirs], json!({"api_secret": "S2"})),
            (vec![key_of_theirs, guard], json!({"organization_id": "org", "api_key": "K2"})),
            (vec![("TAP_CONFLUENT_CLOUD_PAGE_SIZE", "7")], json!({"page_size": 7})),
            (vec![("TAP_CONFLUENT_CLOUD_PAGE_SIZE", "")], json!({})),
            (vec![("tap_confluent_cloud_page_size", "7"), ("PAGE_SIZE", "7")], json!({})),
        ];
        for (variables, expected) in table {
            let mut warnings = Vec::new();
            let given = of_environment(environment(&variables), &mut warnings).unwrap();
            assert_eq!(Value::Object(given), expected, "{variables:?}");
            assert_eq!(warnings, [] as [String; 0]);
        }
    }

    #[test]
    fn which_settings_go_badly_together() {
        let file = |given: Value| (true, given);
        let variables = |given: Value| (false, given);
        let (key, host) = (json!({"api_key": "K"}), json!({"base_url": "https://example.com"}));
        let hashed = |mode: &str| json!({"personal_data_key": "a key of hashes", "personal_data": mode});
        let table = [
            (vec![variables(host.clone()), file(key.clone())], Some("base_url")),
            (vec![variables(host.clone()), file(key.clone()), file(host.clone())], None),
            (vec![variables(key.clone()), file(host.clone())], None),
            (vec![variables(key), variables(host)], None),
            (vec![file(json!({"personal_data_key": "a key of hashes"}))], Some("personal_data_key")),
            (vec![file(hashed("keep"))], Some("personal_data_key")),
            (vec![file(hashed("hash"))], None),
            (vec![file(hashed("omit"))], None),
        ];
        for (layers, told) in table {
            let case = format!("{layers:?}");
            let layers =
                layers.into_iter().map(|(is_file, given)| (is_file, given.as_object().unwrap().clone()));
            let mut warnings = Vec::new();
            merge(layers.collect(), &mut warnings);
            assert_eq!(warnings.len(), usize::from(told.is_some()), "{case}: {warnings:?}");
            assert!(warnings.iter().all(|words| words.contains(told.unwrap())), "{case}: {warnings:?}");
        }
    }

    #[test]
    fn which_variables_are_told() {
        let table = [
            ("PERSONAL_DATE", Some("PERSONAL_DATA")),
            ("personal_data", Some("PERSONAL_DATA")),
            ("APIKEY", Some("API_KEY")),
            ("_API_KEY", None),
            ("2_API_KEY", None),
            ("2", None),
            ("", None),
            ("PROD_API_KEY", None),
            ("START_DATE", None),
        ];
        for (name, meant) in table {
            let (mut warnings, name) = (Vec::new(), format!("{PREFIX}{name}"));
            of_environment(environment(&[(&name, "hush")]), &mut warnings).unwrap();
            let expected = meant.map(|meant| {
                format!("the environment variable {name} is ignored, did you mean {PREFIX}{meant}?")
            });
            assert_eq!(warnings, expected.into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn whose_credentials_are_taken() {
        let file = |given: Value| (true, given);
        let variables = |given: Value| (false, given);
        let of = |name: &str| json!({"api_key": name, "api_secret": name, "organization_id": name});
        let key = |name: &str| json!({"api_key": name});
        let secret = |name: &str| json!({"api_secret": name});
        let pair = |key: &str, secret: &str| json!({"api_key": key, "api_secret": secret});
        // layers from the lowest; what comes out; whether an organization is told to be set aside
        let table = [
            (vec![variables(of("e"))], of("e"), false),
            (vec![variables(of("e")), file(json!({}))], of("e"), false),
            (vec![variables(of("e")), file(of("f"))], of("f"), false),
            (vec![variables(of("e")), file(pair("f", "f"))], pair("f", "f"), true),
            (vec![variables(secret("e")), file(key("f"))], key("f"), false),
            (vec![variables(pair("e", "e")), file(key("f"))], key("f"), false),
            (vec![variables(pair("e", "e")), file(secret("f"))], pair("e", "f"), false),
            (
                vec![variables(key("e")), file(json!({"organization_id": "f", "api_secret": "f"}))],
                json!({"api_key": "e", "organization_id": "f", "api_secret": "f"}),
                false,
            ),
            (vec![file(key("f")), file(secret("g"))], pair("f", "g"), false),
            (vec![file(pair("f", "f")), file(key("g"))], pair("g", "f"), false),
            (vec![file(pair("f", "f")), variables(secret("e"))], pair("f", "f"), false),
            (vec![file(pair("f", "f")), variables(pair("e", "e"))], pair("e", "e"), false),
            (vec![file(of("f")), variables(key("e"))], key("e"), true),
            (vec![file(key("f")), variables(key("e")), file(secret("g"))], key("e"), false),
            (
                vec![file(key("f")), variables(of("e")), file(key("g")), file(secret("h"))],
                pair("g", "h"),
                true,
            ),
        ];
        for (layers, expected, told) in table {
            let case = format!("{layers:?}");
            let layers =
                layers.into_iter().map(|(is_file, given)| (is_file, given.as_object().unwrap().clone()));
            let mut warnings = Vec::new();
            let given = merge(layers.collect(), &mut warnings);
            assert_eq!(Value::Object(given), expected, "{case}");
            assert_eq!(warnings.len(), usize::from(told), "{case}: {warnings:?}");
        }
    }
}
