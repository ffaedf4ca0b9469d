//! Health, metrics, the document and its page.

use std::path::Path;

use harness::{Session, TestApp};
use serde_json::json;

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
    assert!(document.text == committed, "what is served is not openapi/openapi.json");
    assert!(document.body["openapi"].as_str().unwrap().starts_with("3.1"));
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
