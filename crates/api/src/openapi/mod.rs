//! The OpenAPI document, made from the handlers and the permission table: what every operation has in common (parameters,
//! failures, examples, `x-permission`) is added here, once.

mod budget;
mod failures;
mod parameters;
mod samples;
mod samples_of_custom_fields;
mod samples_of_duplicates;
mod samples_of_portal;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use actix_web::web::{self, Bytes};
use kernel::Error;
use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::{Value, json};
use store::list::ListSpec;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema as _, ToSchema as _};
use utoipa_swagger_ui::{Config, SwaggerUi, Url};

use crate::access::Access;
use crate::deprecation::{Deprecation, OLD_NAMES};
use crate::middleware::gate::is_api;
use crate::problem::Problem;
use crate::registry::{Registry, Served};

pub use samples::sample;

const DESCRIPTION: &str = "A headless CRM. Bodies are JSON in snake_case, ids are UUIDs, times are RFC 3339 in UTC, money is \
    `{\"amount\": \"1234.50\", \"currency\": \"EUR\"}`. Failures are `application/problem+json` (RFC 9457) with a stable `code`. \
    `x-permission` says what an operation needs, `x-p99-ms` in how many milliseconds 99 of 100 answers come, \
    `x-old-names` what is served under another name too, until that goes. Where an operation has `x-custom-fields`, its records have \
    what a workspace adds to them (`/v1/custom-fields`).";

/// The document of a server. It is written when it is first asked for, because many servers are never asked.
pub struct Published {
    registry: Arc<Registry>,
    text: OnceLock<Bytes>,
}

impl Published {
    /// The document of these operations.
    pub fn new(registry: Arc<Registry>) -> Self {
        Self { registry, text: OnceLock::new() }
    }

    /// The document as it is sent.
    ///
    /// # Errors
    /// `internal` if it cannot be written as JSON.
    pub fn text(&self) -> kernel::Result<Bytes> {
        if let Some(text) = self.text.get() {
            return Ok(text.clone());
        }
        let text = Bytes::from(serde_json::to_vec(&Document(&self.registry)).map_err(Error::internal)?);
        Ok(self.text.get_or_init(|| text).clone())
    }
}

impl std::fmt::Debug for Published {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Published")
    }
}

/// The document as it is committed: to be read, with a line for each member.
///
/// # Errors
/// `internal` if it cannot be written as JSON.
pub fn text(registry: &Registry) -> kernel::Result<String> {
    let mut text = serde_json::to_string_pretty(&Document(registry)).map_err(Error::internal)?;
    text.push('\n');
    Ok(text)
}

/// Writes the document operation by operation, so that it is never in memory as a whole but as text.
struct Document<'a>(&'a Registry);

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("openapi", "3.1.0")?;
        map.serialize_entry(
            "info",
            &json!({
                "title": "Pelatis",
                "description": DESCRIPTION,
                "version": env!("CARGO_PKG_VERSION"),
                "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
            }),
        )?;
        map.serialize_entry("servers", &json!([{ "url": "/" }]))?;
        map.serialize_entry("x-old-names", &old_names())?;
        map.serialize_entry("paths", &Paths(self.0))?;
        map.serialize_entry("components", &Components(self.0))?;
        map.end()
    }
}

/// What is served under another name too, until that goes.
fn old_names() -> Vec<Value> {
    let old = |going: &Deprecation| {
        json!({
            "path": going.old, "successor": going.successor, "deprecated": going.since().date_naive(),
            "sunset": going.sunset().date_naive(),
        })
    };
    OLD_NAMES.iter().map(old).collect()
}

struct Paths<'a>(&'a Registry);

impl Serialize for Paths<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut paths: BTreeMap<&str, BTreeMap<String, &Served>> = BTreeMap::new();
        for served in &self.0.served {
            paths.entry(&served.path).or_default().insert(served.method.as_str().to_lowercase(), served);
        }
        serializer.collect_map(paths.into_iter().map(|(path, operations)| (path, Operations(operations))))
    }
}

struct Operations<'a>(BTreeMap<String, &'a Served>);

impl Serialize for Operations<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(method, served)| (method, operation(served))))
    }
}

struct Components<'a>(&'a Registry);

impl Serialize for Components<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("schemas", &Schemas(self.0))?;
        map.serialize_entry(
            "securitySchemes",
            &json!({
                "bearer": { "type": "http", "scheme": "bearer", "description": "An access token, or an API token (`plt_…`)." },
            }),
        )?;
        map.end()
    }
}

struct Schemas<'a>(&'a Registry);

impl Serialize for Schemas<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut all = vec![(Problem::name().into_owned(), Problem::schema())];
        Problem::schemas(&mut all);
        self.0.served.iter().for_each(|served| (served.schemas)(&mut all));
        let all: BTreeMap<String, RefOr<Schema>> = all.into_iter().collect();
        serializer.collect_map(all.iter().map(|(name, schema)| (name, published(schema))))
    }
}

fn published(schema: &RefOr<Schema>) -> Value {
    let mut schema = serde_json::to_value(schema).unwrap_or_default();
    drop_null_defaults(&mut schema);
    schema
}

/// A member of a merge patch that is left out keeps what is there. A default of null, which comes with serde's attribute, would say
/// that it clears it, and generated clients would demand the member.
fn drop_null_defaults(schema: &mut Value) {
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    for property in properties.values_mut().filter_map(Value::as_object_mut) {
        property.retain(|key, value| key != "default" || !value.is_null());
    }
}

/// Mounts the reference page, whose assets ship in the binary.
pub fn mount_reference(config: &mut web::ServiceConfig) {
    let ui = SwaggerUi::new("/docs/{_:.*}").config(Config::new([Url::from("/openapi.json")]).try_it_out_enabled(true));
    config.service(ui).service(web::redirect("/docs", "/docs/"));
}

fn operation(served: &Served) -> Value {
    let mut value = serde_json::to_value((served.describe)()).unwrap_or_default();
    let Some(operation) = value.as_object_mut() else { return value };
    operation.insert("x-permission".to_owned(), served.row.permission().into());
    operation.insert("x-reach".to_owned(), format!("{:?}", served.row.reach).into());
    operation.insert("x-p99-ms".to_owned(), budget::p99_ms(served).into());
    if let Some(spec) = served.list.or(served.exported).filter(|spec| spec.custom_fields) {
        operation.insert("x-custom-fields".to_owned(), custom_fields(spec));
    }
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

/// What a list can be asked of custom fields. What fields there are differs from workspace to workspace, so they are no parameters of the
/// document.
fn custom_fields(spec: &ListSpec) -> Value {
    json!({
        "record_type": spec.table,
        "definitions": format!("/v1/custom-fields?record_type={}", spec.table),
        "filters": ["cf[key]=value", "cf[key][operator]=value"],
        "operators": {
            "text, url, email": ["eq", "ne", "in", "is_null", "gt", "gte", "lt", "lte", "like"],
            "number, money, date, datetime": ["eq", "ne", "in", "is_null", "gt", "gte", "lt", "lte"],
            "boolean, select, multi_select, reference": ["eq", "ne", "in", "is_null"],
        },
        "values": "As in cells of an export: money as `1234.50 EUR`, an option by its key or label. Texts are compared without regard to case and accents.",
        "sorts": ["cf[key]", "-cf[key]"],
        "columns": "cf[key], in exports and in imports of clients; there the row's contact has contact_cf[key]",
    })
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
        if served.method == actix_web::http::Method::GET && is_api(&served.path) && served.exported.is_none() {
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
