//! What the service says when it refuses: bodies as recorded, role bindings with a shape of their own.

use crate::faults::Fault;
use crate::http::Answer;
use crate::json::quoted;
use crate::organization::{Errors, Narrowed, Stream};

/// An answer that ends the way to a better one.
pub type Refusal = Box<Answer>;

pub fn refuse(fault: Fault) -> Refusal {
    Box::new(Answer::of(&fault).unwrap_or_else(|| Answer::json(500, String::new())))
}

/// Nobody may know more than 403, where a record is hidden, or 404, where there is none.
pub fn denied(stream: &Stream, status: u16) -> Refusal {
    let words = if status == 403 { "Forbidden Access" } else { "Not Found" };
    refuse(match stream.errors {
        Errors::RoleBinding => Fault::error_code(
            403,
            40301,
            "Either unauthorized to access role binding or role binding does not exist",
        ),
        Errors::Code if status == 404 => {
            let words = format!("{} either doesn't exist or is not active", stream.kind);
            Fault::error_code(404, 404, &words)
        }
        Errors::Code => Fault::error_code(status, status.into(), words),
        Errors::Object => Fault::error_object(status, words),
        Errors::List if status == 403 => {
            let body = r#"{"errors":[{"id":"7c1d0a44b9e2f3aa","status":"403","code":"forbidden_access","title":"Forbidden Access","detail":"Forbidden Access","source":{}}]}"#;
            Fault::Status { status, body: body.to_owned(), headers: Vec::new() }
                .with_header("Content-Type", "application/json")
        }
        Errors::List => Fault::errors_title(status, words),
    })
}

pub fn invalid(parameter: &str, detail: &str) -> Refusal {
    let detail = quoted(detail);
    let body = format!(
        r#"{{"errors":[{{"id":"90b7e6d1c2a34f58","status":"400","code":"invalid_filter","title":"Invalid Filter","detail":{detail},"source":{{"parameter":"{parameter}"}}}}]}}"#
    );
    refuse(
        Fault::Status { status: 400, body, headers: Vec::new() }
            .with_header("Content-Type", "application/json"),
    )
}

/// Refuses a request without the filter that the listing wants. `given`: the parameter of that name.
pub fn demand<'a>(stream: &Stream, given: impl Fn(&str) -> Option<&'a str>) -> Result<(), Refusal> {
    match stream.narrowed {
        Narrowed::Filter(name) if given(name).is_none_or(str::is_empty) => {
            Err(invalid(name, &format!("{name} is required")))
        }
        _ => Ok(()),
    }
}

pub fn expired(status: u16) -> Refusal {
    refuse(Fault::errors(status, "the page token has expired"))
}
