//! Airbyte's catalog: what is offered, and what a configured catalog asks for.

use serde_json::{Value, json};

use crate::protocol::{Offer, Selected};
use crate::shape::Deselected;

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

/// What a configured catalog asks for, and the names in it that are not offered. The platform hands a finished full
/// refresh back only on a retry of the same job, which skips it. PyAirbyte hands it back on every run, and asks for
/// `incremental` of all streams.
///
/// # Errors
/// In words, if the catalog is not one.
pub fn select(catalog: &Value, offer: &Offer) -> Result<(Vec<Selected>, Vec<String>), String> {
    let entries = catalog["streams"].as_array().ok_or("it has no list `streams`")?;
    let (mut wanted, mut missing): (Vec<Selected>, _) = (Vec::new(), Vec::new());
    for entry in entries {
        let name = entry["stream"]["name"].as_str().ok_or("a stream in it has no name")?;
        let skip_complete = match entry["sync_mode"].as_str() {
            Some("full_refresh") => true,
            Some("incremental") => false,
            _ => return Err(format!("the sync_mode of {name:?} is neither full_refresh nor incremental")),
        };
        let Some(stream) = offer.find(name) else {
            missing.push(name.to_owned());
            continue;
        };
        if wanted.iter().any(|other| other.stream.name == stream.name) {
            return Err(format!("it asks for {name:?} twice"));
        }
        let mut selected = Selected { skip_complete, ..offer.whole(stream) };
        narrow(&stream.schema(), &entry["stream"]["json_schema"], &[], stream.key, &mut selected.deselected);
        wanted.push(selected);
    }
    Ok((wanted, missing))
}

/// Leaves out what our schema declares and the configured one lacks; a configured schema without properties
/// lacks nothing. The key always stays.
fn narrow(ours: &Value, theirs: &Value, at: &[&str], key: &str, deselected: &mut Deselected) {
    let (Some(ours), Some(theirs)) = (ours["properties"].as_object(), theirs["properties"].as_object())
    else {
        return;
    };
    for (name, property) in ours.iter().filter(|_| !theirs.is_empty()) {
        let path = [at, &[name]].concat();
        match theirs.get(name) {
            Some(theirs) => narrow(property, theirs, &path, key, deselected),
            None if path == [key] => {}
            None => drop(deselected.insert(path.iter().map(|name| (*name).to_owned()).collect())),
        }
    }
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

    fn chosen(entries: Value) -> Result<(Vec<Selected>, Vec<String>), String> {
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
        let (wanted, missing) = chosen(json!([other])).unwrap();
        assert!(wanted.is_empty());
        assert_eq!(missing, ["role_bindings"], "not offered, although it exists");
    }
}
