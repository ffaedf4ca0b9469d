//! Errors as `application/problem+json` (RFC 9457): the one place that maps kinds to statuses.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use kernel::{Error, ErrorCode, FieldError, Kind};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::errors;
use crate::middleware::request_id::request_id_of;

/// The content type of every error.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// Where the codes are explained; `type` is this with the code.
const TYPE_BASE: &str = "https://pelatis.dev/errors/";

/// Every table of codes, in the order of the crates.
pub static CODES: &[&[&ErrorCode]] = &[
    kernel::error::codes::ALL,
    store::errors::ALL,
    mail::errors::ALL,
    auth::errors::ALL,
    platform::errors::ALL,
    files::errors::ALL,
    backup::errors::ALL,
    clients::errors::ALL,
    errors::ALL,
];

/// What went wrong (RFC 9457).
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// A URI that names the kind of problem.
    pub r#type: String,
    /// A short sentence, the same for every problem of this code.
    pub title: String,
    /// The HTTP status.
    #[schema(minimum = 300, maximum = 599)]
    pub status: u16,
    /// What it is about this time.
    #[schema(nullable = false)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Stable and machine-readable.
    pub code: String,
    /// The request's id, as in `X-Request-Id`.
    #[schema(nullable = false)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Everything that is wrong with the input.
    #[schema(nullable = false)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ProblemField>,
}

/// One thing that is wrong with the input.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ProblemField {
    /// A JSON pointer into the body, `?name` for a query parameter, or the name of a header.
    pub pointer: String,
    /// Stable and machine-readable, such as `required`.
    pub code: String,
    /// A sentence for people.
    pub message: String,
}

/// The status of a kind of failure.
pub fn status_of(kind: Kind) -> StatusCode {
    match kind {
        Kind::Unreadable => StatusCode::BAD_REQUEST,
        Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Kind::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
        // a read that is sent on, see `elsewhere`, is answered otherwise
        Kind::Moved | Kind::Conflict => StatusCode::CONFLICT,
        Kind::Stale => StatusCode::PRECONDITION_FAILED,
        Kind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Kind::UnsupportedMedia => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Kind::RangeNotSatisfiable => StatusCode::RANGE_NOT_SATISFIABLE,
        Kind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        Kind::PreconditionRequired => StatusCode::PRECONDITION_REQUIRED,
        Kind::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Kind::StorageFull => StatusCode::INSUFFICIENT_STORAGE,
    }
}

/// The body of a failure.
pub fn body_of(error: &Error, request_id: Option<&str>) -> Value {
    let code = error.code();
    let mut body = Map::new();
    body.insert("type".to_owned(), format!("{TYPE_BASE}{}", code.code).into());
    body.insert("title".to_owned(), code.title.into());
    body.insert("status".to_owned(), status_of(code.kind).as_u16().into());
    if let Some(detail) = error.detail() {
        body.insert("detail".to_owned(), detail.into());
    }
    body.insert("code".to_owned(), code.code.into());
    if let Some(request_id) = request_id {
        body.insert("request_id".to_owned(), request_id.into());
    }
    if !error.fields().is_empty() {
        let fields: Vec<Value> = error.fields().iter().map(field).collect();
        body.insert("errors".to_owned(), fields.into());
    }
    for (name, value) in error.extra() {
        body.insert(name.clone(), value.clone());
    }
    Value::Object(body)
}

fn field(error: &FieldError) -> Value {
    json!({ "pointer": error.pointer, "code": error.code, "message": error.message })
}

/// Answers with a failure, and logs it where it is ours.
pub fn respond(error: &Error, request: &HttpRequest) -> HttpResponse {
    let id = request_id_of(request);
    let kind = error.kind();
    let status = status_of(kind);
    match kind {
        Kind::Internal => tracing::error!(request_id = id, code = error.code().code, error = ?error, "request failed"),
        Kind::Unavailable | Kind::StorageFull => {
            tracing::warn!(request_id = id, code = error.code().code, error = ?error, "request not served");
        }
        _ => tracing::debug!(request_id = id, code = error.code().code, error = ?error, "request refused"),
    }
    let elsewhere = elsewhere(error, request);
    let status = if elsewhere.is_some() { StatusCode::MOVED_PERMANENTLY } else { status };
    let mut response = HttpResponse::build(status);
    if let Some(address) = &elsewhere {
        response.insert_header((header::LOCATION, address.as_str()));
    }
    response.content_type(PROBLEM_JSON);
    if let Some(seconds) = error.retry_after().or((kind == Kind::Unavailable).then_some(1)) {
        response.insert_header((header::RETRY_AFTER, HeaderValue::from(seconds)));
    }
    if kind == Kind::Unauthenticated {
        response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
    }
    let mut body = body_of(error, id.as_deref());
    if let Some(told) = body.get_mut("status") {
        *told = status.as_u16().into();
    }
    response.body(body.to_string())
}

/// A failure on its way out of a handler.
pub struct Failure {
    error: Error,
    request: HttpRequest,
}

/// Where a read of something that is elsewhere goes on: at the same address with the other id.
fn elsewhere(error: &Error, request: &HttpRequest) -> Option<String> {
    if error.kind() != Kind::Moved || !request.method().is_safe() {
        return None;
    }
    let text = |name: &str| error.extra().get(name).and_then(Value::as_str);
    let (from, to) = (text("merged_id")?, text("survivor_id")?);
    let path: Vec<&str> = request.path().split('/').map(|part| if part.eq_ignore_ascii_case(from) { to } else { part }).collect();
    let query = request.query_string();
    let path = path.join("/");
    Some(if query.is_empty() { path } else { format!("{path}?{query}") })
}

impl Failure {
    /// A failure of this request.
    pub fn new(error: Error, request: &HttpRequest) -> Self {
        Self { error, request: request.clone() }
    }
}

impl std::fmt::Debug for Failure {
    /// Without the request, whose headers hold tokens.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(&self.error, out)
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.error.fmt(out)
    }
}

impl ResponseError for Failure {
    fn status_code(&self) -> StatusCode {
        status_of(self.error.kind())
    }
    fn error_response(&self) -> HttpResponse {
        respond(&self.error, &self.request)
    }
}

/// What a handler returns.
pub type ApiResult = Result<HttpResponse, Failure>;
