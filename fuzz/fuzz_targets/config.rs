//! Settings as texts, one a line: enforced or refused, and no error shows the
//! secret.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tap_confluent_cloud::config::Settings;

fuzz_target!(|text: &str| {
    let schema: serde_json::Value = serde_json::from_str(tap_confluent_cloud::config::SCHEMA).unwrap_or_default();
    let names = schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.to_uppercase());
    let mut environment: Vec<_> = names.zip(text.lines()).map(|(name, value)| (name, value.to_owned())).collect();
    environment.push(("API_SECRET".to_owned(), "hush-5up3r-s3cret".to_owned()));
    let environment = environment.into_iter();
    let environment = environment.map(|(name, value)| (format!("TAP_CONFLUENT_CLOUD_{name}").into(), value.into()));
    let Ok(settings) = Settings::gather(&["ENV".to_owned()], environment) else { return };
    let _ = settings.offered();
    if let Err(error) = settings.enforce() {
        assert!(!error.to_string().contains("hush-5up3r-s3cret"));
    }
});
