//! The gate: who asks, in which workspace, whether they may, and how often. Every operation stands behind it, and nothing else
//! decides these things.

use std::sync::Arc;
use std::time::Duration;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error as ActixError, HttpMessage, HttpRequest, HttpResponse};
use kernel::error::codes;
use kernel::{Caller, Cause, Error, Kind, Origin, Result};
use store::shared::Decision;
use store::{Action, Change};

use super::request_id::request_id_of;
use crate::access::{Access, Operation};
use crate::context::Admitted;
use crate::deprecation::Deprecation;
use crate::problem;
use crate::state::State;

/// The operations of one path.
pub(crate) struct AtPath {
    pub operations: Vec<(Method, &'static Operation)>,
    /// Where the path has another name by now.
    pub going: Option<&'static Deprecation>,
}

const MINUTE: Duration = Duration::from_mins(1);
/// How long an upload may take, however much of it comes. What comes too slowly is given up before.
const MOST_UPLOAD: Duration = Duration::from_hours(1);
/// Refusals of one caller a minute that the journal keeps.
const DENIALS_PER_MINUTE: u32 = 10;
/// Bytes of a user agent that are kept.
const USER_AGENT_LENGTH: usize = 300;

pub(crate) async fn gate(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> std::result::Result<ServiceResponse<BoxBody>, ActixError> {
    let state = request.app_data::<Data<State>>().cloned();
    let at = request.app_data::<Data<AtPath>>().cloned();
    let operation = at.as_ref().and_then(|at| at.find(request.method()));
    let going = at.and_then(|at| at.going).or(operation.and_then(|operation| operation.deprecation.as_ref()));
    let Some((state, operation)) = state.zip(operation) else {
        // no operation has this method: the resource's own answer says which there are
        let mut answered = next.call(request).await?.map_into_boxed_body();
        if let Some(going) = going {
            let path = answered.request().path().to_owned();
            going.tell(answered.headers_mut(), &path);
        }
        return Ok(answered);
    };
    request.extensions_mut().insert(operation);
    let origin = origin_of(request.request(), &state);
    let mut decision = None;
    let admitted = admit(&state, request.request(), operation, origin, &mut decision).await;
    if let Some(going) = going {
        let caller = admitted.as_ref().ok().map(|admitted| admitted.caller.as_ref());
        state.deprecations.note(going, caller, state.store.runtime().now());
    }
    let mut response = match admitted {
        Ok(admitted) => {
            request.extensions_mut().insert(admitted);
            let kept = request.request().clone();
            // what is given up is rolled back, because its unit of work is dropped
            let time = if operation.is_upload { MOST_UPLOAD } else { state.config.request_timeout };
            match tokio::time::timeout(time, next.call(request)).await {
                Ok(Ok(response)) => response.map_into_boxed_body(),
                Ok(Err(error)) => ServiceResponse::new(kept, error.error_response()),
                Err(_) => {
                    let late = Error::new(&codes::UNAVAILABLE).with_detail("It took too long.").with_retry_after(5);
                    let response = problem::respond(&late, &kept);
                    ServiceResponse::new(kept, response)
                }
            }
        }
        Err(error) => {
            let refusal = problem::respond(&error, request.request());
            request.into_response(refusal)
        }
    };
    if let Some(decision) = decision {
        add_limit(response.headers_mut(), &decision);
    }
    if let Some(going) = going {
        let path = response.request().path().to_owned();
        going.tell(response.headers_mut(), &path);
    }
    Ok(response)
}

impl AtPath {
    fn find(&self, method: &Method) -> Option<&'static Operation> {
        // whoever may get may ask for the head of it
        let method = if *method == Method::HEAD { &Method::GET } else { method };
        self.operations.iter().find(|(known, _)| known == method).map(|(_, operation)| *operation)
    }
}

/// Whether a path is one of the API: what is open to all is so too.
pub(crate) fn is_api(path: &str) -> bool {
    path.starts_with("/v1") || path.starts_with("/public/v1")
}

fn text_of(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

fn origin_of(request: &HttpRequest, state: &State) -> Origin {
    // a proxy may add a header of its own after the one that a client made up; together they are one list (RFC 9110, 5.3)
    let forwarded = request.headers().get_all(header::X_FORWARDED_FOR).filter_map(|value| value.to_str().ok());
    let forwarded = Some(forwarded.collect::<Vec<_>>().join(",")).filter(|forwarded| !forwarded.is_empty());
    let user_agent = text_of(request.headers(), &header::USER_AGENT);
    Origin {
        request_id: request_id_of(request),
        ip: state.config.client_ip(request.peer_addr().map(|peer| peer.ip()), forwarded.as_deref()),
        user_agent: user_agent.map(|agent| agent.chars().filter(|c| *c != '\0').take(USER_AGENT_LENGTH).collect()),
        cause: Cause::Request,
    }
}

async fn admit(
    state: &State,
    request: &HttpRequest,
    operation: &'static Operation,
    origin: Origin,
    decision: &mut Option<Decision>,
) -> Result<Admitted> {
    let ip = origin.ip.map(|ip| ip.to_string()).unwrap_or_default();
    if operation.access == Access::Public {
        if is_api(request.path()) {
            limit(state, &format!("requests:{ip}"), state.config.rate_limit_per_minute, decision).await?;
        }
        let caller = Arc::new(Caller::anonymous(origin));
        return Ok(Admitted { caller, identity: None });
    }
    let identity = match bearer(request) {
        Some(token) => state.auth.identify(token, &origin).await,
        None => Err(Error::new(&codes::UNAUTHENTICATED)),
    };
    let identity = match identity {
        Ok(identity) => identity,
        Err(error) => {
            if matches!(error.kind(), Kind::Unauthenticated | Kind::Forbidden) {
                // guessing tokens costs a look-up each, so an address has half of what a caller has
                let half = state.config.rate_limit_per_minute.div_ceil(2);
                limit(state, &format!("bad-tokens:{ip}"), half, decision).await?;
            }
            return Err(error);
        }
    };
    let key = format!("requests:{}", identity.caller_outside(Origin::default()).key());
    limit(state, &key, state.config.rate_limit_per_minute, decision).await?;
    if operation.is_bulk {
        limit(state, &format!("bulk:{key}"), state.config.bulk_per_minute, decision).await?;
    }
    if operation.is_upload {
        limit(state, &format!("upload:{key}"), state.config.uploads_per_minute, decision).await?;
    }
    let wanted = request.headers().get("x-workspace").map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let caller = match operation.access {
        Access::Member if identity.places.is_empty() => return Err(Error::new(&codes::NO_WORKSPACE)),
        Access::SignedIn | Access::Member => match identity.caller_in(wanted.as_deref(), origin.clone()) {
            Ok(caller) => caller,
            // whoever belongs nowhere, or has not said where, may still see who they are
            Err(error) if wanted.is_none() && error.kind() != Kind::NotFound => identity.caller_outside(origin),
            Err(error) => return Err(error),
        },
        _ => identity.caller_in(wanted.as_deref(), origin)?,
    };
    let caller = Arc::new(caller);
    // what belongs to nobody's workspace goes on, so that one can switch it on
    let asking = caller.workspace.filter(|_| operation.access != Access::SuperAdmin);
    let lacks_factor = operation.access != Access::SignedIn && identity.lacks_second_factor(asking);
    let allowed = match operation.access {
        Access::Public => Ok(()),
        Access::SignedIn | Access::Member => caller.require_staff(),
        Access::Contact => caller.contact().map(|_| ()),
        Access::Portal(permission) => caller.require_portal(permission).map(|_| ()),
        Access::SuperAdmin => caller.require_super_admin(),
        Access::AnyOf(permissions) => caller.require_any(permissions),
        Access::AllOf(permissions) => permissions.iter().try_for_each(|permission| caller.require(*permission)),
    };
    let allowed = if lacks_factor { Err(Error::new(&auth::errors::SECOND_FACTOR_NEEDED)) } else { allowed };
    if let Err(error) = allowed {
        // what seldom happens is kept apart: a request is moved about with room for all that may become of it
        Box::pin(note_denial(state, &caller, operation)).await;
        return Err(error);
    }
    Ok(Admitted { caller, identity: Some(identity) })
}

fn bearer(request: &HttpRequest) -> Option<&str> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim()).filter(|token| !token.is_empty())
}

async fn limit(state: &State, key: &str, per_minute: u32, decision: &mut Option<Decision>) -> Result<()> {
    let found = state.store.shared().hit(key, 1, per_minute, MINUTE).await;
    *decision = Some(found);
    if found.allowed { Ok(()) } else { Err(Error::new(&codes::RATE_LIMITED).with_retry_after(found.reset)) }
}

/// Counts for its address a request that no operation answers, and tells what is left: knocking everywhere is no way around the limit.
pub(crate) async fn counted(request: &HttpRequest, refusal: HttpResponse) -> HttpResponse {
    let state = request.app_data::<Data<State>>().filter(|_| is_api(request.path()));
    let Some(state) = state else { return refusal };
    let ip = origin_of(request, state).ip.map(|ip| ip.to_string()).unwrap_or_default();
    let mut decision = None;
    let counted = limit(state, &format!("requests:{ip}"), state.config.rate_limit_per_minute, &mut decision).await;
    let mut response = match counted {
        Ok(()) => refusal,
        Err(error) => problem::respond(&error, request),
    };
    if let Some(decision) = decision {
        add_limit(response.headers_mut(), &decision);
    }
    response
}

/// Journals a refusal; a flood of them is counted, not written.
async fn note_denial(state: &State, caller: &Arc<Caller>, operation: &'static Operation) {
    metrics::counter!("pelatis_denials_total", "operation" => operation.id).increment(1);
    let noted = state.store.shared().hit(&format!("denials:{}", caller.key()), 1, DENIALS_PER_MINUTE, MINUTE).await;
    if !noted.allowed {
        return;
    }
    let written = state
        .store
        .write(caller, async |uow| {
            let change = Change::plain().event("permission.denied").detail("operation", operation.id);
            uow.record(Action::PermissionDenied, "operation", None, change);
            Ok(())
        })
        .await;
    if let Err(error) = written {
        tracing::warn!(?error, "a refusal was not journaled");
    }
}

/// The names of the limit headers, each in both forms, made once.
const LIMIT_HEADERS: [[HeaderName; 2]; 3] = [
    [HeaderName::from_static("ratelimit-limit"), HeaderName::from_static("x-ratelimit-limit")],
    [HeaderName::from_static("ratelimit-remaining"), HeaderName::from_static("x-ratelimit-remaining")],
    [HeaderName::from_static("ratelimit-reset"), HeaderName::from_static("x-ratelimit-reset")],
];

fn add_limit(headers: &mut HeaderMap, decision: &Decision) {
    for (names, value) in LIMIT_HEADERS.into_iter().zip([decision.limit, decision.remaining, decision.reset]) {
        let value = HeaderValue::from(value);
        for name in names {
            headers.insert(name, value.clone());
        }
    }
}
