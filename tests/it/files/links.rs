//! Links to files that lie in a folder.

use chrono::Duration;
use harness::TestApp;
use reqwest::StatusCode;
use serde_json::json;

use super::samples::pdf;

#[tokio::test]
async fn a_link_lets_whoever_has_it_read_that_file_for_a_quarter_of_an_hour() {
    let app = TestApp::spawn().await;
    let content = pdf(10_000);
    let id = app.upload(&app.admin, &[], "a.pdf", &content).await.expect(201).id();
    let other = app.upload(&app.admin, &[], "b.pdf", &pdf(20_000)).await.expect(201).id();
    let made = app.post(&format!("/v1/files/{id}/links"), &app.admin, &json!({ "disposition": "inline" })).await.expect(201);
    let url = made.body["url"].as_str().unwrap().to_owned();
    assert!(url.starts_with(&app.base), "{url}");
    let get = async |url: &str| app.http.get(url).send().await.unwrap();

    let whole = get(&url).await;
    assert_eq!(whole.status(), StatusCode::OK);
    assert_eq!(whole.headers()["content-disposition"], "inline; filename=\"a.pdf\"");
    assert_eq!(whole.bytes().await.unwrap(), content);
    let part = app.http.get(&url).header("range", "bytes=1-3").send().await.unwrap();
    assert_eq!((part.status().as_u16(), part.bytes().await.unwrap().as_ref()), (206, b"PDF".as_slice()));

    let expires = url.split("expires=").nth(1).unwrap().split('&').next().unwrap();
    let later = (expires.parse::<i64>().unwrap() + 1).to_string();
    for forged in [
        url.replace(&id, &other),
        url.replace(expires, &later),
        url.replace("disposition=inline", "disposition=attachment"),
        url.replace(&app.workspace, &id),
        format!("{url}A"),
        url.replace("signature=", "signature=!"),
    ] {
        let refused = get(&forged).await;
        assert_eq!(refused.status(), 403, "{forged}");
        assert!(refused.text().await.unwrap().contains("link_expired"));
    }
    let lacking = get(&format!("{}/public/v1/files/{id}?expires=x", app.base)).await;
    assert_eq!(lacking.status(), 422);

    app.clock.advance(Duration::seconds(14 * 60 + 50));
    assert_eq!(get(&url).await.status(), 200);
    app.clock.advance(Duration::seconds(11));
    assert_eq!(get(&url).await.status(), 403);
}

#[tokio::test]
async fn a_link_to_a_file_that_was_put_away_leads_nowhere() {
    let app = TestApp::spawn().await;
    let id = app.upload(&app.admin, &[], "a.pdf", &pdf(100)).await.expect(201).id();
    let url = app.post(&format!("/v1/files/{id}/links"), &app.admin, &json!({})).await.expect(201).body["url"]
        .as_str()
        .unwrap()
        .to_owned();
    app.delete(&format!("/v1/files/{id}"), &app.admin).await.expect(204);
    assert_eq!(app.http.get(&url).send().await.unwrap().status(), 404);
    app.act(&format!("/v1/files/{id}/restore"), &app.admin).await.expect(200);
    assert_eq!(app.http.get(&url).send().await.unwrap().status(), 200);
}
