//! Routes, methods and bodies that cannot be read, and those that can be and are not valid.

use harness::{Session, TestApp};
use reqwest::Method;
use serde_json::json;

use super::{NOWHERE, raw, state};

const JSON: Option<&str> = Some("application/json");

#[tokio::test]
async fn unknown_routes_are_404_and_wrong_methods_405_with_allow_for_anybody() {
    let app = TestApp::spawn().await;
    for session in [&app.admin, &Session::nobody()] {
        for path in [
            "/",
            "/v1",
            "/v1/nothing",
            "/v1/clients/",
            "/v2/clients",
            "/v1/clients/bulk/more",
            "/v1/%2e%2e/etc",
            "/v1/cl%00ients",
        ] {
            app.get(path, session).await.expect_problem(404, "route_not_found");
        }
        for (method, path, allow) in [
            (Method::PUT, "/v1/clients".to_owned(), vec!["GET", "HEAD", "POST"]),
            (Method::DELETE, "/v1/clients".to_owned(), vec!["GET", "HEAD", "POST"]),
            (Method::POST, format!("/v1/clients/{NOWHERE}"), vec!["DELETE", "GET", "HEAD", "PATCH"]),
            (Method::GET, "/v1/auth/login".to_owned(), vec!["POST"]),
            (Method::from_bytes(b"BREW").unwrap(), "/v1/me".to_owned(), vec!["GET", "HEAD"]),
        ] {
            let refused = app.send(app.request(method, &path, session)).await.expect_problem(405, "method_not_allowed");
            let mut methods: Vec<&str> = refused.header("allow").expect("Allow").split(", ").collect();
            methods.sort_unstable();
            assert_eq!(methods, allow, "{path}");
        }
    }
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_400_and_changes_nothing() {
    let app = TestApp::spawn().await;
    let before = state(&app).await;
    let deep_list = format!("{{\"kind\":\"company\",\"name\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    let deep_object = format!("{}1{}", "{\"a\":".repeat(10_000), "}".repeat(10_000));
    for body in [
        &b""[..],
        b"   ",
        b"{",
        b"{\"kind\":\"company\",",
        b"{\"kind\":\"company\"}}",
        b"{'kind':'company'}",
        b"nonsense",
        b"{\"kind\":\"company\",\"name\":\"\xff\xfe\"}",
        b"{\"kind\":\"company\",\"name\":\"\\ud800\"}",
        b"\xef\xbb\xbf{",
        deep_list.as_bytes(),
        deep_object.as_bytes(),
    ] {
        let refused = raw(&app, Method::POST, "/v1/clients", JSON, body.to_vec()).await.expect_problem(400, "unreadable");
        assert!(refused.text.len() < 1000, "it does not repeat what came");
    }
    let client = app.client(&app.admin, "There").await;
    raw(&app, Method::PATCH, &format!("/v1/clients/{client}"), JSON, "{").await.expect_problem(400, "unreadable");
    raw(&app, Method::POST, "/v1/clients/bulk", JSON, deep_list).await.expect_problem(400, "unreadable");
    assert_eq!(app.count("client").await, before.0 + 1);
}

#[tokio::test]
async fn a_body_of_another_kind_than_the_operation_reads_is_415_or_422() {
    let app = TestApp::spawn().await;
    let body = r#"{"kind":"company","name":"X"}"#;
    let before = state(&app).await;
    for kind in [
        None,
        Some("text/plain"),
        Some("application/xml"),
        Some("application/x-www-form-urlencoded"),
        Some("application/jsonx"),
        Some("application/merge-patch+json"),
    ] {
        raw(&app, Method::POST, "/v1/clients", kind, body).await.expect_problem(415, "unsupported_media_type");
    }
    for body in ["null", "[]", "1", "\"text\"", "{}"] {
        raw(&app, Method::POST, "/v1/clients", JSON, body).await.expect_problem(422, "validation_failed");
    }
    assert_eq!(state(&app).await, before);
    for kind in ["application/json", "Application/JSON; charset=utf-8", "application/json;charset=\"UTF-8\""] {
        raw(&app, Method::POST, "/v1/clients", Some(kind), body).await.expect(201);
    }
    let path = format!("/v1/clients/{}", app.client(&app.admin, "Patched").await);
    raw(&app, Method::PATCH, &path, Some("application/merge-patch+json"), r#"{"name":"Other"}"#).await.expect(200);
    raw(&app, Method::PATCH, &path, Some("text/plain"), r#"{"name":"Third"}"#)
        .await
        .expect_problem(415, "unsupported_media_type");
    // what reads no body refuses one
    let refused = raw(&app, Method::POST, &format!("{path}/restore"), JSON, r#"{"a":1}"#).await;
    refused.expect_problem(422, "validation_failed");
}

#[tokio::test]
async fn a_mebibyte_is_read_and_one_byte_more_is_413() {
    let app = TestApp::spawn().await;
    let padded = |size: usize| {
        let body = r#"{"kind":"company","name":"Large"}"#;
        format!("{body}{}", " ".repeat(size - body.len()))
    };
    raw(&app, Method::POST, "/v1/clients", JSON, padded(1024 * 1024)).await.expect(201);
    let before = state(&app).await;
    for path in ["/v1/clients", "/v1/clients/bulk", "/v1/auth/login", "/v1/auth/logout"] {
        let refused = raw(&app, Method::POST, path, JSON, padded(1024 * 1024 + 1)).await.expect_problem(413, "too_large");
        assert_eq!(refused.body["detail"], "At most 1048576 bytes are read here.");
    }
    // nor does one get in that does not say how long it is
    let chunks = (0..1025).map(|_| Ok::<_, std::io::Error>(vec![b' '; 1024]));
    let endless = reqwest::Body::wrap_stream(futures::stream::iter(chunks));
    raw(&app, Method::POST, "/v1/clients", JSON, endless).await.expect_problem(413, "too_large");
    assert_eq!(state(&app).await, before);
    app.get("/v1/me", &app.admin).await.expect(200);
}

#[tokio::test]
async fn nul_in_any_string_is_422_at_its_place() {
    let app = TestApp::spawn().await;
    let client = app.client(&app.admin, "There").await;
    let before = state(&app).await;
    let body = json!({ "kind": "company", "name": "a\0b", "emails": [{ "kind": "work", "address": "x\0@example.com" }] });
    let refused = app.post("/v1/clients", &app.admin, &body).await.expect_problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/emails/0/address", "/name"]);
    assert_eq!(refused.body["errors"][0]["code"], "nul_character");
    let refused = app.patch(&format!("/v1/clients/{client}"), &app.admin, &json!({ "sector": "\0" })).await;
    assert_eq!(refused.expect_problem(422, "validation_failed").pointers(), ["/sector"]);
    app.post("/v1/clients", &app.admin, &json!({ "kind": "company", "a\0b": 1 })).await.expect_problem(422, "validation_failed");
    let login = json!({ "email": "admin\0@example.com", "password": "a\0b" });
    app.post("/v1/auth/login", &Session::nobody(), &login).await.expect_problem(422, "validation_failed");
    let bulk = json!({ "operations": [{ "op": "create", "data": { "kind": "company", "name": "\0" } }] });
    app.post("/v1/clients/bulk", &app.admin, &bulk).await.expect_problem(422, "validation_failed");
    app.get("/v1/clients?q=%00", &app.admin).await.expect_problem(422, "validation_failed");
    app.get("/v1/clients?name=a%00", &app.admin).await.expect_problem(422, "validation_failed");
    app.get("/v1/clients/%00", &app.admin).await.expect_problem(400, "invalid_id");
    app.get("/v1/clients", &app.admin.in_workspace("%00")).await.expect_problem(404, "not_found");
    assert_eq!(state(&app).await, before);
}

#[tokio::test]
async fn a_date_that_is_none_is_422_in_a_body() {
    let app = TestApp::spawn().await;
    let client = app.client(&app.admin, "Here").await;
    let contact = app.contact(&app.admin, "Nikos").await;
    let path = format!("/v1/clients/{client}/contacts");
    let entries = app.count("journal_entry").await;
    for wrong in [
        "0000-00-00",
        "2026-02-30",
        "2026-13-01",
        "2026-1-1",
        "26-01-01",
        "12026-01-01",
        "-2026-01-01",
        "2026-01-01T00:00:00Z",
        "",
        "now",
    ] {
        let body = json!({ "contact_id": contact, "since": wrong, "until": wrong });
        let refused = app.post(&path, &app.admin, &body).await.expect_problem(422, "validation_failed");
        assert_eq!(refused.pointers(), ["/since", "/until"], "{wrong}");
    }
    let body = json!({ "contact_id": contact, "since": "2026-02-01", "until": "2026-01-31" });
    let refused = app.post(&path, &app.admin, &body).await.expect_problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/until"]);
    let token = json!({ "name": "x", "scopes": ["clients.view_all"], "expires_at": "0000-00-00T00:00:00Z" });
    let refused = app.post("/v1/tokens", &app.admin, &token).await.expect_problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/expires_at"]);
    assert_eq!((app.count("client_contact").await, app.count("journal_entry").await), (0, entries));

    let body = json!({ "contact_id": contact, "since": "2024-02-29", "until": null });
    app.post(&path, &app.admin, &body).await.expect(201);
    let patched = app.patch(&format!("{path}/{contact}"), &app.admin, &json!({ "until": "0000-00-00" })).await;
    assert_eq!(patched.expect_problem(422, "validation_failed").pointers(), ["/until"]);
}
