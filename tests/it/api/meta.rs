//! Health, metrics, the document and its page.

use std::path::Path;

use harness::{Session, TestApp};
use serde_json::{Value, json};

use super::get_with;

#[tokio::test]
async fn health_metrics_and_the_document_are_open_to_anybody() {
    let app = TestApp::spawn().await;
    let nobody = Session::nobody();
    assert_eq!(app.get("/health/live", &nobody).await.expect(200).body, json!({ "status": "healthy" }));
    let ready = app.get("/health/ready", &nobody).await.expect(200).body;
    assert!(["healthy", "degraded"].contains(&ready["status"].as_str().unwrap()), "{ready}");
    assert_eq!((&ready["services"][0]["name"], &ready["services"][0]["status"]), (&json!("database"), &json!("healthy")));
    let metrics = app.get("/metrics", &nobody).await.expect(200);
    assert!(metrics.header("content-type").unwrap().starts_with("text/plain; version=0.0.4"));
    let document = app.get("/openapi.json", &nobody).await.expect(200);
    let committed = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../openapi/openapi.json")).unwrap();
    assert!(document.body == serde_json::from_str::<Value>(&committed).unwrap(), "what is served is not openapi/openapi.json");
    assert!(document.body["openapi"].as_str().unwrap().starts_with("3.1"));
}

#[tokio::test]
async fn requests_and_frontends_are_counted_and_a_flood_of_names_is_one() {
    let app = TestApp::spawn().await;
    let nobody = Session::nobody();
    for _ in 0..3 {
        app.get("/v1/clients", &app.admin).await.expect(200);
    }
    app.get("/v1/clients", &nobody).await.expect(401);
    app.get("/v1/nothing", &nobody).await.expect(404);
    for name in ["portal/1.2", "portal/1.2", "bad\tname"] {
        get_with(&app, "/v1/me", &app.admin, "x-client-info", name).await.expect(200);
    }
    for number in 0..200 {
        get_with(&app, "/health/live", &nobody, "x-client-info", &format!("made-up/{number}")).await.expect(200);
    }
    let metrics = app.get("/metrics", &nobody).await.expect(200).text;
    for line in [
        r#"pelatis_requests_total{operation="list_clients",status="200"} 3"#,
        r#"pelatis_requests_total{operation="list_clients",status="401"} 1"#,
        r#"pelatis_requests_total{operation="unknown",status="404"} 1"#,
        r#"pelatis_request_seconds_count{operation="list_clients"} 4"#,
        r#"pelatis_clients_total{client="portal/1.2"} 2"#,
        r#"pelatis_clients_total{client="badname"} 1"#,
        r#"pelatis_clients_total{client="other"} 102"#,
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line} is not in\n{metrics}");
    }
}

#[tokio::test]
async fn the_reference_page_loads_nothing_from_elsewhere() {
    let app = TestApp::spawn().await;
    let nobody = Session::nobody();
    let first = app.get("/docs", &nobody).await;
    let (base, page) = match first.status {
        200 => ("/docs".to_owned(), first),
        _ => {
            let to = first.header("location").expect("a page or the way to it").to_owned();
            (to.clone(), app.get(&to, &nobody).await.expect(200))
        }
    };
    assert!(page.header("content-type").unwrap().starts_with("text/html"));
    let mut loaded = 0;
    for attribute in ["src=", "href="] {
        for rest in page.text.split(attribute).skip(1) {
            let quote = rest.chars().next().unwrap();
            let target = rest.get(1..).unwrap().split(quote).next().unwrap();
            if target.starts_with("data:") || target.starts_with('#') {
                continue;
            }
            assert!(!target.contains("//"), "{target} is loaded from elsewhere");
            let folder = base.rsplit_once('/').unwrap().0;
            let path =
                if target.starts_with('/') { target.to_owned() } else { format!("{folder}/{}", target.trim_start_matches("./")) };
            app.get(&path, &nobody).await.expect(200);
            loaded += 1;
        }
    }
    assert!(loaded > 0, "{}", page.text);
    assert!(!page.text.contains("http://") && !page.text.contains("https://"), "{}", page.text);
}
