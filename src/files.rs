//! Files of JSON that the command line names: settings, catalog, state.

use serde_json::Value;

use crate::error::Error;

/// Reads a file of JSON. `what`: what the file is to the user: config, catalog, state.
///
/// # Errors
/// Config, in words that quote nothing of the file.
pub fn read_json(what: &str, path: &str) -> Result<Value, Error> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Error::config(format!("{what} {path} cannot be read: {error}")))?;
    let text = text.trim_start_matches('\u{feff}');
    serde_json::from_str(text).map_err(|error| {
        Error::config(format!(
            "{what} {path} is not JSON (line {}, column {}); mend the file or leave it out",
            error.line(),
            error.column()
        ))
    })
}
