//! Storages: S3 as well as a folder, away and back again, slow, failing, cut off.

use std::time::{Duration, Instant};

use harness::{Answer, TestApp, TestConfig};
use reqwest::StatusCode;
use serde_json::json;

use super::s3::{Line, S3};
use super::samples::pdf;
use super::upload::lying_in;

/// A server whose files are in S3.
async fn on_s3() -> (TestApp, S3, tempfile::TempDir) {
    let folder = tempfile::TempDir::new().unwrap();
    let s3 = S3::start(folder.path());
    let app = TestApp::spawn_with(|config| with(config, &s3)).await;
    (app, s3, folder)
}

fn with(config: &mut TestConfig, s3: &S3) {
    config.files.storage = s3.url();
    config.files.storage_timeout = Duration::from_secs(2);
}

/// What `/health/ready` says of the storages.
async fn health(app: &TestApp) -> (String, String) {
    let ready = app.get("/health/ready", &app.admin).await.expect(200);
    let services = ready.body["services"].as_array().unwrap();
    let storage = services.iter().find(|service| service["name"] == "storage").unwrap();
    (ready.body["status"].as_str().unwrap().to_owned(), storage["status"].as_str().unwrap().to_owned())
}

fn expect_unavailable(answer: Answer) {
    assert!(answer.header("retry-after").is_some(), "{}", answer.text);
    answer.expect_problem(503, "storage_unavailable");
}

#[tokio::test]
async fn files_in_s3_come_and_go_as_those_in_a_folder_do() {
    let (app, _s3, folder) = on_s3().await;
    let objects = || lying_in(&folder.path().join("s3/papers")).len();
    let client = app.client(&app.admin, "Παπάς").await;
    let on = [("rel_type", "client"), ("rel_id", client.as_str())];
    // the one in one piece, the other in parts
    for (name, content) in [("small.pdf", pdf(1000)), ("Μεγάλο.pdf", pdf(12_000_000))] {
        let made = app.upload(&app.admin, &on, name, &content).await.expect(201);
        assert_eq!(made.body["storage_bucket"], "papers");
        let path = format!("/v1/files/{}/content", made.id());
        let whole = app.request(reqwest::Method::GET, &path, &app.admin).send().await.unwrap();
        assert_eq!(whole.bytes().await.unwrap(), content, "{name}");
        let part = app.request(reqwest::Method::GET, &path, &app.admin).header("range", "bytes=500-").send().await.unwrap();
        assert_eq!((part.status(), part.bytes().await.unwrap().as_ref()), (StatusCode::PARTIAL_CONTENT, &content[500..]));

        let link = app.post(&format!("/v1/files/{}/links", made.id()), &app.admin, &json!({})).await.expect(201);
        let url = link.body["url"].as_str().unwrap();
        assert!(!url.starts_with(&app.base) && url.contains("X-Amz-Expires=900"), "{url}");
        let got = app.http.get(url).send().await.unwrap();
        assert_eq!(got.status(), 200, "{}", got.text().await.unwrap());
        let disposition = got.headers()["content-disposition"].to_str().unwrap().to_owned();
        assert!(disposition.starts_with("attachment; filename="), "{disposition}");
        assert_eq!(got.bytes().await.unwrap(), content);
        let forged = url.replace("X-Amz-Expires=900", "X-Amz-Expires=90000");
        assert_eq!(app.http.get(forged).send().await.unwrap().status(), 403);

        app.delete(&format!("/v1/files/{}", made.id()), &app.admin).await.expect(204);
        app.act(&format!("/v1/files/{}/purge", made.id()), &app.admin).await.expect(204);
        for _ in 0..200 {
            if app.count("file_removal").await == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        assert_eq!(objects(), 0);
    }
    assert_eq!(health(&app).await, ("healthy".to_owned(), "healthy".to_owned()));
}

#[tokio::test]
async fn s3_that_is_away_stalls_or_fails_is_told_and_everything_else_goes_on() {
    let (app, s3, folder) = on_s3().await;
    let content = pdf(6_000_000);
    let kept = app.upload(&app.admin, &[], "kept.pdf", &content).await.expect(201).id();
    let path = format!("/v1/files/{kept}/content");
    for line in [Line::Away, Line::Stalls, Line::Fails] {
        s3.line(line);
        let began = Instant::now();
        expect_unavailable(app.upload(&app.admin, &[], "a.pdf", &content).await);
        expect_unavailable(app.get(&path, &app.admin).await);
        assert!(began.elapsed() < Duration::from_secs(15), "{line:?}: {:?}", began.elapsed());
        app.client(&app.admin, "goes on").await;
        app.get(&format!("/v1/files/{kept}"), &app.admin).await.expect(200);
        assert_eq!(health(&app).await, ("degraded".to_owned(), "degraded".to_owned()), "{line:?}");
        s3.line(Line::Good);
        let back = app.request(reqwest::Method::GET, &path, &app.admin).send().await.unwrap();
        assert_eq!(back.bytes().await.unwrap(), content, "{line:?}");
        assert_eq!(health(&app).await, ("healthy".to_owned(), "healthy".to_owned()));
    }
    app.upload(&app.admin, &[], "b.pdf", &content).await.expect(201);
    assert_eq!(app.count("file").await, 2);
    assert_eq!(lying_in(&app.folder.path().join("spool")).len(), 0);
    let objects: Vec<String> =
        lying_in(&folder.path().join("s3/papers")).into_iter().filter(|name| name.ends_with(".pdf")).collect();
    assert_eq!(objects.len(), 2, "{objects:?}");
}

#[tokio::test]
async fn a_download_that_is_cut_is_never_taken_for_the_whole() {
    let (app, s3, _folder) = on_s3().await;
    let content = pdf(3_000_000);
    let id = app.upload(&app.admin, &[], "a.pdf", &content).await.expect(201).id();
    s3.line(Line::Cuts);
    let cut = app.request(reqwest::Method::GET, &format!("/v1/files/{id}/content"), &app.admin).send().await.unwrap();
    // what was cut is either fetched anew from where it broke off, or the reader is cut off too
    if let Ok(bytes) = cut.bytes().await {
        assert_eq!(bytes, content);
    }
    s3.line(Line::Good);
    let whole = app.request(reqwest::Method::GET, &format!("/v1/files/{id}/content"), &app.admin).send().await.unwrap();
    assert_eq!(whole.bytes().await.unwrap(), content);
}

/// In one piece as in parts. Seen to fail with parts that were not given up.
#[tokio::test]
async fn an_upload_to_s3_that_is_cut_or_comes_to_stand_still_in_the_middle_leaves_nothing_there() {
    let (app, s3, folder) = on_s3().await;
    // parts of objects as well; what this server has of a request that is not at its end is its own
    let lying = || lying_in(&folder.path().join("s3")).into_iter().filter(|name| !name.contains("/.tmp.")).collect::<Vec<_>>();
    for line in [Line::CutsOnTheWayUp, Line::StallsWithin] {
        for length in [1_000_000, 12_000_000] {
            s3.line(line);
            let began = Instant::now();
            expect_unavailable(app.upload(&app.admin, &[], "a.pdf", &pdf(length)).await);
            assert!(began.elapsed() < Duration::from_secs(15), "{line:?}: {:?}", began.elapsed());
            s3.line(Line::Good);
            assert_eq!((app.count("file").await, lying()), (0, Vec::new()), "{line:?}, {length} bytes");
            assert_eq!(lying_in(&app.folder.path().join("spool")), [""; 0]);
        }
    }
    app.upload(&app.admin, &[], "a.pdf", &pdf(12_000_000)).await.expect(201);
}

/// Seen to fail without a time for the next piece, here and in the client of S3, each of which would do alone.
#[tokio::test]
async fn a_download_from_s3_that_comes_to_stand_still_is_ended_and_never_taken_for_the_whole() {
    let (app, s3, _folder) = on_s3().await;
    let content = pdf(3_000_000);
    let id = app.upload(&app.admin, &[], "a.pdf", &content).await.expect(201).id();
    s3.line(Line::StallsWithin);
    let began = Instant::now();
    let standing = app.request(reqwest::Method::GET, &format!("/v1/files/{id}/content"), &app.admin).send().await.unwrap();
    assert_eq!(standing.status(), StatusCode::OK, "it had begun to come");
    assert!(standing.bytes().await.is_err(), "its reader is cut off");
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    s3.line(Line::Good);
    let whole = app.request(reqwest::Method::GET, &format!("/v1/files/{id}/content"), &app.admin).send().await.unwrap();
    assert_eq!(whole.bytes().await.unwrap(), content);
}

#[tokio::test]
async fn a_server_starts_without_its_storage_and_takes_files_when_it_is_there() {
    let folder = tempfile::TempDir::new().unwrap();
    let s3 = S3::start(folder.path());
    s3.line(Line::Away);
    let app = TestApp::spawn_with(|config| with(config, &s3)).await;
    assert_eq!(health(&app).await.0, "degraded");
    expect_unavailable(app.upload(&app.admin, &[], "a.pdf", &pdf(100)).await);
    s3.line(Line::Good);
    app.upload(&app.admin, &[], "a.pdf", &pdf(100)).await.expect(201);
    assert_eq!(health(&app).await.0, "healthy");
}

#[tokio::test]
async fn a_folder_that_is_taken_away_is_not_made_anew_and_is_used_again_when_it_is_back() {
    let app = TestApp::spawn().await;
    let content = pdf(1000);
    let id = app.upload(&app.admin, &[], "a.pdf", &content).await.expect(201).id();
    let (files, away) = (app.folder.path().join("files"), app.folder.path().join("away"));
    std::fs::rename(&files, &away).unwrap();
    assert_eq!(health(&app).await.0, "degraded");
    expect_unavailable(app.upload(&app.admin, &[], "b.pdf", &content).await);
    expect_unavailable(app.get(&format!("/v1/files/{id}/content"), &app.admin).await);
    assert!(!files.exists());
    std::fs::rename(&away, &files).unwrap();
    app.get(&format!("/v1/files/{id}/content"), &app.admin).await.expect(200);
    app.upload(&app.admin, &[], "b.pdf", &content).await.expect(201);
    assert_eq!(health(&app).await.0, "healthy");
    assert_eq!(app.count("file").await, 2);
}
