//! The OpenAPI document: committed, complete, and true to its own examples.

use std::path::Path;

use serde_json::{Value, json};

fn document() -> Value {
    serde_json::from_str(&::api::openapi::text(&::api::routes::registry()).unwrap()).unwrap()
}

fn committed() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../openapi/openapi.json")
}

fn operations(document: &Value) -> Vec<(String, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let mut operations = Vec::new();
    for (path, methods) in paths {
        for (method, operation) in methods.as_object().unwrap() {
            operations.push((format!("{method} {path}"), operation));
        }
    }
    operations
}

#[test]
fn the_committed_document_is_what_the_code_makes() {
    let made = ::api::openapi::text(&::api::routes::registry()).unwrap();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(committed(), &made).unwrap();
    }
    let kept = std::fs::read_to_string(committed()).unwrap_or_default();
    assert!(
        kept == made,
        "openapi/openapi.json differs; write it anew with: UPDATE=1 cargo nextest run -p pelatis-tests the_committed_document"
    );
}

#[test]
fn every_row_of_the_permission_table_is_served_and_every_operation_has_a_row() {
    let registry = ::api::routes::registry();
    registry.check().unwrap();
    assert_eq!(operations(&document()).len(), ::api::access::OPERATIONS.len());
}

#[test]
fn every_operation_says_what_it_is_what_it_needs_and_how_it_fails() {
    let document = document();
    for (name, operation) in operations(&document) {
        let id = operation["operationId"].as_str().unwrap_or_else(|| panic!("{name} has no operationId"));
        assert!(id.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{id}");
        assert!(
            operation["summary"].as_str().is_some_and(|summary| summary.len() > 3 && !summary.ends_with('.')),
            "{id} has no summary"
        );
        assert!(operation["x-permission"].is_string(), "{id}");
        assert!(operation["tags"].as_array().is_some_and(|tags| tags.len() == 1), "{id}");
        let responses = operation["responses"].as_object().unwrap();
        for (status, response) in responses {
            if status == "204" || status == "304" {
                continue;
            }
            for (kind, media) in response["content"].as_object().unwrap_or_else(|| panic!("{id} {status} has no content")) {
                assert!(!media["example"].is_null(), "{id} {status} {kind} has no example");
                let named = media["schema"]["$ref"].is_string() || ["openapi", "metrics"].contains(&id);
                assert!(named, "{id} {status} has a schema without a name");
            }
        }
        if name.contains("/v1/") {
            for status in ["400", "422", "429", "500", "503"] {
                assert!(responses.contains_key(status), "{id} does not say how it fails with {status}");
            }
        }
        if !operation["requestBody"].is_null() {
            for (kind, media) in operation["requestBody"]["content"].as_object().unwrap() {
                assert!(media["schema"]["$ref"].is_string() && !media["example"].is_null(), "{id} {kind}");
            }
        }
    }
}

#[test]
fn whatever_is_given_a_password_may_take_the_time_that_hashing_one_takes() {
    let document = document();
    let mut asked = 0;
    for (_, operation) in operations(&document) {
        let body = &operation["requestBody"]["content"]["application/json"]["schema"]["$ref"];
        let Some(schema) = body.as_str().and_then(|at| document.pointer(at.trim_start_matches('#'))) else { continue };
        let members = schema["properties"].as_object().into_iter().flatten();
        if members.map(|(name, _)| name).any(|name| name == "password" || name.ends_with("_password")) {
            asked += 1;
            assert_eq!(operation["x-p99-ms"], 500, "{}", operation["operationId"]);
        }
    }
    assert_eq!(asked, 11);
}

#[test]
fn every_example_fits_its_schema() {
    let document = document();
    // one schema for all of them, because each would be compiled with everything that it might refer to
    let names = document["components"]["schemas"].as_object().unwrap().keys();
    let properties: serde_json::Map<_, _> =
        names.map(|name| (name.clone(), json!({ "$ref": format!("#/components/schemas/{name}") }))).collect();
    let all = json!({ "properties": properties, "additionalProperties": false, "components": document["components"] });
    let all = jsonschema::options().should_validate_formats(true).build(&all).unwrap();
    let mut checked = 0;
    for (name, operation) in operations(&document) {
        let responses = operation["responses"].as_object().unwrap().values();
        for content in responses.chain([&operation["requestBody"]]).filter_map(|part| part["content"].as_object()) {
            for media in content.values() {
                let Some(reference) = media["schema"]["$ref"].as_str() else { continue };
                let schema = reference.rsplit('/').next().unwrap();
                all.validate(&json!({ schema: media["example"] }))
                    .unwrap_or_else(|error| panic!("{name}: the example of {schema}: {error}"));
                checked += 1;
            }
        }
    }
    assert!(checked > 300, "{checked}");
}

#[test]
fn objects_of_requests_refuse_what_they_do_not_know() {
    let document = document();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for (name, operation) in operations(&document) {
        let Some(content) = operation["requestBody"]["content"].as_object() else { continue };
        // a message is no object, and neither is a table
        for (_, media) in content.iter().filter(|(kind, _)| !["message/rfc822", "text/csv"].contains(&kind.as_str())) {
            let schema = media["schema"]["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
            assert_eq!(schemas[schema]["additionalProperties"], json!(false), "{name}: {schema}");
        }
    }
}

#[test]
fn every_error_code_is_declared_once() {
    let mut codes: Vec<&str> = ::api::problem::CODES.iter().flat_map(|table| table.iter().map(|code| code.code)).collect();
    let all = codes.len();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), all);
}
