//! Whatever names the streams beside their list and their schemas is written from these.

use std::iter::once;

use serde_json::Value;
use tap_confluent_cloud::streams::{Envelope, Parent, Partitions, STREAMS, Stream};

use crate::support::golden::{between, between_marks, golden};

/// What the schema file says of its stream.
fn description(stream: &Stream) -> String {
    let own: Value = serde_json::from_str(stream.schema).expect(stream.name);
    own["description"].as_str().expect(stream.name).to_owned()
}

fn quoted<'a>(names: impl IntoIterator<Item = &'a str>, mark: &str, separator: &str) -> String {
    let names = names.into_iter().map(|name| format!("{mark}{name}{mark}"));
    names.collect::<Vec<_>>().join(separator)
}

fn by_default() -> impl Iterator<Item = &'static str> {
    STREAMS.iter().filter(|stream| !stream.on_demand).map(|stream| stream.name)
}

fn offered(stream: &Stream) -> &'static str {
    if stream.on_demand { "on demand" } else { "by default" }
}

/// The binary is compiled with this file, so `make bless` runs this test before all others.
#[test]
fn the_settings_name_the_streams() {
    let (file, every) = ("schemas/config.json", STREAMS.iter().map(|stream| stream.name));
    between(file, "\"enum\": [\n          ", "\n        ]", &quoted(every, "\"", ",\n          "));
    between(file, "\"default\": [", "]", &quoted(by_default(), "\"", ", "));
    let never_empty = STREAMS.iter().filter(|stream| stream.never_empty).map(|stream| stream.name);
    between(file, "at least one record (", ")", &quoted(never_empty, "", ", "));
}

#[test]
fn a_schema_file_repeats_nothing_of_the_common_one() {
    fn repeats(own: &Value, common: &Value, at: &str) {
        match (own, common) {
            (Value::Object(own), Value::Object(common)) => {
                for (name, own) in own {
                    common
                        .get(name)
                        .into_iter()
                        .for_each(|common| repeats(own, common, &format!("{at}.{name}")));
                }
            }
            _ => assert_ne!(own, common, "{at}"),
        }
    }
    let common: Value = serde_json::from_str(include_str!("../../schemas/common.json")).expect("JSON");
    for stream in STREAMS {
        let own = serde_json::from_str(stream.schema).expect(stream.name);
        repeats(&own, &common, stream.name);
    }
}

#[test]
fn the_tables_list_the_streams() {
    let mut table =
        "| stream | records | key | offered | least role (unverified) |\n|---|---|---|---|---|\n".to_owned();
    for stream in STREAMS {
        let description = description(stream);
        let (summary, _) = description.split_once(". ").unwrap_or((description.trim_end_matches('.'), ""));
        table.push_str(&format!(
            "| `{}` | {summary} | `{}` | {} | {} |\n",
            stream.name,
            stream.key,
            offered(stream),
            stream.role
        ));
    }
    between_marks("README.md", "streams", &table);
    between_marks("integrations/airbyte/docs.md", "streams", &table);
}

#[test]
fn the_page_on_keys_lists_the_roles() {
    let mut table = "| streams | least role (unverified) |\n|---|---|\n".to_owned();
    let mut roles: Vec<&str> = Vec::new();
    for role in STREAMS.iter().map(|stream| stream.role) {
        if !roles.contains(&role) {
            roles.push(role);
        }
    }
    for role in roles {
        let readable = STREAMS.iter().filter(|stream| stream.role == role).map(|stream| stream.name);
        table.push_str(&format!("| {} | {role} |\n", quoted(readable, "`", ", ")));
    }
    between_marks("docs/api-key.md", "roles", &table);
}

#[test]
fn airbyte_suggests_the_streams_of_the_default() {
    let lines: String = by_default().map(|name| format!("      - {name}\n")).collect();
    between("integrations/airbyte/metadata.yaml", "suggestedStreams:\n    streams:\n", "  tags:", &lines);
}

/// A row a property, nested ones under their path.
fn rows(schema: &Value, prefix: &str, derived: Option<&[&str]>, table: &mut String) {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let kind = match &property["type"] {
            Value::Array(types) => types.iter().filter_map(Value::as_str).find(|kind| *kind != "null"),
            kind => kind.as_str(),
        };
        let kind = if property["format"] == "date-time" { Some("date-time") } else { kind };
        let origin = match derived {
            None => "run",
            Some(derived) if prefix.is_empty() && derived.contains(&name.as_str()) => "derived",
            Some(_) => "API",
        };
        let words = property["description"].as_str().expect("a description");
        let words = words.trim_start_matches("Derived: ").replace('|', "\\|");
        table.push_str(&format!("| `{prefix}{name}` | {} | {origin} | {words} |\n", kind.expect("a type")));
        rows(property, &format!("{prefix}{name}."), derived, table);
        rows(&property["items"], &format!("{prefix}{name}[]."), derived, table);
    }
}

/// What is asked for, and how often.
fn listing(stream: &Stream) -> String {
    let path = stream.path;
    if path.is_empty() {
        return "none, because it tells of the run itself".to_owned();
    }
    let fixed = stream.query.iter().map(|(name, value)| format!("{name}={value}"));
    let (parameters, each) = match stream.partitions {
        Partitions::One => (Vec::new(), String::new()),
        Partitions::Scopes { parameter, .. } => (vec![parameter], String::new()),
        Partitions::Each(Parent { stream, parameter, .. }) => {
            (Vec::from_iter(parameter), format!(", once per record of `{stream}`"))
        }
        Partitions::Days { from, until } => (vec![from, until], ", once per calendar month".to_owned()),
    };
    let query: Vec<_> = fixed.chain(parameters.iter().map(|name| format!("{name}=…"))).collect();
    let mark = if query.is_empty() { "" } else { "?" };
    format!("`GET {path}{mark}{}`{each}", query.join("&"))
}

/// A section of the page on streams.
fn section(stream: &Stream) -> String {
    let fields = |names: &[&'static str]| quoted(names.iter().copied(), "`", ", ");
    let facts = [
        ("Request", listing(stream)),
        (
            "Page size",
            match stream.envelope {
                _ if stream.path.is_empty() => String::new(),
                Envelope::List if stream.page_size < stream.max_page_size => {
                    format!("{}, at most {}", stream.page_size, stream.max_page_size)
                }
                Envelope::List => format!("at most {}", stream.max_page_size),
                Envelope::Map => "all records in one response".to_owned(),
            },
        ),
        ("Key", format!("`{}`", stream.key)),
        ("Cursor", stream.cursor.map_or(String::new(), |cursor| format!("`{cursor}`"))),
        ("Offered", offered(stream).to_owned()),
        ("Least role", stream.role.to_owned()),
        ("Personal data", fields(stream.personal)),
        ("Dropped at any depth", fields(stream.secret)),
    ];
    let facts = facts.iter().filter(|(_, fact)| !fact.is_empty());
    let facts: String = facts.map(|(name, fact)| format!("- {name}: {fact}\n")).collect();
    let derived: Vec<_> = stream.derived().map(|(column, _)| column).collect();
    let mut table = "| field | type | from | meaning |\n|---|---|---|---|\n".to_owned();
    rows(&stream.schema(), "", (!stream.is_history()).then_some(&derived), &mut table);
    format!("\n## {}\n\n{}\n\n{facts}\n{table}", stream.name, description(stream))
}

#[test]
fn the_page_on_streams_says_what_the_declarations_say() {
    const HEAD: &str = "\
# Streams

`make bless` generates this page from the declarations in `src/streams.rs` and the schemas in `schemas/`.

A stream is a full table, because the API cannot return only changes. A stream with a *cursor* is incremental: each run reads from where the last complete one ended.
`extractions` is the history of the runs: it is not read from the API, and each run adds its records to those of earlier runs.
Fields marked *API* are sent by the API and unchanged; those marked *derived* are computed, and those marked *run* tell of the run. Every field except the key can be null or absent.
The least role that can read a stream is taken from documentation and has not been verified against the service.
A stream that is offered *on demand* is read only if the setting `streams` names it.
";
    let page: String = once(HEAD.to_owned()).chain(STREAMS.iter().map(section)).collect();
    golden("docs/streams.md", &page);
}
