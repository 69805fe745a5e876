//! The least that could do the work: each page is checked as JSON, each record copied untouched into a RECORD line. No
//! SCHEMA, no STATE, no retry, no pace; and role bindings are asked for once, where the connector asks for the
//! bare name of the organization besides.
//!
//! `floor BASE KEY SECRET SCOPE` reads the four streams side by side. SCOPE is that of the role bindings.

#![allow(clippy::expect_used, clippy::panic, reason = "what is measured is not refined, and fails loudly")]

use std::io::{self, Write};

use reqwest::Client;
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    data: Vec<&'a RawValue>,
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    next: Option<String>,
}

const STREAMS: [(&str, &str, &str); 4] = [
    ("users", "/iam/v2/users", "100"),
    ("invitations", "/iam/v2/invitations", "99"),
    ("service_accounts", "/iam/v2/service-accounts", "100"),
    ("role_bindings", "/iam/v2/role-bindings", "100"),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [base, key, secret, scope] = arguments.as_slice() else { panic!("four arguments") };
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().no_proxy().tls_certs_only([]).build().expect("a client");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let [users, invitations, accounts, bindings] =
            STREAMS.map(|stream| listing(&client, stream, (base, key, secret), scope));
        tokio::join!(users, invitations, accounts, bindings);
    });
}

async fn listing(
    client: &Client,
    (name, path, size): (&str, &str, &str),
    (base, key, secret): (&String, &String, &String),
    scope: &str,
) {
    let (mut token, mut lines): (Option<String>, Vec<u8>) = (None, Vec::new());
    loop {
        let mut url = url::Url::parse(&format!("{base}{path}?page_size={size}")).expect("a URL");
        if name == "role_bindings" {
            url.query_pairs_mut().append_pair("crn_pattern", scope);
        }
        if let Some(token) = &token {
            url.query_pairs_mut().append_pair("page_token", token);
        }
        let answer = client.get(url).basic_auth(key, Some(secret)).send().await.expect("an answer");
        let body = answer.error_for_status().expect("a page").bytes().await.expect("a body");
        let page: Page<'_> = serde_json::from_slice(&body).expect("JSON");
        lines.clear();
        for record in page.data {
            lines.extend_from_slice(b"{\"type\":\"RECORD\",\"stream\":\"");
            lines.extend_from_slice(name.as_bytes());
            lines.extend_from_slice(b"\",\"record\":");
            lines.extend_from_slice(record.get().as_bytes());
            lines.extend_from_slice(b"}\n");
        }
        io::stdout().write_all(&lines).expect("a reader");
        let next = page.metadata.next.filter(|next| !next.is_empty());
        let Some(next) = next else { return };
        let next = url::Url::parse(&next).expect("a link");
        let found = next.query_pairs().find(|(name, _)| name == "page_token");
        token = Some(found.expect("a token").1.into_owned());
    }
}
