//! One request, one line: what was asked, by whom, how it ended, how long it took. Never a body, a token or a query string.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{ConnectionType, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage, HttpRequest};
use kernel::error::codes;
use tracing::Instrument as _;

use super::{headers, request_id};
use crate::access::Operation;
use crate::connections::{Connection, Running, Watched};
use crate::context::Admitted;
use crate::problem::{self, PROBLEM_JSON};
use crate::state::State;

/// Gives the request its id, counts it, logs it, and adds the common headers.
pub(crate) async fn observe(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let started = Instant::now();
    let _running = request.conn_data::<Arc<Connection>>().map(Running::on);
    let state = request.app_data::<Data<State>>().cloned();
    let answer = state.as_ref().map(|state| state.answering.begin());
    let id = state.as_ref().map(|state| request_id::assign(&request, state.store.runtime())).unwrap_or_default();
    // at the level of errors, so that whatever is logged meanwhile has the id, however little is logged
    let span = tracing::error_span!("request", request_id = id.as_str());
    // the request itself must not be held here: routing needs it for itself
    let mut response = in_our_words(next.call(request).instrument(span).await?);
    let path = response.request().path().to_owned();
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(HeaderName::from_static("x-request-id"), id);
    }
    headers::add(response.headers_mut(), &path);
    if let Some(state) = state {
        if state.answering.is_last() {
            response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
        }
        record(response.request(), response.status().as_u16(), &state, &id, started.elapsed());
    }
    let connection = response.request().conn_data::<Arc<Connection>>().cloned();
    Ok(response.map_body(|_, body| Watched::new(body.boxed(), connection, answer)))
}

/// A refusal of a part that speaks for itself (a preflight from elsewhere, a file that the reference page lacks, an encoding that
/// there is none of) in the words of the API. What its headers say stands.
fn in_our_words<B>(response: ServiceResponse<B>) -> ServiceResponse<EitherBody<B>> {
    let refused = response.status().is_client_error() || response.status().is_server_error();
    // what is JSON is ours already: a problem, or the health of a server that cannot serve
    let is_ours =
        |value: &HeaderValue| [PROBLEM_JSON, "application/json"].iter().any(|ours| value.as_bytes().starts_with(ours.as_bytes()));
    if !refused || response.headers().get(header::CONTENT_TYPE).is_some_and(is_ours) {
        return response.map_into_left_body();
    }
    let code = match response.status() {
        StatusCode::NOT_FOUND => &codes::ROUTE_NOT_FOUND,
        StatusCode::NOT_ACCEPTABLE => &codes::NOT_ACCEPTABLE,
        StatusCode::INTERNAL_SERVER_ERROR => &codes::INTERNAL,
        _ => &codes::UNREADABLE,
    };
    let mut said = problem::respond(&kernel::Error::new(code), response.request());
    let own = [header::CONTENT_TYPE, header::CONTENT_LENGTH, header::CONTENT_ENCODING];
    for (name, value) in response.headers() {
        if !own.contains(name) {
            said.headers_mut().append(name.clone(), value.clone());
        }
    }
    response.into_response(said).map_into_boxed_body().map_into_right_body()
}

/// Counts and logs a request that has ended.
fn record(request: &HttpRequest, status: u16, state: &State, id: &str, elapsed: Duration) {
    let extensions = request.extensions();
    let admitted = extensions.get::<Admitted>();
    let operation = extensions.get::<&'static Operation>().map(|operation| operation.id);
    state.measures.record(operation, status, elapsed);
    let client_info = request.headers().get("x-client-info").and_then(|value| value.to_str().ok());
    if let Some(info) = client_info {
        metrics::counter!("pelatis_clients_total", "client" => state.client_infos.label(info)).increment(1);
    }
    let caller = admitted.map(|admitted| &admitted.caller);
    tracing::info!(
        target: "pelatis::request",
        request_id = id,
        operation = operation.unwrap_or("unknown"),
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
