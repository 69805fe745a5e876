//! Settings as texts, one a line, from the last: enforced or refused, and no error shows the
//! secret.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tap_confluent_cloud::config::Settings;

fuzz_target!(|text: &str| {
    let mut lines = text.lines();
    let values: std::cell::RefCell<Vec<_>> = std::cell::RefCell::new(lines.by_ref().map(str::to_owned).collect());
    let environment = |name: &str| match name {
        "TAP_CONFLUENT_CLOUD_API_SECRET" => Some("hush-5up3r-s3cret".to_owned()),
        _ => values.borrow_mut().pop(),
    };
    let Ok(settings) = Settings::gather(&["ENV".to_owned()], environment) else { return };
    let _ = settings.offered();
    if let Err(error) = settings.enforce() {
        assert!(!error.to_string().contains("hush-5up3r-s3cret"));
    }
});
