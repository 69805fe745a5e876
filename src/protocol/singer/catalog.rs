//! Singer's catalog: what is offered, and what a catalog handed back selects.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::log;
use crate::protocol::{Offer, Selected, narrow};
use crate::streams::{Stream, find};

/// The catalog of what is offered, everything selected by default.
pub fn discover(offer: &Offer) -> Value {
    json!({"streams": offer.streams.iter().map(|stream| entry(stream, offer.schema(stream))).collect::<Vec<_>>()})
}

fn entry(stream: &Stream, schema: Value) -> Value {
    let method = stream.cursor.map_or("FULL_TABLE", |_| "INCREMENTAL");
    let mut metadata = vec![json!({
        "breadcrumb": [],
        "metadata": {
            "inclusion": "available",
            "selected-by-default": true,
            "forced-replication-method": method,
            "table-key-properties": [stream.key],
        },
    })];
    describe(&schema, &[], stream.key, &mut metadata);
    let mut entry = json!({
        "tap_stream_id": stream.name,
        "stream": stream.name,
        "schema": schema,
        "key_properties": [stream.key],
        "replication_method": method,
        "metadata": metadata,
    });
    if let Some(cursor) = stream.cursor {
        entry["replication_key"] = cursor.into();
        entry["metadata"][0]["metadata"]["valid-replication-keys"] = json!([cursor]);
    }
    entry
}

/// Metadata for every property at every depth: what has none is made automatic by Meltano, and can then
/// not be deselected.
fn describe(schema: &Value, breadcrumb: &[&str], key: &str, metadata: &mut Vec<Value>) {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let path = [breadcrumb, &["properties", name]].concat();
        let inclusion = if path == ["properties", key] { "automatic" } else { "available" };
        metadata.push(json!({"breadcrumb": path, "metadata": {"inclusion": inclusion}}));
        describe(property, &path, key, metadata);
    }
}

/// What a catalog chose, in our order of streams, and the schema of each as the catalog has it. A stream
/// that nobody knows is told and passed over: cached catalogs grow old.
///
/// # Errors
/// In words, if the catalog is not one, or selects a stream that the settings do not offer: a run that ends
/// well has read whatever was selected.
pub fn select(catalog: &Value, offer: &Offer) -> Result<Vec<Selected>, String> {
    let entries = catalog["streams"].as_array().ok_or("it has no list `streams`")?;
    let mut chosen: HashMap<&str, Selected> = HashMap::new();
    let mut missing: Vec<&str> = Vec::new();
    for entry in entries {
        let name = entry["tap_stream_id"].as_str().or(entry["stream"].as_str());
        let name = name.ok_or("a stream in it has no `tap_stream_id`")?;
        let metadata = metadata(entry);
        let legacy = entry["selected"].as_bool().or(entry["schema"]["selected"].as_bool());
        let is_selected = selects(&metadata, &[], legacy, metadata.is_empty());
        if find(name).is_none() {
            log::warn(format!("the catalog names a stream {name:?} that does not exist; it is skipped"));
        } else if let Some(stream) = offer.find(name).filter(|_| is_selected) {
            let mut selected = Selected { schema: schema_of(stream, entry, offer), ..offer.whole(stream) };
            selected.deselected = narrow(&mut selected.schema, &[], &|path, property| {
                let breadcrumb: Vec<_> = path.iter().flat_map(|name| ["properties", *name]).collect();
                path == [stream.key] || selects(&metadata, &breadcrumb, property["selected"].as_bool(), true)
            });
            chosen.insert(stream.name, selected);
        } else if is_selected && !missing.contains(&name) {
            missing.push(name);
        }
    }
    if !missing.is_empty() {
        return Err(format!(
            "it selects {}, which the settings do not offer; add it to the setting streams, or deselect it",
            missing.join(", ")
        ));
    }
    Ok(offer.streams.iter().filter_map(|stream| chosen.remove(stream.name)).collect())
}

/// Our schema, with the properties that the catalog describes as it describes them: users change types
/// there (Meltano's `schema` extra).
fn schema_of(stream: &Stream, entry: &Value, offer: &Offer) -> Value {
    let mut schema = offer.schema(stream);
    for (name, property) in entry["schema"]["properties"].as_object().into_iter().flatten() {
        if property.is_object() && !offer.leaves_out(stream, name) {
            schema["properties"][name] = property.clone();
        }
    }
    schema
}

/// The metadata of a catalog entry, by breadcrumb.
type Metadata<'a> = HashMap<Vec<&'a str>, &'a Value>;

fn metadata<'a>(entry: &'a Value) -> Metadata<'a> {
    let described = |item: &'a Value| {
        let breadcrumb = item["breadcrumb"].as_array()?.iter().filter_map(Value::as_str);
        Some((breadcrumb.collect(), &item["metadata"]))
    };
    entry["metadata"].as_array().into_iter().flatten().filter_map(described).collect()
}

/// The precedence of the Singer SDK. A property is asked only if its parent is selected. `legacy`: the `selected`
/// outside the metadata, which counts only where these say nothing (Meltano writes both).
fn selects(metadata: &Metadata<'_>, breadcrumb: &[&str], legacy: Option<bool>, otherwise: bool) -> bool {
    let metadata = metadata.get(breadcrumb).copied().unwrap_or(&Value::Null);
    let selected = metadata["selected"].as_bool().or(legacy);
    match metadata["inclusion"].as_str() {
        Some("unsupported") => false,
        Some("automatic") => true,
        _ => selected.or(metadata["selected-by-default"].as_bool()).unwrap_or(otherwise),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Personal;
    use crate::streams::STREAMS;

    fn offer() -> Offer {
        Offer { streams: STREAMS.iter().collect(), personal: Personal::Keep }
    }

    /// Properties left of users by a catalog with this metadata and these extra keys on its entry.
    fn left(metadata: Value, extra: Value) -> Option<Vec<String>> {
        let mut entry = json!({"tap_stream_id": "users", "schema": find("users").unwrap().schema(), "metadata": metadata});
        for (key, value) in extra.as_object().unwrap() {
            entry[key] = value.clone();
        }
        let catalog = json!({"streams": [entry]});
        let selected = select(&catalog, &offer()).unwrap();
        Some(paths(&selected.first()?.schema, ""))
    }

    fn paths(schema: &Value, prefix: &str) -> Vec<String> {
        let mut all = Vec::new();
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            all.push(format!("{prefix}{name}"));
            all.extend(paths(property, &format!("{prefix}{name}.")));
        }
        all
    }

    fn root(metadata: Value) -> Value {
        json!({"breadcrumb": [], "metadata": metadata})
    }

    fn property(path: &[&str], metadata: Value) -> Value {
        let breadcrumb: Vec<_> = path.iter().flat_map(|name| ["properties", name]).collect();
        json!({"breadcrumb": breadcrumb, "metadata": metadata})
    }

    #[test]
    fn whether_a_stream_is_selected() {
        let table = [
            (json!([]), json!({}), true),
            (json!([root(json!({}))]), json!({}), false),
            (json!([root(json!({"selected": true}))]), json!({}), true),
            (json!([root(json!({"selected": false, "selected-by-default": true}))]), json!({}), false),
            (json!([root(json!({"selected-by-default": true}))]), json!({}), true),
            (json!([root(json!({"selected-by-default": true}))]), json!({"selected": false}), false),
            (json!([root(json!({"selected": true}))]), json!({"selected": false}), true),
            (json!([root(json!({"selected": false}))]), json!({"selected": true}), false),
            (json!([root(json!({}))]), json!({"selected": true}), true),
            (json!([root(json!({}))]), json!({"schema": {"selected": true}}), true),
            (json!([root(json!({"inclusion": "unsupported", "selected": true}))]), json!({}), false),
            (json!([root(json!({"inclusion": "automatic", "selected": false}))]), json!({}), true),
            (json!([property(&["email"], json!({"selected": false}))]), json!({}), false),
            // as Meltano writes it
            (
                json!([root(
                    json!({"inclusion": "available", "selected": true, "replication-method": "FULL_TABLE"})
                )]),
                json!({"selected": true, "replication_method": "FULL_TABLE"}),
                true,
            ),
        ];
        for (metadata, extra, selected) in table {
            assert_eq!(left(metadata.clone(), extra.clone()).is_some(), selected, "{metadata} {extra}");
        }
    }

    #[test]
    fn whether_a_property_is_selected() {
        let on = || root(json!({"selected": true}));
        // metadata besides the root's; what must be there; what must not
        let table: [(Vec<Value>, &[&str], &[&str]); 10] = [
            (vec![], &["id", "email", "metadata.created_at", "created_at"], &[]),
            (vec![property(&["email"], json!({"selected": false}))], &["id"], &["email"]),
            (vec![property(&["id"], json!({"inclusion": "available", "selected": false}))], &["id"], &[]),
            (
                vec![property(&["email"], json!({"inclusion": "automatic", "selected": false}))],
                &["email"],
                &[],
            ),
            (
                vec![property(&["email"], json!({"inclusion": "unsupported", "selected": true}))],
                &[],
                &["email"],
            ),
            (vec![property(&["email"], json!({"selected-by-default": false}))], &[], &["email"]),
            (
                vec![property(&["email"], json!({"selected-by-default": false, "selected": true}))],
                &["email"],
                &[],
            ),
            (
                vec![property(&["metadata", "self"], json!({"selected": false}))],
                &["metadata", "metadata.created_at"],
                &["metadata.self"],
            ),
            (
                vec![
                    property(&["metadata"], json!({"selected": false})),
                    property(&["metadata", "self"], json!({"inclusion": "automatic", "selected": true})),
                ],
                &["created_at"],
                &["metadata", "metadata.self"],
            ),
            (
                vec![property(&["organization_id"], json!({"selected": false}))],
                &["created_at"],
                &["organization_id"],
            ),
        ];
        for (metadata, there, gone) in table {
            let metadata = Value::Array([vec![on()], metadata].concat());
            let left = left(metadata.clone(), json!({})).unwrap();
            assert!(there.iter().all(|path| left.iter().any(|l| l == path)), "{metadata}: {left:?}");
            assert!(!gone.iter().any(|path| left.iter().any(|l| l == path)), "{metadata}: {left:?}");
        }
    }

    #[test]
    fn what_discover_says_selects_everything() {
        let catalog = discover(&offer());
        let selected = select(&catalog, &offer()).unwrap();
        assert_eq!(selected.len(), STREAMS.len());
        for selected in selected {
            assert!(selected.deselected.is_empty());
            assert_eq!(selected.schema, selected.stream.schema());
        }
    }

    #[test]
    fn the_types_of_the_catalog_are_said() {
        let catalog = json!({"streams": [{"tap_stream_id": "users", "schema": {"properties": {"email": {"type": "integer"}}}}]});
        let selected = select(&catalog, &offer()).unwrap();
        assert_eq!(selected[0].schema["properties"]["email"], json!({"type": "integer"}));
        assert!(selected[0].schema["properties"]["id"].is_object());
    }
}
