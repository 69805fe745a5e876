//! What reaches out of Confluent Cloud, and what comes in from elsewhere to run there: provider integrations and
//! the plugins of custom connectors, in the shapes recorded in the Terraform provider's fixtures.

use crate::clusters;
use crate::json::{Object, list};
use crate::organization::{HOST, Organization, Row};
use crate::random::{one_in, pick, uuid};
use crate::records::{head, refer};

/// Recorded without metadata, and with a URL in place of its environment's resource name.
pub fn integration(org: &Organization, row: Row) -> Object {
    let mut dice = org.dice(row, 0);
    let (home, place) = org.home(row);
    let home = home.expect("integrations are in environments");
    let environment = org.id_of(home);
    let role = |name: &str| format!("arn:aws:iam::000000000000:role/{name}");
    let config = Object::new()
        .text("iam_role_arn", &role("confluent"))
        .text("external_id", &uuid(&mut dice))
        .text("customer_iam_role_arn", &role(pick(&mut dice, &["s3-writer", "Zugriff+lesen=ja", "my-role"])))
        .text("kind", "AwsIntegrationConfig");
    let usages: Vec<String> = (0..dice.u64(..3))
        .map(|number| {
            let cluster = clusters::named(org, home.index, dice.u64(..));
            format!(
                "{}/environment={environment}/cloud-cluster={cluster}/connector=datagen_{number}",
                org.crn()
            )
        })
        .collect();
    let link = format!("{HOST}/v2/environments/{environment}");
    let name = format!("{HOST}/organization={}/environment={environment}", org.id);
    let reference = refer(&mut dice, &environment, &link, &name).finish();
    let object = Object::new()
        .text("api_version", row.stream.api_version())
        .text("kind", row.stream.kind)
        .text("id", &org.id_of(row))
        .text("display_name", &format!("s3_für_søk_{place}"))
        .text("provider", "AWS")
        .raw("config", &config.finish())
        .raw("environment", &reference);
    match usages.len() {
        0 if one_in(&mut dice, 2) => object,
        _ => object.raw("usages", &list(usages.into_iter())),
    }
}

/// The archive that it came from is not told.
pub fn plugin(org: &Organization, row: Row) -> Object {
    let mut dice = org.dice(row, 0);
    let name = format!("{}/custom-connector-plugins={}", org.crn(), org.id_of(row));
    let class = ["io.confluent.kafka.connect.datagen.DatagenConnector", "com.example.søk.Sink", "MqttSource"];
    let object = head(org, row, &name, &mut dice)
        .text("connector_class", pick(&mut dice, &class))
        .text("connector_type", pick(&mut dice, &["SOURCE", "SINK"]))
        .text("content_format", pick(&mut dice, &["ZIP", "JAR"]))
        .text("description", pick(&mut dice, &["", "liest <alles> & mehr"]))
        .text("display_name", &format!("plugin \"{}\"", row.index))
        .text("documentation_link", pick(&mut dice, &["", "https://example.com/docs?a=1&b=2"]))
        .raw("sensitive_config_properties", pick(&mut dice, &["[]", r#"["keys","passwords"]"#, "null"]))
        .text("cloud", pick(&mut dice, &["AWS", "GCP", "AZURE"]));
    if one_in(&mut dice, 2) { object } else { object.text("runtime_language", "JAVA") }
}
