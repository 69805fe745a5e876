//! Encryption keys of the customer's own, in the shapes recorded in the Terraform provider's fixtures.

use fastrand::Rng;

use crate::json::Object;
use crate::organization::{Organization, Row};
use crate::random::{one_in, pick, short_id, uuid};
use crate::records::{FIRST_DAY, LAST_DAY, head};
use crate::time::rfc3339;

/// The id of key number `index`; clusters name the key with the number of their environment.
pub fn named(org: &Organization, index: u64) -> String {
    format!("cck-{}", short_id(org.scenario.seed, 83, index))
}

pub fn id(org: &Organization, row: Row) -> String {
    named(org, row.index)
}

/// Where the key is, the provider's name, and a region of it.
fn place(dice: &mut Rng, id: &str) -> (Object, &'static str, &'static str) {
    let unique = uuid(dice);
    match dice.u32(..3) {
        0 => {
            let roles = if one_in(dice, 3) { "[]" } else { r#"["arn:aws:iam::111122223333:role/cc-kafka"]"# };
            let arn = format!("arn:aws:kms:us-west-2:111122223333:key/{unique}");
            let key = Object::new().text("key_arn", &arn).text("kind", "AwsKey").raw("roles", roles);
            (key, "AWS", "us-west-2")
        }
        1 => {
            let vault = "/subscriptions/s/resourceGroups/schlüssel/providers/Microsoft.KeyVault/vaults/v";
            let key = Object::new()
                .text("application_id", if one_in(dice, 2) { "" } else { &unique })
                .text("key_id", "https://vault-name.vault.azure.net/keys/key-name")
                .text("key_vault_id", vault)
                .text("kind", "AzureKey")
                .text("tenant_id", &unique);
            (key, "Azure", "westeurope")
        }
        _ => {
            let key = Object::new()
                .text("key_id", "projects/p/locations/us-central1/keyRings/ring/cryptoKeys/key")
                .text("kind", "GcpKey")
                .text("security_group", &format!("{id}@confluent.io"));
            (key, "GCP", "us-central1")
        }
    }
}

/// Older ones are recorded without a name and without a validation.
pub fn key(org: &Organization, row: Row) -> Object {
    let mut dice = org.dice(row, 0);
    let id = org.id_of(row);
    let (key, provider, region) = place(&mut dice, &id);
    let object = head(org, row, &format!("{}/key={id}", org.crn()), &mut dice)
        .raw("key", &key.finish())
        .text("provider", provider)
        .text("state", pick(&mut dice, &["AVAILABLE", "IN_USE"]));
    if one_in(&mut dice, 4) {
        return object;
    }
    let (phase, message) = pick(
        &mut dice,
        &[
            ("VALID", None),
            ("VALID", Some("")),
            ("INITIALIZING", None),
            ("INVALID", Some("Key access permissions \"encrypt\" & \"decrypt\" missing")),
        ],
    );
    let since = FIRST_DAY + dice.u64(..LAST_DAY - FIRST_DAY);
    let validation = Object::new()
        .text("phase", phase)
        .text("since", &rfc3339(&mut dice, since))
        .maybe("message", message)
        .maybe("region", (phase == "VALID").then_some(region));
    object.text("display_name", &format!("Schlüssel <{}>", row.index)).raw("validation", &validation.finish())
}
