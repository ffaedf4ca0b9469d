//! One request, one line: what was asked, by whom, how it ended, how long it took. Never a body, a token or a query string.

use std::time::{Duration, Instant};

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage, HttpRequest};
use tracing::Span;
use tracing_actix_web::RootSpanBuilder;

use super::{headers, request_id};
use crate::access::Operation;
use crate::context::Admitted;
use crate::state::State;

/// Spans of requests, as `tracing-actix-web` asks for them.
pub(crate) struct RequestSpans;

impl RootSpanBuilder for RequestSpans {
    fn on_request_start(request: &ServiceRequest) -> Span {
        tracing::info_span!("request", method = %request.method(), path = request.path())
    }
    fn on_request_end<B: MessageBody>(_: Span, _: &Result<ServiceResponse<B>, Error>) {}
}

/// Gives the request its id, counts it, logs it, and adds the common headers.
pub(crate) async fn observe(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let started = Instant::now();
    let state = request.app_data::<Data<State>>().cloned();
    let id = state.as_ref().map(|state| request_id::assign(&request, state.store.runtime())).unwrap_or_default();
    // the request itself must not be held here: routing needs it for itself
    let mut response = next.call(request).await?;
    let path = response.request().path().to_owned();
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(HeaderName::from_static("x-request-id"), id);
    }
    headers::add(response.headers_mut(), &path);
    if let Some(state) = state {
        record(response.request(), response.status().as_u16(), &state, &id, started.elapsed());
    }
    Ok(response)
}

/// Counts and logs a request that has ended.
fn record(request: &HttpRequest, status: u16, state: &State, id: &str, elapsed: Duration) {
    let extensions = request.extensions();
    let admitted = extensions.get::<Admitted>();
    let operation = extensions.get::<&'static Operation>().map_or("unknown", |operation| operation.id);
    metrics::counter!("pelatis_requests_total", "operation" => operation, "status" => status_label(status)).increment(1);
    metrics::histogram!("pelatis_request_seconds", "operation" => operation).record(elapsed.as_secs_f64());
    let client_info = request.headers().get("x-client-info").and_then(|value| value.to_str().ok());
    if let Some(info) = client_info {
        metrics::counter!("pelatis_clients_total", "client" => state.client_infos.label(info)).increment(1);
    }
    let caller = admitted.map(|admitted| &admitted.caller);
    tracing::info!(
        target: "pelatis::request",
        request_id = id,
        operation,
        method = request.method().as_str(),
        path = request.path(),
        status,
        duration_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
        caller = caller.map(|caller| caller.key()),
        workspace = caller.and_then(|caller| caller.workspace).map(tracing::field::display),
        client_info,
        "request"
    );
}

/// A status as a label, without making text of it anew for each request.
fn status_label(status: u16) -> &'static str {
    const USUAL: [(u16, &str); 20] = [
        (200, "200"),
        (201, "201"),
        (204, "204"),
        (304, "304"),
        (400, "400"),
        (401, "401"),
        (403, "403"),
        (404, "404"),
        (405, "405"),
        (409, "409"),
        (412, "412"),
        (413, "413"),
        (415, "415"),
        (422, "422"),
        (428, "428"),
        (429, "429"),
        (500, "500"),
        (503, "503"),
        (507, "507"),
        (307, "307"),
    ];
    USUAL.iter().find(|(known, _)| *known == status).map_or("other", |(_, label)| label)
}
