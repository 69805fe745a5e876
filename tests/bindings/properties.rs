//! What holds for any Confluent Resource Name, and for any text taken for one.

use percent_encoding::percent_decode_str;
use proptest::collection::vec;
use proptest::prelude::*;

use tap_confluent_cloud::crn;

/// A name in the forms of role bindings, or nearly: raw values hold anything but slashes.
fn any_name() -> impl Strategy<Value = String> {
    let key = prop::sample::select(vec![
        "organization",
        "environment",
        "cloud-cluster",
        "kafka",
        "schema-registry",
        "ksql",
        "flink-region",
        "compute-pool",
        "topic",
        "subject",
        "service-account",
        "identity-provider",
        "something-new",
        "",
    ]);
    let value =
        prop_oneof!["[^/]{0,12}", "[a-z0-9-]{1,9}\\*?", Just("*".to_owned()), "%[0-9A-F]{2}[=:]{0,2}x"];
    let segment = prop_oneof![
        9 => (key, value).prop_map(|(key, value)| format!("{key}={value}")),
        1 => "[^/]{0,9}",
    ];
    let authority = prop_oneof!["confluent.cloud", "api.confluent.cloud", "[^/]{0,9}"];
    (authority, vec(segment, 0..7)).prop_map(|(authority, segments)| {
        segments.iter().fold(format!("crn://{authority}"), |name, segment| format!("{name}/{segment}"))
    })
}

/// A name put together again from its raw segments.
fn joined(name: &str) -> Option<String> {
    let (authority, segments) = crn::split(name)?;
    Some(segments.fold(format!("crn://{authority}"), |name, (key, value)| match value {
        Some(value) => format!("{name}/{key}={value}"),
        None => format!("{name}/{key}"),
    }))
}

proptest! {
    #[test]
    fn joining_the_raw_segments_gives_the_name(name in any_name()) {
        prop_assert_eq!(joined(&name), Some(name));
    }

    #[test]
    fn no_text_makes_parsing_panic_and_split_names_can_be_joined(text in any::<String>()) {
        for text in [text.clone(), format!("crn://{text}"), format!("crn://confluent.cloud/organization={text}")] {
            let _ = (crn::parse(&text), crn::principal_type(&text), crn::principal_id(&text), crn::segment(&text, "organization"));
            match joined(&text) {
                Some(joined) => prop_assert_eq!(joined, text),
                None => prop_assert!(!text.starts_with("crn://")),
            }
        }
    }

    #[test]
    fn the_parsed_part_of_a_pattern_is_its_beginning(name in any_name()) {
        let pattern = crn::parse(&name);
        let [scope_type, environment_id, cluster_id, service_type, service_id, resource_type, resource_name, pattern_type] =
            pattern.parts.each_ref().map(|part| part.as_deref());
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let segments: Vec<(String, String)> = crn::split(&name)
            .into_iter()
            .flat_map(|(_, segments)| segments)
            .map(|(key, value)| (key.to_owned(), value.unwrap_or_default().to_owned()))
            .collect();
        let ids = [
            scope_type.and_then(|_| crn::segment(&name, "organization")),
            environment_id.map(str::to_owned),
            cluster_id.map(str::to_owned),
        ];
        let scopes = ["organization", "environment", "cloud-cluster"].into_iter().zip(&ids);
        let mut read: Vec<(&str, &str)> = scopes.filter_map(|(key, id)| Some((key, id.as_deref()?))).collect();
        prop_assert_eq!(read.last().map(|(key, _)| *key), scope_type);
        read.extend(service_type.zip(service_id));
        // What was read is how the name begins, in its order.
        for ((key, id), (known, raw)) in read.iter().zip(&segments) {
            prop_assert_eq!(*key, known.as_str());
            prop_assert_eq!(*id, decoded(raw));
        }
        let rest = &segments[read.len()..];
        match (resource_type, rest) {
            (Some(kind), [(key, raw)]) => {
                prop_assert!(pattern.is_whole);
                let star = if pattern_type == Some("PREFIXED") { "*" } else { "" };
                prop_assert_eq!((kind, raw.ends_with('*')), (key.as_str(), !star.is_empty()));
                prop_assert_eq!(format!("{}{star}", resource_name.unwrap()), decoded(raw));
            }
            (Some(_), _) => prop_assert!(false, "a resource is not the last segment"),
            (None, rest) => prop_assert_eq!(pattern.is_whole, rest.is_empty() && !read.is_empty()),
        }
    }

    #[test]
    fn segments_are_found_whatever_text_they_hold(
        values in vec(any::<String>().prop_filter("not empty", |text| !text.is_empty()), 1..5),
        raw in any::<bool>(),
    ) {
        let keys = ["organization", "environment", "cloud-cluster", "kafka", "topic"];
        let encoded = |text: &str| -> String {
            let harmless = |c: char| c == '=' || c == ':' || c == ' ' || c == '*' || c.is_alphanumeric();
            let mut out = String::new();
            for c in text.chars() {
                if raw && harmless(c) {
                    out.push(c);
                } else {
                    let mut bytes = [0; 4];
                    c.encode_utf8(&mut bytes).bytes().for_each(|byte| out += &format!("%{byte:02X}"));
                }
            }
            out
        };
        let segments: Vec<String> =
            keys.iter().zip(&values).map(|(key, value)| format!("{key}={}", encoded(value))).collect();
        let name = format!("crn://confluent.cloud/{}", segments.join("/"));
        for (key, value) in keys.iter().zip(&values) {
            prop_assert_eq!(crn::segment(&name, key), Some(value.clone()), "{} of {}", key, name);
        }
        prop_assert_eq!(crn::segment(&name, "nobody"), None);
    }

    #[test]
    fn an_environment_and_what_is_in_it_are_narrower(id in "[^/%]{1,20}", rest in ".{0,20}", other in any::<String>()) {
        let scope = crn::organization(&id);
        prop_assert!(!crn::is_narrower(&scope, &scope));
        let environment = crn::environment(&scope, "env-1");
        prop_assert!(crn::is_narrower(&environment, &scope));
        let (below, beside) = (format!("{environment}/{rest}"), format!("{scope}x/environment=env-1"));
        prop_assert!(crn::is_narrower(&below, &scope));
        prop_assert!(!crn::is_narrower(&scope, &environment));
        prop_assert!(!crn::is_narrower(&beside, &scope));
        let _ = (crn::is_narrower(&other, &scope), crn::segment(&other, &id), crn::segment(&id, &other));
    }
}
