//! What the service says when it refuses: bodies as recorded, role bindings with a shape of their own.

use crate::faults::Fault;
use crate::http::Answer;
use crate::stream::Stream;

/// An answer that ends the way to a better one.
pub type Refusal = Box<Answer>;

pub fn refuse(fault: Fault) -> Refusal {
    Box::new(Answer::of(&fault).unwrap_or_else(|| Answer::json(500, String::new())))
}

pub fn not_found() -> Refusal {
    refuse(Fault::errors_title(404, "Not Found"))
}

pub fn forbidden(stream: Stream) -> Refusal {
    refuse(if stream == Stream::RoleBindings {
        Fault::error_code(
            403,
            40301,
            "Either unauthorized to access role binding or role binding does not exist",
        )
    } else {
        let body = r#"{"errors":[{"id":"7c1d0a44b9e2f3aa","status":"403","code":"forbidden_access","title":"Forbidden Access","detail":"Forbidden Access","source":{}}]}"#;
        Fault::Status { status: 403, body: body.to_owned(), headers: Vec::new() }
            .with_header("Content-Type", "application/json")
    })
}

pub fn invalid(parameter: &str, detail: &str) -> Refusal {
    let detail = crate::json::quoted(detail);
    let body = format!(
        r#"{{"errors":[{{"id":"90b7e6d1c2a34f58","status":"400","code":"invalid_filter","title":"Invalid Filter","detail":{detail},"source":{{"parameter":"{parameter}"}}}}]}}"#
    );
    refuse(
        Fault::Status { status: 400, body, headers: Vec::new() }
            .with_header("Content-Type", "application/json"),
    )
}

pub fn expired(status: u16) -> Refusal {
    refuse(Fault::errors(status, "the page token has expired"))
}
