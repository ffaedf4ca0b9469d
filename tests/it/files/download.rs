//! Downloads: whole and in part, and harmless in a browser.

use harness::{Session, TestApp};
use image::ImageFormat;
use reqwest::{Method, Response};

use super::samples::{pdf, picture};

/// Asks for the content of a file, with further headers.
async fn ask(app: &TestApp, method: Method, path: &str, session: &Session, headers: &[(&str, &str)]) -> Response {
    let mut request = app.request(method, path, session);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
}

#[tokio::test]
async fn a_download_is_what_was_sent_whole_or_in_part() {
    let app = TestApp::spawn().await;
    let content = pdf(1_000_000);
    let id = app.upload(&app.admin, &[], "Αναφορά 1.pdf", &content).await.expect(201).id();
    let path = format!("/v1/files/{id}/content");
    let get = async |headers: &[(&str, &str)]| ask(&app, Method::GET, &path, &app.admin, headers).await;

    let whole = get(&[]).await;
    assert_eq!(whole.status(), 200);
    let etag = format!("\"{}\"", store::digest(&content));
    for (name, value) in [
        ("content-type", "application/pdf"),
        ("content-length", "1000000"),
        ("etag", etag.as_str()),
        ("accept-ranges", "bytes"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "sandbox; default-src 'none'; frame-ancestors 'none'"),
        ("cache-control", "private, no-cache"),
        (
            "content-disposition",
            "attachment; filename=\"_______ 1.pdf\"; filename*=UTF-8''%CE%91%CE%BD%CE%B1%CF%86%CE%BF%CF%81%CE%AC%201.pdf",
        ),
        ("content-encoding", ""),
    ] {
        assert_eq!(header(&whole, name), value, "{name}");
    }
    assert_eq!(whole.bytes().await.unwrap(), content);

    for (range, from, to) in [("bytes=0-0", 0, 1), ("bytes=500000-", 500_000, 1_000_000), ("bytes=-10", 999_990, 1_000_000)] {
        let part = get(&[("range", range)]).await;
        assert_eq!(part.status(), 206, "{range}");
        assert_eq!(header(&part, "content-range"), format!("bytes {from}-{}/1000000", to - 1));
        assert_eq!(part.bytes().await.unwrap(), content[from..to], "{range}");
    }
    let beyond = get(&[("range", "bytes=1000000-")]).await;
    assert_eq!((beyond.status().as_u16(), header(&beyond, "content-range")), (416, "bytes */1000000"));
    assert_eq!(header(&beyond, "content-type"), "application/problem+json");

    let known = get(&[("if-none-match", &etag)]).await;
    assert_eq!((known.status().as_u16(), header(&known, "etag")), (304, etag.as_str()));
    assert_eq!(get(&[("range", "bytes=0-0"), ("if-range", &etag)]).await.status(), 206);
    assert_eq!(get(&[("range", "bytes=0-0"), ("if-range", "\"other\"")]).await.status(), 200);

    let head = ask(&app, Method::HEAD, &path, &app.admin, &[("range", "bytes=0-0")]).await;
    assert_eq!((head.status().as_u16(), header(&head, "content-length")), (200, "1000000"));
    assert!(head.bytes().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_browser_shows_images_where_that_is_asked_for_and_saves_everything_else() {
    let app = TestApp::spawn().await;
    let image = app.upload(&app.admin, &[], "a.png", &picture(ImageFormat::Png, 3, 2)).await.expect(201).id();
    let text = app.upload(&app.admin, &[], "a.txt", b"hello").await.expect(201).id();
    for (id, query, disposition) in [
        (&image, "", "attachment; filename=\"a.png\""),
        (&image, "?disposition=inline", "inline; filename=\"a.png\""),
        (&text, "?disposition=inline", "attachment; filename=\"a.txt\""),
    ] {
        let answer = ask(&app, Method::GET, &format!("/v1/files/{id}/content{query}"), &app.admin, &[]).await;
        assert_eq!((answer.status().as_u16(), header(&answer, "content-disposition")), (200, disposition));
    }
    let refused = app.get(&format!("/v1/files/{text}/content?disposition=run&x=1"), &app.admin).await;
    assert_eq!(refused.expect_problem(422, "validation_failed").pointers(), ["?x"]);
    let refused = app.get(&format!("/v1/files/{text}/content?disposition=run"), &app.admin).await;
    assert_eq!(refused.expect_problem(422, "validation_failed").pointers(), ["?disposition"]);
    app.get("/v1/files/nonsense/content", &app.admin).await.expect_problem(400, "invalid_id");
    app.get(&format!("/v1/files/{}/content", app.workspace), &app.admin).await.expect_problem(404, "not_found");
}
