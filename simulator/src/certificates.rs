//! Certificate authorities and their pools, in the shapes recorded in the Terraform provider's fixtures
//! and the specification.

use fastrand::Rng;

use crate::json::{Object, list};
use crate::organization::{Organization, Row};
use crate::random::{characters, one_in, pick};
use crate::records::{FIRST_DAY, LAST_DAY, head};
use crate::time::rfc3339;

/// As recorded, hexadecimal digits mostly in capitals.
fn hexadecimal(dice: &mut Rng, count: usize) -> String {
    characters(dice, b"0123456789ABCDEFf", count)
}

/// Adds where the list of revoked certificates comes from. Of a list that is a file, the URL has been
/// recorded as a sentence.
fn revocation(object: Object, dice: &mut Rng) -> Object {
    let (source, url) = match dice.u32(..5) {
        0 => return object,
        1 => return object.text("crl_source", ""),
        2 | 3 => ("LOCAL", "Local file uploaded"),
        _ => ("URL", "https://pki.example.com/crl/root.crl?format=pem&lang=de"),
    };
    let since = FIRST_DAY + dice.u64(..LAST_DAY - FIRST_DAY);
    let object = object.text("crl_url", url).text("crl_source", source);
    object.text("crl_updated_at", &rfc3339(dice, since))
}

pub fn authority(org: &Organization, row: Row) -> Object {
    let mut dice = org.dice(row, 0);
    let name = format!("{}/certificate-authority={}", org.crn(), org.id_of(row));
    let display = pick(&mut dice, &["Root CA \"prod\"", "Zertifizierungsstelle für Geräte", "IoT <edge>"]);
    let chain = dice.usize(1..=3);
    let object = head(org, row, &name, &mut dice)
        .text("display_name", &format!("{display} {}", row.index))
        .text("description", pick(&mut dice, &["", "Geräte der Werke", "issued by Vault & renewed yearly"]))
        .raw("fingerprints", &list((0..chain).map(|_| hexadecimal(&mut dice, 40))))
        .raw(
            "expiration_dates",
            &list((0..chain).map(|_| {
                let until = LAST_DAY + dice.u64(..100_000_000);
                rfc3339(&mut dice, until)
            })),
        )
        .raw("serial_numbers", &list((0..chain).map(|_| hexadecimal(&mut dice, 32))))
        .text("certificate_chain_filename", "certificate.pem");
    let object = revocation(object, &mut dice);
    // Of the recorded ones some have neither of the two, some both.
    match dice.u32(..3) {
        0 => object,
        number => {
            let required = if number == 1 { "false" } else { "true" };
            object.raw("require_crl_on_client_certificate", required).text("state", "ENABLED")
        }
    }
}

/// Nothing in it but links tells its authority. It is recorded with a name of its own in names and links, and
/// without principal and state.
pub fn pool(org: &Organization, row: Row) -> Object {
    let mut dice = org.dice(row, 0);
    let (id, place) = (org.id_of(row), org.home(row).1);
    let name = format!("{}/certificate-identity-pool={id}", org.crn());
    let filters = ["C=='Canada' && O=='Confluent'", r#"CN.startsWith("søk-") || OU=='R&D'"#, "true"];
    let object = head(org, row, &name, &mut dice)
        .text("display_name", &format!("Certificates <{place}>"))
        .text("description", pick(&mut dice, &["", "für alle Dienste", "example-description"]))
        .text("external_identifier", pick(&mut dice, &["UID", "CN"]))
        .text("filter", pick(&mut dice, &filters));
    if one_in(&mut dice, 3) { object } else { object.text("principal", &id).text("state", "ENABLED") }
}
