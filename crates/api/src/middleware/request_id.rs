//! The request's id: the caller's own where it is one, else a new one; answered, logged and journaled.

use actix_web::dev::ServiceRequest;
use actix_web::{HttpMessage, HttpRequest};
use kernel::Runtime;

#[derive(Clone)]
struct RequestId(String);

const HEADER: &str = "x-request-id";

/// Gives the request its id.
pub(crate) fn assign(request: &ServiceRequest, runtime: &Runtime) -> String {
    let fits =
        |id: &&str| (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    let given = request.headers().get(HEADER).and_then(|value| value.to_str().ok()).filter(fits);
    let id = given.map_or_else(|| runtime.uuid().to_string(), str::to_owned);
    request.extensions_mut().insert(RequestId(id.clone()));
    id
}

/// The request's id.
pub(crate) fn request_id_of(request: &HttpRequest) -> Option<String> {
    request.extensions().get::<RequestId>().map(|id| id.0.clone())
}
