//! Headers: CORS, security, compression, request ids; and that no failure tells about the inside.

use harness::{Session, TestApp};
use reqwest::Method;
use serde_json::json;

use super::get_with;

#[tokio::test]
async fn browsers_may_call_from_the_origins_that_are_configured_and_from_no_other() {
    let app = TestApp::spawn_with(|config| config.api.cors_origins = vec!["https://app.example".to_owned()]).await;
    let preflight = async |origin: &str, method: &str, headers: &str| {
        let request = app.request(Method::OPTIONS, "/v1/clients", &Session::nobody()).header("origin", origin);
        app.send(request.header("access-control-request-method", method).header("access-control-request-headers", headers)).await
    };
    let allowed =
        preflight("https://app.example", "PATCH", "authorization, content-type, if-match, idempotency-key, x-workspace").await;
    assert!([200, 204].contains(&allowed.status), "{}", allowed.text);
    assert_eq!(allowed.header("access-control-allow-origin"), Some("https://app.example"));
    let methods = allowed.header("access-control-allow-methods").unwrap();
    for method in ["GET", "POST", "PATCH", "DELETE"] {
        assert!(methods.contains(method), "{methods}");
    }
    let refused = preflight("https://evil.example", "GET", "authorization").await.expect_problem(400, "unreadable");
    assert_eq!(refused.header("access-control-allow-origin"), None);
    preflight("https://app.example", "TRACE", "authorization").await.expect_problem(400, "unreadable");

    for (path, session) in
        [("/v1/me", &app.admin), ("/v1/clients/7", &app.admin), ("/v1/me", &Session::nobody()), ("/v1/nothing", &app.admin)]
    {
        let answer = get_with(&app, path, session, "origin", "https://app.example").await;
        assert_eq!(answer.header("access-control-allow-origin"), Some("https://app.example"), "{path}");
        let exposed = answer.header("access-control-expose-headers").unwrap().to_lowercase();
        for name in ["etag", "x-request-id", "ratelimit-remaining", "x-ratelimit-remaining", "retry-after", "location"] {
            assert!(exposed.contains(name), "{name} is not in {exposed}");
        }
        let stranger = get_with(&app, path, session, "origin", "https://evil.example").await;
        assert_eq!((stranger.status, stranger.header("access-control-allow-origin")), (answer.status, None));
    }
}

#[tokio::test]
async fn security_headers_stand_on_every_answer() {
    let app = TestApp::spawn().await;
    for (path, session) in [
        ("/v1/me", &app.admin),
        ("/v1/nothing", &app.admin),
        ("/v1/me", &Session::nobody()),
        ("/docs", &app.admin),
        ("/health/live", &app.admin),
        ("/openapi.json", &app.admin),
    ] {
        let answer = app.get(path, session).await;
        for (name, value) in
            [("x-content-type-options", "nosniff"), ("referrer-policy", "no-referrer"), ("x-frame-options", "DENY")]
        {
            assert_eq!(answer.header(name), Some(value), "{path}");
        }
        let policy = answer.header("content-security-policy").unwrap();
        assert!(
            policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe-eval") && !policy.contains('*'),
            "{path}: {policy}"
        );
        assert!(answer.header("x-request-id").is_some() && answer.header("server").is_none(), "{path}");
    }
    assert_eq!(app.get("/v1/me", &app.admin).await.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn answers_are_compressed_for_who_asks() {
    let app = TestApp::spawn().await;
    // a client that leaves what comes as it came
    let plain_http = reqwest::Client::builder().no_proxy().no_gzip().no_brotli().no_zstd().build().unwrap();
    for path in ["/v1/roles", "/openapi.json"] {
        let plain = get_with(&app, path, &app.admin, "accept-encoding", "identity").await.expect(200);
        assert_eq!(plain.header("content-encoding"), None);
        for (asked, given) in [("gzip", "gzip"), ("gzip;q=1.0, deflate;q=0.1", "gzip")] {
            let request = plain_http.get(format!("{}{path}", app.base)).bearer_auth(app.admin.token.as_ref().unwrap());
            let response = request.header("accept-encoding", asked).send().await.unwrap();
            assert_eq!(response.headers()["content-encoding"], given);
            assert!(response.headers()["vary"].to_str().unwrap().to_lowercase().contains("accept-encoding"));
            let bytes = response.bytes().await.unwrap();
            assert_eq!(&bytes[..2], [0x1f, 0x8b]);
            assert!(bytes.len() * 2 < plain.text.len(), "{} of {}", bytes.len(), plain.text.len());
        }
    }
}

#[tokio::test]
async fn what_can_be_got_can_be_asked_for_its_head_alone() {
    let app = TestApp::spawn().await;
    let client = app.client(&app.admin, "There").await;
    for path in ["/v1/clients", &format!("/v1/clients/{client}"), "/v1/me", "/openapi.json", "/health/live"] {
        let whole = app.get(path, &app.admin).await.expect(200);
        let head = app.send(app.request(Method::HEAD, path, &app.admin)).await.expect(200);
        assert_eq!(head.text, "", "{path}");
        for name in ["etag", "content-type", "x-content-type-options"] {
            assert_eq!(head.header(name), whole.header(name), "{name} of {path}");
        }
    }
    // and it is refused to whom the whole is refused
    for (status, path, session) in [
        (401, "/v1/clients", &Session::nobody()),
        (404, &*format!("/v1/clients/{}", super::NOWHERE), &app.admin),
        (405, "/v1/auth/login", &app.admin),
    ] {
        let refused = app.send(app.request(Method::HEAD, path, session)).await.expect(status);
        assert_eq!((refused.text.as_str(), refused.header("content-type")), ("", Some("application/problem+json")), "{path}");
    }
    let wrong = app.send(app.request(Method::PUT, "/v1/clients", &app.admin)).await.expect_problem(405, "method_not_allowed");
    assert_eq!(wrong.header("allow"), Some("GET, HEAD, POST"));
}

#[tokio::test]
async fn parts_that_are_not_ours_refuse_in_our_words() {
    let app = TestApp::spawn().await;
    app.get("/docs/there-is-no-such-file.js", &app.admin).await.expect_problem(404, "route_not_found");
    let picky = get_with(&app, "/v1/me", &app.admin, "accept-encoding", "identity;q=0").await;
    picky.expect_problem(406, "not_acceptable");
}

#[tokio::test]
async fn a_request_id_that_is_one_is_answered_and_journaled_and_any_other_is_replaced() {
    let app = TestApp::spawn().await;
    for good in ["abc-123", "A.b_c-9", "01938f5c-4f2e-7cc3-98c4-dc0c0c07398f", &"x".repeat(64)] {
        assert_eq!(get_with(&app, "/v1/me", &app.admin, "x-request-id", good).await.header("x-request-id"), Some(good));
        let refused = get_with(&app, "/v1/clients/7", &app.admin, "x-request-id", good).await.expect_problem(400, "invalid_id");
        assert_eq!(refused.body["request_id"], good);
    }
    for bad in ["", "two words", "<script>", "a\"b", "ünï", &"x".repeat(65)] {
        let answer = get_with(&app, "/v1/me", &app.admin, "x-request-id", bad).await.expect(200);
        let id = answer.header("x-request-id").unwrap();
        assert!(id != bad && uuid::Uuid::parse_str(id).is_ok(), "{id}");
    }
    let request = app.request(Method::POST, "/v1/clients", &app.admin).header("x-request-id", "my-request-7");
    let made = app.send(request.json(&json!({ "kind": "company", "name": "X" }))).await.expect(201);
    assert_eq!(app.db.rows("SELECT event FROM journal_entry WHERE request_id = 'my-request-7'").await, ["client.created"]);
    assert_eq!(made.header("x-request-id"), Some("my-request-7"));
}

#[tokio::test]
async fn a_failure_of_ours_is_500_and_tells_nothing_about_the_inside() {
    let app = TestApp::spawn().await;
    for table in ["tagging", "tag"] {
        app.db.execute(&format!("DROP TABLE {table}")).await.unwrap();
    }
    for answer in [app.get("/v1/tags", &app.admin).await, app.post("/v1/tags", &app.admin, &json!({ "name": "x" })).await] {
        let answer = answer.expect_problem(500, "internal");
        let text = answer.text.to_lowercase();
        for inside in ["select", "insert", "sql", "relation", "table", "tagging", "panicked", ".rs", "::", "sqlx", "database"] {
            assert!(!text.contains(inside), "{inside} is in {text}");
        }
    }
    app.get("/v1/me", &app.admin).await.expect(200);
}

#[tokio::test]
async fn refusals_of_nonsense_never_tell_about_the_inside() {
    let app = TestApp::spawn().await;
    let client = app.client(&app.admin, "There").await;
    let answers = [
        app.get("/v1/clients?name=%27%3B%20DROP%20TABLE%20client%3B--", &app.admin).await.expect(200),
        app.get("/v1/clients?q=%22%20OR%20*%20NEAR(%20)%20%3A*%20%26%20%7C%20!", &app.admin).await.expect(200),
        app.get("/v1/clients?cursor=AAAA", &app.admin).await,
        app.get("/v1/clients?sort=name;--", &app.admin).await,
        app.get(&format!("/v1/clients/{client}?fields=name%27"), &app.admin).await,
        app.post("/v1/clients", &app.admin, &json!({ "kind": { "$ne": 1 }, "name": ["x"] })).await,
        app.patch(&format!("/v1/clients/{client}"), &app.admin, &json!({ "parent_id": client })).await,
        app.patch(&format!("/v1/clients/{client}"), &app.admin, &json!({ "owner_id": super::NOWHERE })).await,
    ];
    for answer in answers {
        assert!(answer.status < 500, "{}", answer.text);
        for inside in ["SELECT", "sqlx", "serde", ".rs", "::", "ClientPatch", "CreateClient", "panicked"] {
            assert!(!answer.text.contains(inside), "{inside} is in {}", answer.text);
        }
    }
    assert_eq!(app.count("client").await, 1);
}
