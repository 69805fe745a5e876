//! Whatever a service makes of the credentials that it was sent: no ten characters of them come out.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

use tap_confluent_cloud::api::complaint;
use tap_confluent_cloud::api::redact::Pieces;

use crate::support::leaks::{ESCAPES, leak};

const SECRET: &str = "cflt+Q7/xZ0pLm8sVt3Yw/K2+hNb5RdG9jFa1oUiEc6XqTzB4nHy8MkWrS0";

/// Of the header made of a key and this secret.
const HEADER: &str = "QUJDREVGR0hJSktMTU5PUDpjZmx0K1E3L3haMHBMbThzVnQzWXcvSzIraE5iNVJkRzlqRmExb1VpRWM2WHFUekI0bkh5OE1rV3JTMA==";

/// Two pieces of the secret or of the header, whole or shorter, each escaped in a way of its own, among what may
/// stand before and between: signs that begin escapes, white space, words.
fn any_echo() -> impl Strategy<Value = String> {
    let piece = (any::<bool>(), any::<prop::sample::Index>(), 1..60_usize, 0..ESCAPES.len()).prop_map(
        |(secret, start, length, escape)| {
            let of = if secret { SECRET } else { HEADER };
            let start = start.index(of.len());
            (ESCAPES[escape].1)(&of[start..of.len().min(start + length)])
        },
    );
    let filler = prop_oneof![
        prop::sample::select(vec![
            "%", "=", "\\", "&", "&#", "\\u", "<", ">", "\"", ":", " ", "\n", "{", "key="
        ])
        .prop_map(str::to_owned),
        "[a-zé ]{0,40}",
        (0..400_usize).prop_map(|times| "no ".repeat(times)),
    ];
    vec(prop_oneof![2 => piece, 3 => filler], 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_piece_of_the_credentials_leaves_any_body(echo in any_echo(), of_page in any::<bool>()) {
        let pieces = Pieces::of([SECRET, HEADER]);
        let bodies = [
            echo.clone(),
            json!({"errors": [{"detail": echo}]}).to_string(),
            json!({"message": echo, "seen": 1}).to_string(),
            json!({"seen": echo}).to_string(),
            format!("<html><p>{echo}</p></html>"),
        ];
        for body in bodies {
            let said = complaint::read(body.as_bytes(), of_page).said;
            let told = complaint::printable(&pieces.withhold(said));
            prop_assert_eq!(leak(&told, &[SECRET, HEADER]), None, "{} of {}", told, body);
        }
        // As a request's id, a page token or a name.
        prop_assert!(pieces.are_in(&echo) || leak(&echo, &[SECRET, HEADER]).is_none(), "{echo}");
    }

    #[test]
    fn texts_without_the_credentials_are_quoted(text in ".{0,300}") {
        prop_assert!(!Pieces::of([SECRET, HEADER]).are_in(&text));
    }
}
