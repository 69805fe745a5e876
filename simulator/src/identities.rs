//! Identity providers and their pools, in the shapes recorded in the Terraform provider's fixtures
//! and the specification.

use fastrand::Rng;

use crate::json::Object;
use crate::organization::{Organization, Row};
use crate::random::{base64, one_in, pick, uuid};
use crate::records::head;

/// As recorded, a key with its modulus and certificate; as specified, not much more than its name.
fn key(dice: &mut Rng, issuer: &str) -> String {
    let name = base64(dice, 27).replace('/', "_").replace('+', "-");
    let key = Object::new().text("kty", "RSA").text("kid", &name);
    if one_in(dice, 3) {
        return key.text("alg", "RS256").finish();
    }
    let certificate = base64(dice, 1034);
    key.text("use", "sig")
        .text("n", &base64(dice, 342).replace('/', "_").replace('+', "-"))
        .text("e", "AQAB")
        .raw("x5c", &format!("[\"MIIDBTCC{certificate}\"]"))
        .text("x5t", &name)
        .text("issuer", issuer)
        .finish()
}

pub fn provider(org: &Organization, row: Row) -> Object {
    let mut dice = org.dice(row, 0);
    let name = format!("{}/identity-provider={}", org.crn(), org.id_of(row));
    let tenant = uuid(&mut dice);
    let (display, issuer, keys) = match dice.u32(..3) {
        0 => (
            "Entra ID",
            format!("https://login.microsoftonline.com/{tenant}/v2.0"),
            "https://login.microsoftonline.com/common/discovery/v2.0/keys".to_owned(),
        ),
        1 => (
            "Okta <workforce> & partners",
            "https://example.okta.com/oauth2/default".to_owned(),
            "https://example.okta.com/oauth2/default/v1/keys".to_owned(),
        ),
        _ => {
            let realm = format!("https://sso.example.com/realms/{tenant}");
            ("Keycloak \"prod\"", realm.clone(), format!("{realm}/protocol/openid-connect/certs"))
        }
    };
    let object = head(org, row, &name, &mut dice)
        .text("display_name", &format!("{display} {}", row.index))
        .text("description", pick(&mut dice, &["", "für alle Dienste", "CI of the data platform"]))
        .text("state", "ENABLED")
        .text("issuer", &issuer)
        .text("jwks_uri", &keys);
    let object = if one_in(&mut dice, 2) { object } else { object.text("identity_claim", "claims.sub") };
    // The first one always has some.
    match dice.u32(..4) {
        0 if row.index > 0 => object,
        1 if row.index > 0 => object.raw("keys", "[]"),
        _ => {
            let keys: Vec<String> = (0..dice.u32(1..=3)).map(|_| key(&mut dice, &issuer)).collect();
            object.raw("keys", &format!("[{}]", keys.join(",")))
        }
    }
}

/// Nothing in it but links and names tells its provider.
pub fn pool(org: &Organization, row: Row) -> Object {
    let mut dice = org.dice(row, 0);
    let (id, (provider, place)) = (org.id_of(row), org.home(row));
    let provider = provider.map_or_else(String::new, |provider| org.id_of(provider));
    let name = format!("{}/identity-provider={provider}/identity-pool={id}", org.crn());
    let filter = pick(
        &mut dice,
        &[
            r#"claims.aud=="confluent" && claims.group!="invalid_group""#,
            r#"claims.tid.startsWith("b3d3") || claims.iss.contains("søk")"#,
            "true",
        ],
    );
    let object = head(org, row, &name, &mut dice).text("display_name", &format!("Pool <{place}>"));
    let object = match dice.u32(..4) {
        0 => object,
        1 => object.text("description", ""),
        _ => object.text("description", "Prod access\tfor Release Engineering"),
    };
    object
        .text("identity_claim", pick(&mut dice, &["claims.sub", "claims.azp"]))
        .text("filter", filter)
        .text("principal", &id)
        .text("state", pick(&mut dice, &["ENABLED", "ENABLED", "DISABLED"]))
}

/// A group of the single sign-on, and the principal that its members act as.
pub fn group(org: &Organization, row: Row) -> Object {
    let mut dice = org.dice(row, 0);
    let id = org.id_of(row);
    let name = format!("{}/group-mapping={id}", org.crn());
    let filters = [r#""engineering" in groups"#, r#"groups.exists(g, g.startsWith("søk"))"#, "true"];
    head(org, row, &name, &mut dice)
        .text("display_name", &format!("Group {}", row.index))
        .text("description", pick(&mut dice, &["", "für alle Dienste", "admins"]))
        .text("filter", pick(&mut dice, &filters))
        .text("principal", &id)
        .text("state", "ENABLED")
}
