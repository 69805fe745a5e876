//! Bodies as recorded from the service, with every field that a recording or the specification names:
//! all of it is declared.

use serde_json::{Value, json};

use crate::support::airbyte;
use crate::support::pretend::{CRN, Pretend, Reply, ordinary};
use crate::support::{EVERY, assert_whole_of, every, few};
use simulator::Simulator;

/// A reference with all that any has.
fn reference(id: &str) -> Value {
    json!({
        "id": id, "related": "cloud", "resource_name": format!("crn://confluent.cloud/x={id}"),
        "api_version": "v2", "kind": "Thing",
    })
}

/// One that names an environment, too.
fn in_environment(id: &str) -> Value {
    let mut reference = reference(id);
    reference["environment"] = json!("env-1");
    reference
}

fn metadata() -> Value {
    json!({
        "self": "https://api.confluent.cloud/x", "resource_name": CRN,
        "created_at": "2024-05-02T10:11:12.123456Z", "updated_at": "2024-05-02T10:11:12.123456789Z",
        "deleted_at": "2024-05-02T10:11:12+00:00",
    })
}

/// What a listing has beside id, metadata, kind and api_version.
fn own_fields(path: &str) -> Value {
    let time = "2024-05-02T10:11:12.123456Z";
    match path {
        "/iam/v2/users" => json!({"email": "a@b.c", "full_name": "A", "auth_type": "AUTH_TYPE_SSO"}),
        "/iam/v2/invitations" => json!({
            "email": "a@b.c", "auth_type": "AUTH_TYPE_LOCAL", "status": "INVITE_STATUS_SENT",
            "accepted_at": null, "expires_at": time, "user": reference("u-1"), "creator": reference("u-2"),
        }),
        "/iam/v2/service-accounts" => json!({"display_name": "robot", "description": ""}),
        "/iam/v2/role-bindings" => {
            json!({"principal": "User:u-1", "role_name": "OrganizationAdmin", "crn_pattern": CRN})
        }
        "/iam/v2/api-keys" => json!({"spec": {
            "secret": "", "display_name": "key", "description": "", "owner": in_environment("u-1"),
            "resource": in_environment("lkc-1"), "resources": [in_environment("lkc-1"), in_environment("lkc-2")],
        }}),
        "/org/v2/environments" => {
            json!({"display_name": "default", "stream_governance_config": {"package": "ESSENTIALS"}})
        }
        "/cmk/v2/clusters" => json!({
            "spec": {
                "display_name": "c", "availability": "HIGH", "cloud": "AWS", "region": "us-east-1",
                "config": {
                    "kind": "Dedicated", "cku": 2, "max_ecku": 5, "zones": ["a"], "encryption_key": "",
                    "release_priority": "REGULAR",
                },
                "kafka_bootstrap_endpoint": "", "http_endpoint": "", "api_endpoint": "",
                "endpoints": {"PUBLIC": {"connection_type": "PUBLIC"}}, "deletion_protection": true,
                "environment": in_environment("env-1"), "network": in_environment("n-1"),
                "byok": reference("cck-1"),
            },
            "status": {"phase": "PROVISIONED", "cku": 2},
        }),
        "/org/v2/organizations" => json!({"display_name": "o", "jit_enabled": true}),
        "/iam/v2/identity-providers" => json!({
            "display_name": "Okta", "description": "", "state": "ENABLED", "issuer": "https://o.example.com",
            "jwks_uri": "https://o.example.com/keys", "identity_claim": "claims.sub",
            "keys": [{"kty": "RSA", "kid": "1", "alg": "RS256", "use": "sig", "n": "x", "e": "AQAB", "x5c": ["x"]}],
        }),
        "/iam/v2/identity-providers/x-1/identity-pools" => json!({
            "display_name": "pool", "description": "", "identity_claim": "claims.sub", "filter": "true",
            "principal": "pool-1", "state": "ENABLED",
        }),
        "/billing/v1/costs" => json!({
            "start_date": "2026-05-09", "end_date": "2026-05-10", "granularity": "DAILY", "product": "KAFKA",
            "line_type": "KAFKA_NETWORK_WRITE", "unit": "GB", "price": 0.05, "quantity": 12,
            "original_amount": 0.6, "discount_amount": 0, "amount": 0.6, "network_access_type": "INTERNET",
            "description": "", "tier_dimensions": {"tier": "1"},
            "resource": {"id": "lkc-1", "display_name": "c", "environment": {"id": "env-1"}},
        }),
        _ => fields_of_access(path, time),
    }
}

/// The same of who and what may get in, and from where.
fn fields_of_access(path: &str, time: &str) -> Value {
    match path {
        "/iam/v2/certificate-authorities" => json!({
            "display_name": "my-ca", "description": "", "fingerprints": ["B1BC968BD4f49D622AA8"],
            "expiration_dates": [time], "serial_numbers": ["219C542DE8f6EC7177FA4EE8C3705797"],
            "certificate_chain_filename": "certificate.pem", "crl_source": "LOCAL",
            "crl_url": "Local file uploaded", "crl_updated_at": time,
            "require_crl_on_client_certificate": false, "state": "ENABLED",
        }),
        "/iam/v2/certificate-authorities/x-1/identity-pools" => json!({
            "display_name": "pool", "description": "", "external_identifier": "UID", "filter": "C=='Canada'",
            "principal": "pool-1", "state": "ENABLED",
        }),
        "/iam/v2/ip-groups" => json!({"group_name": "CorpNet", "cidr_blocks": ["192.168.0.0/24"]}),
        "/iam/v2/ip-filters" => json!({
            "filter_name": "Management API Rules", "resource_group": "management", "resource_scope": CRN,
            "operation_groups": ["MANAGEMENT", "SCHEMA", "FLINK"], "ip_groups": [reference("ipg-1")],
        }),
        "/byok/v1/keys" => json!({
            "display_name": "key", "provider": "Azure", "state": "IN_USE",
            "key": {
                "application_id": "", "key_id": "https://v.vault.azure.net/keys/k", "key_vault_id": "/vaults/v",
                "kind": "AzureKey", "tenant_id": "0",
            },
            "validation": {"phase": "VALID", "message": "", "since": time, "region": "us-west-2"},
        }),
        "/pim/v1/integrations" => json!({
            "display_name": "s3", "provider": "AWS", "environment": reference("env-1"), "usages": [CRN],
            "config": {
                "iam_role_arn": "arn:aws:iam::0:role/r", "external_id": "95c35493", "kind": "AwsIntegrationConfig",
                "customer_iam_role_arn": "arn:aws:iam::0:role/r",
            },
        }),
        "/connect/v1/custom-connector-plugins" => json!({
            "display_name": "plugin", "description": "", "documentation_link": "https://example.com",
            "connector_class": "io.example.Source", "connector_type": "SOURCE", "content_format": "ZIP",
            "sensitive_config_properties": ["keys", "passwords"], "cloud": "AWS", "runtime_language": "JAVA",
            "upload_source": {"location": "PRESIGNED_URL_LOCATION", "upload_id": ""},
        }),
        "/service-quota/v1/applied-quotas" => json!({
            "scope": "ORGANIZATION", "display_name": "quota", "default_limit": 10, "applied_limit": 100,
            "usage": 3, "user": reference("u-1"), "organization": reference("o-1"),
            "environment": reference("env-1"), "network": in_environment("n-1"),
            "kafka_cluster": in_environment("lkc-1"), "identity_provider": reference("op-1"),
            "certificate_authority": null,
        }),
        _ => own_fields_of_places(path),
    }
}

/// What everything that has a place at a cloud provider is specified with, and more.
fn spec(more: Value) -> Value {
    let mut spec = json!({
        "display_name": "d", "cloud": "AWS", "region": "us-east-1", "environment": in_environment("env-1"),
    });
    spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    spec
}

/// The same of what is in an environment beside Kafka clusters.
fn own_fields_of_places(path: &str) -> Value {
    match path {
        "/srcm/v3/clusters" => json!({
            "spec": spec(json!({
                "environment": reference("env-1"), "package": "ADVANCED", "http_endpoint": "",
                "catalog_http_endpoint": "https://c.example.com", "private_http_endpoint": "https://p.example.com",
                "private_networking_config": {"regional_endpoints": {"us-east-1": "https://p.example.com"}},
            })),
            "status": {"phase": "PROVISIONED"},
        }),
        "/ksqldbcm/v2/clusters" => json!({
            "spec": {
                "display_name": "k", "use_detailed_processing_log": true, "csu": 4,
                "kafka_cluster": in_environment("lkc-1"), "credential_identity": in_environment("u-1"),
                "environment": in_environment("env-1"),
            },
            "status": {
                "http_endpoint": "", "phase": "PROVISIONED", "is_paused": false, "storage": 125,
                "topic_prefix": "pksqlc-1",
            },
        }),
        "/fcpm/v2/compute-pools" => json!({
            "spec": spec(json!({
                "environment": reference("env-1"), "config": {"kind": "Standard"}, "http_endpoint": "",
                "max_cfu": 5, "enable_ai": false, "default_pool": true, "network": in_environment("n-1"),
            })),
            "status": {"phase": "PROVISIONED", "current_cfu": 0},
        }),
        _ => own_fields_of_networking(path),
    }
}

fn own_fields_of_networking(path: &str) -> Value {
    // What is specific to a cloud stands in an object of its own form.
    let form = |kind: &str| json!({"kind": format!("networking.v1.{kind}"), "of_its_own": {"x": ["y"]}});
    let status = |form: Value| json!({"phase": "FAILED", "error_code": "", "error_message": "", "dns_domain": "d", "cloud": form});
    let attached = |kind: &str| {
        json!({
            "display_name": "p", "cloud": form(kind), "environment": in_environment("env-1"),
            "network": in_environment("n-1"),
        })
    };
    match path {
        "/networking/v1/networks" => {
            let mut status = status(form("AzureNetwork"));
            status["supported_connection_types"] = json!([]);
            status["active_connection_types"] = json!(["PEERING"]);
            status["endpoint_suffix"] = json!(".d");
            status["zonal_subdomains"] = json!({"1": "az1.d"});
            status["idle_since"] = json!("2024-05-02T10:11:12Z");
            let spec = spec(json!({
                "connection_types": ["PEERING"], "cidr": "10.1.0.0/16", "zones": ["1"],
                "zones_info": [{"zone_id": "1", "cidr": "10.2.16.0/27"}], "reserved_cidr": "172.20.255.0/24",
                "dns_config": {"resolution": "PRIVATE"}, "gateway": in_environment("gw-1"),
            }));
            json!({"spec": spec, "status": status})
        }
        "/networking/v1/peerings" => json!({
            "spec": attached("AwsPeering"),
            "status": {"phase": "FAILED", "error_code": "", "error_message": ""},
        }),
        "/networking/v1/private-link-attachments" => {
            json!({"spec": spec(json!({})), "status": status(form("AwsPrivateLinkAttachmentStatus"))})
        }
        "/networking/v1/transit-gateway-attachments" => {
            let mut status = status(form("AwsTransitGatewayAttachmentStatus"));
            status.as_object_mut().unwrap().remove("dns_domain");
            json!({"spec": attached("AwsTransitGatewayAttachment"), "status": status})
        }
        // Of others nothing more has been recorded.
        _ => json!({}),
    }
}

/// The connectors of a cluster, which come in a map and have nothing in common with other records.
fn connectors() -> Value {
    json!({"a b": {
        "id": {"id": "x-1", "id_type": "ID"},
        "info": {
            "name": "a b", "type": "sink", "config": {"connector.class": "S3_SINK", "aws.secret": "****"},
            "tasks": [{"connector": "a b", "task": 0}],
        },
        "status": {
            "name": "a b", "type": "sink",
            "connector": {"state": "FAILED", "worker_id": "w", "trace": "what has failed"},
            "tasks": [{"id": 0, "state": "FAILED", "worker_id": "w", "msg": "what has failed"}],
        },
        "extensions": {},
    }})
}

#[test]
fn with_fail_recorded_bodies_pass_for_every_stream() {
    let service = Pretend::start(|asked| {
        if asked.path.starts_with("/iam/v2/api-keys/") {
            return ordinary(asked);
        }
        if asked.path == "/connect/v1/environments/env-1/clusters/x-1/connectors" {
            return Reply::new(200, connectors().to_string());
        }
        let mut record = own_fields(&asked.path);
        record["id"] = if asked.path.ends_with("/environments") { json!("env-1") } else { json!("x-1") };
        (record["api_version"], record["kind"]) = (json!("iam/v2"), json!("Thing"));
        record["metadata"] = metadata();
        Reply::page([record], None)
    });
    let strict = || {
        let tap = service.tap().set("schema_drift", "fail").set("streams", json!(EVERY));
        // The last day that is over, in one listing.
        tap.set("start_date", "2026-05-09").on("2026-05-10")
    };
    let run = strict().run().expect_code(0);
    assert!(!run.stderr.contains("WARN"), "{}", run.stderr);
    assert!(EVERY.iter().all(|stream| run.records(stream).len() == 1));
    let heard = airbyte::read(strict(), &airbyte::catalog_of(&EVERY, "full_refresh")).expect_code(0);
    assert!(EVERY.iter().all(|stream| heard.records(stream).len() == 1));
}

#[test]
fn with_fail_a_polite_organization_is_read_whole() {
    let sim = Simulator::start(few().polite().kafka_clusters(25));
    assert_whole_of(&every(&sim).set("schema_drift", "fail").run().expect_code(0), &sim, &EVERY);
    let clusters = sim.truth().records("kafka_clusters");
    let named = clusters.iter().filter(|record| record["spec"]["environment"].get("kind").is_some()).count();
    assert!(
        named > 0 && named < clusters.len(),
        "{named} of {} name the kind of a reference",
        clusters.len()
    );
}
