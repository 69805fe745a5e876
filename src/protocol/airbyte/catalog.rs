//! Airbyte's catalog: what is offered, and what a configured catalog asks for.

use serde_json::{Value, json};

use crate::error::Error;
use crate::protocol::{Offer, Selected, narrow};
use crate::streams::find;

/// The message of the streams that are offered, as Airbyte's catalog describes them: full refresh, resumable by page
/// tokens, and incremental where a stream has a cursor.
pub fn discover(offer: &Offer) -> Value {
    let streams = offer.streams.iter().map(|stream| {
        let (first, last) = (usize::from(stream.is_history()), usize::from(stream.cursor.is_some()));
        let modes = &["full_refresh", "incremental"][first..=last];
        let mut entry = json!({
            "name": stream.name,
            "json_schema": offer.schema(stream),
            "supported_sync_modes": modes,
            // The protocol asks for it wherever is_resumable is set: the cursor is our page token.
            "source_defined_cursor": true,
            "source_defined_primary_key": [[stream.key]],
            "is_resumable": true,
        });
        if let Some(cursor) = stream.cursor {
            entry["default_cursor_field"] = json!([cursor]);
        }
        entry
    });
    json!({"type": "CATALOG", "catalog": {"streams": streams.collect::<Vec<_>>()}})
}

/// Streams that are selected, and those that are asked for and not offered.
type Choice = (Vec<Selected>, Vec<(String, Error)>);

/// What a configured catalog asks for, and the names in it that are not offered. The platform hands a finished full
/// refresh back only on a retry of the same job, which skips it. PyAirbyte hands it back on every run, and asks for
/// `incremental` of all streams.
///
/// # Errors
/// In words, if the catalog is not one.
pub fn select(catalog: &Value, offer: &Offer) -> Result<Choice, String> {
    let entries = catalog["streams"].as_array().ok_or("it has no list `streams`")?;
    let (mut wanted, mut missing): (Vec<Selected>, _) = (Vec::new(), Vec::new());
    for entry in entries {
        let name = entry["stream"]["name"].as_str().ok_or("a stream in it has no name")?;
        let skip_complete = match entry["sync_mode"].as_str() {
            Some("full_refresh") => true,
            Some("incremental") => false,
            _ => return Err(format!("the sync_mode of {name:?} is neither full_refresh nor incremental")),
        };
        if entries.iter().filter(|other| other["stream"]["name"] == name).nth(1).is_some() {
            return Err(format!("it asks for {name:?} twice"));
        }
        let Some(stream) = offer.find(name) else {
            let remedy = find(name).map_or("", |_| ", or add it to the setting streams");
            let error = Error::config(format!("{name} is not offered: remove it from the catalog{remedy}"));
            missing.push((name.to_owned(), error));
            continue;
        };
        let mut selected = Selected { skip_complete, ..offer.whole(stream) };
        selected.deselected = narrow(&mut selected.schema, &[], &|path, _| {
            let (name, above) = path.split_last().unwrap_or((&stream.key, &[]));
            let of = &entry["stream"]["json_schema"];
            let of = above.iter().fold(of, |schema, name| &schema["properties"][name]);
            let theirs = of["properties"].as_object().filter(|theirs| !theirs.is_empty());
            path == [stream.key] || theirs.is_none_or(|theirs| theirs.contains_key(*name))
        });
        wanted.push(selected);
    }
    Ok((wanted, missing))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Personal;
    use crate::streams::STREAMS;

    fn offer() -> Offer {
        Offer { streams: STREAMS.iter().take(2).collect(), personal: Personal::Keep }
    }

    fn configured(schema: Value, sync_mode: &str) -> Value {
        json!({"stream": {"name": "users", "json_schema": schema}, "sync_mode": sync_mode,
               "destination_sync_mode": "overwrite"})
    }

    fn chosen(entries: Value) -> Result<Choice, String> {
        select(&json!({"streams": entries}), &offer())
    }

    #[test]
    fn modes_and_names() {
        let of =
            |mode| chosen(json!([configured(json!({}), mode)])).map(|(wanted, _)| wanted[0].skip_complete);
        assert_eq!(of("full_refresh"), Ok(true));
        assert_eq!(of("incremental"), Ok(false));
        assert!(of("INVALID").is_err_and(|words| words.contains("users")));
        let twice = json!([configured(json!({}), "full_refresh"), configured(json!({}), "full_refresh")]);
        assert!(chosen(twice).is_err());
        assert!(chosen(json!([{"sync_mode": "full_refresh"}])).is_err());
        assert!(chosen(json!({})).is_err());
        let mut other = configured(json!({}), "full_refresh");
        other["stream"]["name"] = "role_bindings".into();
        assert!(
            chosen(json!([&other, &other])).is_err(),
            "the history would say twice that it was not offered"
        );
        let (wanted, missing) = chosen(json!([other])).unwrap();
        assert!(wanted.is_empty());
        assert_eq!(missing[0].0, "role_bindings", "not offered, although it exists");
    }
}
