//! One request, one line: what was asked, by whom, how it ended, how long it took. Never a body, a token or a query string.

use std::time::Instant;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage};
use tracing::Span;
use tracing_actix_web::RootSpanBuilder;

use super::{headers, request_id};
use crate::context::Admitted;
use crate::problem::Failure;
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
    let Some(state) = request.app_data::<Data<State>>().cloned() else { return next.call(request).await.map(ServiceResponse::map_into_left_body::<actix_web::body::BoxBody>) };
    let id = request_id::assign(&request, state.store.runtime());
    let kept = request.request().clone();
    let mut response = match next.call(request).await {
        Ok(response) => response.map_into_left_body::<actix_web::body::BoxBody>(),
        Err(error) => {
            let failure = match error.as_error::<Failure>() {
                Some(_) => error.error_response(),
                None => crate::problem::respond(&of_actix(&error), &kept),
            };
            ServiceResponse::new(kept.clone(), failure).map_into_right_body()
        }
    };
    let status = response.status().as_u16();
    let path = kept.path();
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(HeaderName::from_static("x-request-id"), id);
    }
    headers::add(response.headers_mut(), path);

    let elapsed = started.elapsed();
    let extensions = kept.extensions();
    let admitted = extensions.get::<Admitted>();
    let operation = admitted.map_or("unknown", |admitted| admitted.operation.id);
    metrics::counter!("pelatis_requests_total", "operation" => operation, "status" => status.to_string()).increment(1);
    metrics::histogram!("pelatis_request_seconds", "operation" => operation).record(elapsed.as_secs_f64());
    let client_info = kept.headers().get("x-client-info").and_then(|value| value.to_str().ok());
    if let Some(info) = client_info {
        let known = state.client_infos.label(info);
        metrics::counter!("pelatis_clients_total", "client" => known).increment(1);
    }
    let caller = admitted.map(|admitted| &admitted.caller);
    tracing::info!(
        target: "pelatis::request",
        request_id = id,
        operation,
        method = %kept.method(),
        path,
        status,
        duration_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
        caller = caller.map(|caller| caller.key()),
        workspace = caller.and_then(|caller| caller.workspace).map(tracing::field::display),
        client_info,
        "request"
    );
    drop(extensions);
    Ok(response)
}

/// A failure that actix itself made, before or after our code.
fn of_actix(error: &Error) -> kernel::Error {
    let codes = kernel::error::codes::ALL;
    let status = error.as_response_error().status_code();
    let code = codes.iter().find(|code| crate::problem::status_of(code.kind) == status && status.is_client_error());
    kernel::Error::new(code.copied().unwrap_or(&kernel::error::codes::INTERNAL)).with_source(error.to_string())
}
