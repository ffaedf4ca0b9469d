//! What is not of any domain: health, metrics, keys, the document itself.

mod health;

use actix_web::HttpResponse;

use crate::context::Context;
use crate::problem::ApiResult;
use crate::registry::Registry;
use crate::state::State;

pub(super) fn register(registry: &mut Registry) {
    registry.add::<health::__path_health_live, _, _>(health::health_live);
    registry.add::<health::__path_health_ready, _, _>(health::health_ready);
    registry.add::<__path_metrics, _, _>(metrics);
    registry.add::<__path_jwks, _, _>(jwks);
    registry.add::<__path_openapi, _, _>(openapi);
}

/// The metrics of this process, for Prometheus
#[utoipa::path(get, path = "/metrics", tag = "meta",
    responses((status = 200, description = "In the text format of Prometheus", body = String, content_type = "text/plain")))]
async fn metrics(context: Context) -> HttpResponse {
    let (open, idle) = context.state.store.connections();
    metrics::gauge!("pelatis_database_connections", "state" => "open").set(f64::from(open));
    metrics::gauge!("pelatis_database_connections", "state" => "idle").set(u32::try_from(idle).map_or(f64::MAX, f64::from));
    note_queues(&context.state).await;
    context.state.metrics.run_upkeep();
    HttpResponse::Ok().content_type("text/plain; version=0.0.4").body(context.state.metrics.render())
}

/// What stands in the queues at this moment. Where the database does not say, the last numbers stay.
async fn note_queues(state: &State) {
    let found = async {
        let caller = state.auth.installation();
        let mut reader = state.store.reader(&caller).await?;
        let waiting = store::jobs::waiting(&mut reader, |_| {}).await?;
        reader.close().await?;
        Ok::<_, kernel::Error>(waiting)
    };
    // counts and seconds are far below what a double holds exactly
    let number = |count: i64| i32::try_from(count).map_or(f64::from(i32::MAX), f64::from);
    let now = state.store.runtime().now();
    for of in found.await.unwrap_or_default() {
        let queue = of.queue.as_str();
        for (name, count) in [("due", of.due), ("later", of.later), ("running", of.running), ("dead", of.dead)] {
            metrics::gauge!("pelatis_queue_depth", "queue" => queue, "state" => name).set(number(count));
        }
        let age = of.oldest.map_or(0, |since| (now - since).num_seconds().max(0));
        metrics::gauge!("pelatis_queue_age_seconds", "queue" => queue).set(number(age));
    }
}

/// The keys that verify access tokens
#[utoipa::path(get, path = "/.well-known/jwks.json", tag = "meta",
    responses((status = 200, description = "A JSON Web Key Set (RFC 7517)", body = auth::Jwks)))]
async fn jwks(context: Context) -> ApiResult {
    context.plain(&context.state.auth.keys().jwks())
}

/// This document
#[utoipa::path(get, path = "/openapi.json", tag = "meta",
    responses((status = 200, description = "OpenAPI 3.1", body = Object)))]
async fn openapi(context: Context) -> ApiResult {
    let text = context.state.openapi.text().map_err(|error| context.fail(error))?;
    Ok(HttpResponse::Ok().content_type("application/json").body(text))
}
