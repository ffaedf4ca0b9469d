//! The failures that an operation can answer with, each with an example.

use actix_web::http::Method;
use kernel::error::codes as kernel_codes;
use kernel::{Error, ErrorCode, FieldError};
use serde_json::{Map, Value, json};

use super::parameters::{changes_a_record, may_need_if_match};
use crate::access::Access;
use crate::errors::RANGE_NOT_SATISFIABLE;
use crate::middleware::gate::is_api;
use crate::problem::{PROBLEM_JSON, body_of, status_of};
use crate::registry::Served;

/// Adds them to the responses of an operation.
pub(super) fn add(served: &Served, responses: &mut Map<String, Value>) {
    if !is_api(&served.path) {
        return;
    }
    for code in codes(served) {
        let status = status_of(code.kind).as_u16().to_string();
        responses.entry(status).or_insert_with(|| response(code));
    }
    if served.method == Method::GET && served.path.contains("{client_id}") {
        responses.insert("301".to_owned(), moved(&clients::errors::CLIENT_MERGED));
    }
    if served.method == Method::GET && served.exported.is_none() {
        responses.insert("304".to_owned(), json!({ "description": "Nothing has changed since the ETag that was sent" }));
    }
}

fn codes(served: &Served) -> Vec<&'static ErrorCode> {
    let mut codes = vec![
        &kernel_codes::UNREADABLE,
        &kernel_codes::VALIDATION_FAILED,
        &kernel_codes::RATE_LIMITED,
        &kernel_codes::INTERNAL,
        &kernel_codes::UNAVAILABLE,
    ];
    let mut when = |holds: bool, list: &[&'static ErrorCode]| {
        if holds {
            codes.extend_from_slice(list);
        }
    };
    when(
        served.row.access != Access::Public,
        &[&kernel_codes::UNAUTHENTICATED, &kernel_codes::FORBIDDEN, &kernel_codes::NOT_FOUND],
    );
    when(
        served.row.id == "login"
            || served.row.id == "refresh"
            || served.row.id == "portal_login"
            || served.row.id == "portal_refresh",
        &[&auth::errors::INVALID_CREDENTIALS],
    );
    when(served.row.id == "set_up", &[&auth::errors::INVALID_SETUP_CODE, &auth::errors::SETUP_DONE]);
    when(served.row.id == "accept_invitation", &[&auth::errors::INVALID_INVITATION]);
    when(served.method != Method::GET, &[&kernel_codes::STORAGE_FULL, &kernel_codes::CONFLICT]);
    when(
        served.method == Method::POST || served.method == Method::PATCH,
        &[&kernel_codes::TOO_LARGE, &kernel_codes::UNSUPPORTED_MEDIA_TYPE],
    );
    when(changes_a_record(served), &[&kernel_codes::STALE]);
    when(may_need_if_match(served), &[&kernel_codes::IF_MATCH_REQUIRED]);
    when(served.method == Method::GET, &[&kernel_codes::NOT_ACCEPTABLE]);
    when(served.is_content, &[&RANGE_NOT_SATISFIABLE, &kernel_codes::NOT_FOUND]);
    when(served.is_content && served.row.access == Access::Public, &[&files::errors::LINK_EXPIRED]);
    codes
}

/// What a read is answered of something that is elsewhere now.
fn moved(code: &'static ErrorCode) -> Value {
    let mut answer = response(code);
    if let Some(status) = answer.pointer_mut(&format!("/content/{}/example/status", PROBLEM_JSON.replace('/', "~1"))) {
        *status = 301.into();
    }
    if let Some(answer) = answer.as_object_mut() {
        let location = json!({ "description": "Where it is now", "schema": { "type": "string" } });
        answer.insert("headers".to_owned(), json!({ "Location": location }));
    }
    answer
}

fn response(code: &'static ErrorCode) -> Value {
    let mut error = Error::new(code);
    if *code == kernel_codes::VALIDATION_FAILED {
        error = error.with_field(FieldError::new("/name", "required", "is missing"));
    }
    let example = body_of(&error, Some("01938f5c-4f2e-7cc3-98c4-dc0c0c07398f"));
    json!({
        "description": code.title,
        "content": { PROBLEM_JSON: { "schema": { "$ref": "#/components/schemas/Problem" }, "example": example } },
    })
}
