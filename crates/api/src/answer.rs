//! An answer before it is sent: it can be kept for an idempotency key, with its secrets masked.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use kernel::{Error, Result};
use serde::Serialize;
use store::KeptAnswer;

/// What stands in the place of a secret that was answered once.
const MASK: &str = "***";

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    status: StatusCode,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    secrets: &'static [&'static str],
    is_kept: bool,
}

fn json(value: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(Error::internal)
}

impl Answer {
    /// 200 with a record.
    ///
    /// # Errors
    /// `internal` when it cannot be written as JSON.
    pub fn ok(value: &impl Serialize) -> Result<Self> {
        Ok(Self { status: StatusCode::OK, headers: Vec::new(), body: json(value)?, secrets: &[], is_kept: true })
    }

    /// 201 with a record and where it is.
    ///
    /// # Errors
    /// `internal` when it cannot be written as JSON.
    pub fn created(location: String, value: &impl Serialize) -> Result<Self> {
        let headers = vec![("location".to_owned(), location)];
        Ok(Self { status: StatusCode::CREATED, headers, body: json(value)?, secrets: &[], is_kept: true })
    }

    /// 202 with a record of what is being done, and where it is.
    ///
    /// # Errors
    /// `internal` when it cannot be written as JSON.
    pub fn accepted(location: String, value: &impl Serialize) -> Result<Self> {
        Ok(Self { status: StatusCode::ACCEPTED, ..Self::created(location, value)? })
    }

    /// 202: what remains is done later, and nobody is told how far it is.
    ///
    /// # Errors
    /// `internal` when it cannot be written as JSON.
    pub fn later(value: &impl Serialize) -> Result<Self> {
        Ok(Self { status: StatusCode::ACCEPTED, ..Self::ok(value)? })
    }

    /// 204.
    pub fn nothing() -> Self {
        Self { status: StatusCode::NO_CONTENT, headers: Vec::new(), body: Vec::new(), secrets: &[], is_kept: true }
    }

    /// Adds the ETag of a version.
    #[must_use]
    pub fn version(mut self, version: i64) -> Self {
        self.headers.push(("etag".to_owned(), crate::etag::of_version(version)));
        self
    }

    /// Names members that are secret: kept masked.
    #[must_use]
    pub fn secrets(mut self, names: &'static [&'static str]) -> Self {
        self.secrets = names;
        self
    }

    /// Says that it is not the whole answer, so that it is not kept for an idempotency key.
    #[must_use]
    pub fn unkept(mut self) -> Self {
        self.is_kept = false;
        self
    }

    /// The answer as it is kept for an idempotency key; none where it is not.
    pub fn kept(&self) -> Option<KeptAnswer> {
        if !self.is_kept {
            return None;
        }
        let mut body = self.body.clone();
        if !self.secrets.is_empty()
            && let Ok(mut value) = serde_json::from_slice::<serde_json::Value>(&body)
        {
            for name in self.secrets {
                if let Some(secret) = value.get_mut(*name) {
                    *secret = MASK.into();
                }
            }
            body = value.to_string().into_bytes();
        }
        Some(KeptAnswer { status: self.status.as_u16(), headers: self.headers.clone(), body })
    }

    /// The answer as it is sent.
    pub fn respond(self) -> HttpResponse {
        send(self.status, &self.headers, self.body)
    }
}

/// Sends an answer that was kept.
pub fn replay(kept: KeptAnswer) -> HttpResponse {
    let status = StatusCode::from_u16(kept.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut headers = kept.headers;
    headers.push(("idempotency-replayed".to_owned(), "true".to_owned()));
    send(status, &headers, kept.body)
}

fn send(status: StatusCode, headers: &[(String, String)], body: Vec<u8>) -> HttpResponse {
    let mut response = HttpResponse::build(status);
    let kind = if status.is_client_error() { crate::problem::PROBLEM_JSON } else { "application/json" };
    if status != StatusCode::NO_CONTENT {
        response.content_type(kind);
    }
    for (name, value) in headers {
        response.insert_header((name.as_str(), value.as_str()));
    }
    response.body(body)
}
