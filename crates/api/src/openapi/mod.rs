//! The OpenAPI document, made from the handlers and the permission table: what every operation has in common (parameters,
//! failures, examples, `x-permission`) is added here, once.

mod budget;
mod failures;
mod parameters;
mod samples;

use actix_web::web;
use serde_json::{Map, Value, json};
use utoipa::{PartialSchema as _, ToSchema as _};
use utoipa_swagger_ui::{Config, SwaggerUi, Url};

use crate::access::Access;
use crate::middleware::gate::is_api;
use crate::problem::Problem;
use crate::registry::{Registry, Served};

pub use samples::sample;

const DESCRIPTION: &str = "A headless CRM. Bodies are JSON in snake_case, ids are UUIDs, times are RFC 3339 in UTC, money is \
    `{\"amount\": \"1234.50\", \"currency\": \"EUR\"}`. Failures are `application/problem+json` (RFC 9457) with a stable `code`. \
    `x-permission` says what an operation needs, `x-p99-ms` in how many milliseconds 99 of 100 answers come.";

/// The document.
pub fn document(registry: &Registry) -> Value {
    let mut schemas: Map<String, Value> = Map::new();
    let mut add = |name: String, schema: &utoipa::openapi::RefOr<utoipa::openapi::Schema>| {
        let mut schema = serde_json::to_value(schema).unwrap_or_default();
        drop_null_defaults(&mut schema);
        schemas.insert(name, schema);
    };
    registry.schemas.iter().for_each(|(name, schema)| add(name.clone(), schema));
    let mut of_problem = vec![(Problem::name().into_owned(), Problem::schema())];
    Problem::schemas(&mut of_problem);
    of_problem.into_iter().for_each(|(name, schema)| add(name, &schema));
    schemas.sort_keys();

    let mut paths: Map<String, Value> = Map::new();
    let mut served: Vec<&Served> = registry.served.iter().collect();
    served.sort_by(|a, b| a.path.cmp(&b.path).then_with(|| a.method.as_str().cmp(b.method.as_str())));
    for served in served {
        let operations = paths.entry(served.path.clone()).or_insert_with(|| json!({}));
        if let Some(operations) = operations.as_object_mut() {
            operations.insert(served.method.as_str().to_lowercase(), operation(served));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Pelatis",
            "description": DESCRIPTION,
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer", "description": "An access token, or an API token (`plt_…`)." },
            },
        },
    })
}

/// A member of a merge patch that is left out keeps what is there. A default of null, which comes with serde's attribute, would say
/// that it clears it, and generated clients would demand the member.
fn drop_null_defaults(schema: &mut Value) {
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    for property in properties.values_mut().filter_map(Value::as_object_mut) {
        property.retain(|key, value| key != "default" || !value.is_null());
    }
}

/// The document as it is served and committed.
pub fn text(document: &Value) -> String {
    let mut text = serde_json::to_string_pretty(document).unwrap_or_default();
    text.push('\n');
    text
}

/// Mounts the reference page, whose assets ship in the binary.
pub fn mount_reference(config: &mut web::ServiceConfig) {
    let ui = SwaggerUi::new("/docs/{_:.*}").config(Config::new([Url::from("/openapi.json")]).try_it_out_enabled(true));
    config.service(ui).service(web::redirect("/docs", "/docs/"));
}

fn operation(served: &Served) -> Value {
    let mut value = serde_json::to_value(&served.doc).unwrap_or_default();
    let Some(operation) = value.as_object_mut() else { return value };
    operation.insert("x-permission".to_owned(), served.row.permission().into());
    operation.insert("x-reach".to_owned(), format!("{:?}", served.row.reach).into());
    operation.insert("x-p99-ms".to_owned(), budget::p99_ms(served).into());
    let security = if served.row.access == Access::Public { json!([]) } else { json!([{ "bearer": [] }]) };
    operation.insert("security".to_owned(), security);
    if served.row.deprecation.is_some() {
        operation.insert("deprecated".to_owned(), true.into());
    }
    operation.insert("parameters".to_owned(), parameters::of(served));
    if let Some(body) = operation.get_mut("requestBody") {
        request_body(served, body);
    }
    let responses = operation.entry("responses").or_insert_with(|| json!({}));
    if let Some(responses) = responses.as_object_mut() {
        responses.values_mut().for_each(|response| success(served, response));
        failures::add(served, responses);
        responses.sort_keys();
    }
    value
}

/// A merge patch may be sent under its own type too; every body has an example.
fn request_body(served: &Served, body: &mut Value) {
    let Some(content) = body.get_mut("content").and_then(Value::as_object_mut) else { return };
    content.values_mut().for_each(add_example);
    if served.method == actix_web::http::Method::PATCH
        && let Some(json) = content.get("application/json").cloned()
    {
        content.insert("application/merge-patch+json".to_owned(), json);
    }
}

fn success(served: &Served, response: &mut Value) {
    let Some(response) = response.as_object_mut() else { return };
    if let Some(content) = response.get_mut("content").and_then(Value::as_object_mut) {
        content.values_mut().for_each(add_example);
        if served.method == actix_web::http::Method::GET && is_api(&served.path) {
            response.insert("headers".to_owned(), json!({
                "ETag": { "description": "Names this state; send it as `If-None-Match` or `If-Match`.", "schema": { "type": "string" } },
            }));
        }
    }
}

fn add_example(media: &mut Value) {
    let name = media.pointer("/schema/$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next()).map(str::to_owned);
    let example = match name {
        Some(name) => sample(&name),
        // the document itself, and the metrics, are told apart by their types
        None if media.pointer("/schema/type").and_then(Value::as_str) == Some("object") => Some(json!({ "openapi": "3.1.0" })),
        None => Some("pelatis_requests_total{operation=\"get_client\",status=\"200\"} 1\n".into()),
    };
    if let (Some(example), Some(media)) = (example, media.as_object_mut()) {
        media.insert("example".to_owned(), example);
    }
}
