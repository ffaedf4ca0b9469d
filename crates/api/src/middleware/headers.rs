//! Headers that every answer carries.

use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};

const COMMON: [(HeaderName, &str); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
    // answers hold people's data: a cache in between keeps none of them
    (header::CACHE_CONTROL, "no-store"),
];
/// An answer of the API is data and loads nothing.
const API_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";
/// The reference page loads its own scripts and styles, and calls this server.
const DOCS_POLICY: &str = "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'";

/// Adds them, where the answer has none of its own.
pub(crate) fn add(headers: &mut HeaderMap, path: &str) {
    for (name, value) in &COMMON {
        if !headers.contains_key(name) {
            headers.insert(name.clone(), HeaderValue::from_static(value));
        }
    }
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        let policy = if path.starts_with("/docs") { DOCS_POLICY } else { API_POLICY };
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    }
    // it was there to keep the content from being compressed, and says nothing to anybody (RFC 9110, 8.4.1)
    if headers.get(header::CONTENT_ENCODING).is_some_and(|encoding| encoding == "identity") {
        headers.remove(header::CONTENT_ENCODING);
    }
}
