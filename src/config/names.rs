//! Suggests settings for unknown names. Knows no values.

use strsim::levenshtein;

/// Maximum number of letters by which a name may differ from the suggested setting.
const NEAR: usize = 2;

/// Bytes by which it may be longer or shorter, what stands between its words included.
const LONGER: usize = 10;

/// The setting that a name means: the same but for case and what stands between its words, or else the
/// nearest that is one or two letters away.
pub fn meant<'a>(name: &str, settings: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let lower = name.to_lowercase().replace('-', "_");
    // The name of the variable instead of the setting.
    let prefixes = ["tap_confluent_cloud_", "confluent_cloud_"];
    let bare = prefixes.into_iter().find_map(|prefix| lower.strip_prefix(prefix)).unwrap_or(&lower);
    let squeezed = bare.replace('_', "");
    let away = |setting: &str| {
        if setting.replace('_', "") == squeezed { 0 } else { levenshtein(bare, setting) }
    };
    settings
        .filter(|setting| setting.len().abs_diff(bare.len()) <= LONGER)
        .map(|setting| (away(setting), setting))
        .filter(|(away, _)| *away <= NEAR)
        .min()
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::schema::names;

    fn of(name: &str) -> Option<&'static str> {
        meant(name, names())
    }

    #[test]
    fn which_setting_is_meant() {
        let table = [
            ("API_KEY", "api_key"),
            ("api-key", "api_key"),
            ("apiKey", "api_key"),
            ("api_kye", "api_key"),
            ("Api-Secrets", "api_secret"),
            ("personal_date", "personal_data"),
            ("personaldatakey", "personal_data_key"),
            ("maxRequestsPerSecond", "max_requests_per_second"),
            ("organisation_id", "organization_id"),
            ("strems", "streams"),
            ("TAP_CONFLUENT_CLOUD_PERSONAL_DATA", "personal_data"),
            ("confluent_cloud_api_key", "api_key"),
        ];
        for (name, setting) in table {
            assert_eq!(of(name), Some(setting), "{name}");
        }
        for name in ["", "x", "key", "api", "secret", "end_date", "api_token", "api_url", "page", "max_retry"]
        {
            assert_eq!(of(name), None, "{name}");
        }
        assert_eq!(of(&"api_key".repeat(100_000)), None);
    }

    #[test]
    fn no_setting_is_near_another() {
        for setting in names() {
            assert_eq!(meant(setting, names().filter(|other| *other != setting)), None, "{setting}");
        }
    }
}
