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
