//! Thumbnails of images: made by a job, small, turned as the camera said, and gone with the file.

use std::time::{Duration, Instant};

use harness::TestApp;
use image::codecs::gif::GifEncoder;
use image::{DynamicImage, Frame, ImageFormat, RgbaImage};
use serde_json::json;

use super::samples::{pdf, picture};
use super::upload::lying_in;

async fn working() -> TestApp {
    TestApp::spawn_with(|config| config.worker = true).await
}

/// Waits until something is known of a file's thumbnail.
async fn settled(app: &TestApp, id: &str) -> String {
    let began = Instant::now();
    loop {
        let state =
            app.get(&format!("/v1/files/{id}"), &app.admin).await.expect(200).body["thumbnail"].as_str().unwrap().to_owned();
        if state != "pending" {
            return state;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "no thumbnail is made");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Uploads an image and returns its thumbnail, with its type.
async fn thumbnail(app: &TestApp, name: &str, content: &[u8]) -> (String, DynamicImage) {
    let made = app.upload(&app.admin, &[], name, content).await.expect(201);
    assert_eq!(made.body["thumbnail"], "pending", "{name}");
    assert_eq!(settled(app, &made.id()).await, "ready", "{name}");
    let request = app.request(reqwest::Method::GET, &format!("/v1/files/{}/thumbnail", made.id()), &app.admin);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200, "{name}");
    let mime = answer.headers()["content-type"].to_str().unwrap().to_owned();
    (mime, image::load_from_memory(&answer.bytes().await.unwrap()).unwrap())
}

fn written(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut content = std::io::Cursor::new(Vec::new());
    image.write_to(&mut content, format).unwrap();
    content.into_inner()
}

/// Seen to fail with small pictures made larger.
#[tokio::test]
async fn an_image_of_every_type_gets_a_thumbnail_that_fits_and_none_is_made_larger() {
    let app = working().await;
    for (name, format) in
        [("a.jpg", ImageFormat::Jpeg), ("a.png", ImageFormat::Png), ("a.gif", ImageFormat::Gif), ("a.webp", ImageFormat::WebP)]
    {
        let (mime, small) = thumbnail(&app, name, &picture(format, 640, 400)).await;
        assert_eq!((mime.as_str(), small.width(), small.height()), ("image/jpeg", 320, 200), "{name}");
    }
    let (_, small) = thumbnail(&app, "tall.png", &picture(ImageFormat::Png, 2, 2000)).await;
    assert_eq!((small.width(), small.height()), (1, 320));
    let (_, small) = thumbnail(&app, "small.png", &picture(ImageFormat::Png, 20, 10)).await;
    assert_eq!((small.width(), small.height()), (20, 10));
}

/// Seen to fail with everything written as a JPEG.
#[tokio::test]
async fn what_can_be_seen_through_stays_so() {
    let app = working().await;
    let clear = DynamicImage::from(RgbaImage::from_fn(400, 400, |x, _| image::Rgba([200, 0, 0, if x < 200 { 0 } else { 255 }])));
    let (mime, small) = thumbnail(&app, "a.png", &written(&clear, ImageFormat::Png)).await;
    let small = small.to_rgba8();
    assert_eq!((mime.as_str(), small.get_pixel(10, 10).0[3], small.get_pixel(310, 10).0[3]), ("image/png", 0, 255));
    let opaque = DynamicImage::from(RgbaImage::from_pixel(400, 400, image::Rgba([200, 0, 0, 255])));
    assert_eq!(thumbnail(&app, "b.png", &written(&opaque, ImageFormat::Png)).await.0, "image/jpeg");
}

/// A JPEG with this orientation in its EXIF metadata (EXIF 2.3, 4.6.2: one entry of a little-endian TIFF).
fn turned(content: &[u8], orientation: u8) -> Vec<u8> {
    let mut exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    exif.extend_from_slice(&[orientation, 0, 0, 0, 0, 0, 0, 0]);
    let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
    [&content[..2], &[0xFF, 0xE1], &length, &exif, &content[2..]].concat()
}

/// Seen to fail with the orientation left alone.
#[tokio::test]
async fn a_photo_is_turned_as_its_camera_said_and_says_nothing_more_of_it() {
    let app = working().await;
    let photo = turned(&picture(ImageFormat::Jpeg, 640, 400), 6);
    let id = app.upload(&app.admin, &[], "a.jpg", &photo).await.expect(201).id();
    assert_eq!(settled(&app, &id).await, "ready");
    let request = app.request(reqwest::Method::GET, &format!("/v1/files/{id}/thumbnail"), &app.admin);
    let content = request.send().await.unwrap().bytes().await.unwrap();
    assert!(!content.windows(4).any(|part| part == b"Exif"));
    let small = image::load_from_memory(&content).unwrap();
    assert_eq!((small.width(), small.height()), (200, 320));
}

#[tokio::test]
async fn an_animation_is_shown_by_its_first_frame() {
    let app = working().await;
    let mut content = Vec::new();
    let mut encoder = GifEncoder::new(&mut content);
    for number in 0..20_u8 {
        let frame = RgbaImage::from_pixel(400, 400, image::Rgba(if number == 0 { [250, 0, 0, 255] } else { [0, 0, 250, 255] }));
        encoder.encode_frame(Frame::new(frame)).unwrap();
    }
    drop(encoder);
    let (_, small) = thumbnail(&app, "a.gif", &content).await;
    let seen = small.to_rgb8().get_pixel(100, 100).0;
    assert!(seen[0] > 200 && seen[2] < 50, "{seen:?}");
}

#[tokio::test]
async fn what_is_no_image_or_cannot_be_read_has_none() {
    let app = working().await;
    let document = app.upload(&app.admin, &[], "a.pdf", &pdf(1000)).await.expect(201);
    assert_eq!(document.body["thumbnail"], "none");
    // the head is that of an image, the rest is missing
    let whole = picture(ImageFormat::Png, 400, 400);
    let broken = app.upload(&app.admin, &[], "a.png", &whole[..whole.len() / 2]).await.expect(201);
    assert_eq!(settled(&app, &broken.id()).await, "none");
    for id in [document.id(), broken.id()] {
        app.get(&format!("/v1/files/{id}/thumbnail"), &app.admin).await.expect_problem(404, "no_thumbnail");
    }
    assert_eq!(app.db.scalar("SELECT state FROM job WHERE kind = 'make_thumbnail'").await.as_deref(), Some("done"));
    assert_eq!(lying_in(&app.folder.path().join("files")).len(), 2);
}

/// Seen to fail with an ETag of the file that its version alone makes.
#[tokio::test]
async fn a_thumbnail_is_sent_as_content_is_and_is_no_change_of_the_file() {
    let app = working().await;
    let made = app.upload(&app.admin, &[], "Φωτογραφία.gif", &picture(ImageFormat::Gif, 640, 400)).await.expect(201);
    let path = format!("/v1/files/{}", made.id());
    assert_eq!(settled(&app, &made.id()).await, "ready");
    let ask = async |etag: &str| {
        let request = app.request(reqwest::Method::GET, &format!("{path}/thumbnail"), &app.admin);
        request.header("if-none-match", etag).send().await.unwrap()
    };
    let whole = ask("\"other\"").await;
    for (name, value) in [
        ("content-type", "image/jpeg"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "sandbox; default-src 'none'; frame-ancestors 'none'"),
        ("cache-control", "private, no-cache"),
    ] {
        assert_eq!(whole.headers()[name], value, "{name}");
    }
    let etag = whole.headers()["etag"].to_str().unwrap().to_owned();
    assert_eq!(etag, format!("\"{}\"", store::digest(&whole.bytes().await.unwrap())));
    assert_eq!(ask(&etag).await.status(), 304);
    // whoever has the file from before the thumbnail sees that there is more, and may change it
    let seen = app.send(app.request(reqwest::Method::GET, &path, &app.admin).header("if-none-match", made.etag())).await;
    assert_eq!(seen.expect(200).body["thumbnail"], "ready");
    app.patch_if(&path, &app.admin, &made.etag(), &json!({ "subject": "x" })).await.expect(200);
    assert_eq!(app.actions_of(&made.id()).await.len(), 2);
}

#[tokio::test]
async fn a_thumbnail_is_for_those_who_may_see_the_file() {
    let app = working().await;
    let client = app.client(&app.admin, "Παπάς").await;
    let on = [("rel_type", "client"), ("rel_id", client.as_str())];
    let id = app.upload(&app.admin, &on, "a.png", &picture(ImageFormat::Png, 640, 400)).await.expect(201).id();
    assert_eq!(settled(&app, &id).await, "ready");
    let agent = app.member(&app.admin, "sales_agent", "agent@example.com").await;
    for part in ["content", "thumbnail"] {
        app.get(&format!("/v1/files/{id}/{part}"), &agent).await.expect_problem(404, "not_found");
    }
}

#[tokio::test]
async fn until_it_is_made_the_answer_says_so() {
    let app = TestApp::spawn().await;
    let id = app.upload(&app.admin, &[], "a.png", &picture(ImageFormat::Png, 640, 400)).await.expect(201).id();
    app.get(&format!("/v1/files/{id}/thumbnail"), &app.admin).await.expect_problem(404, "thumbnail_pending");
}

/// Seen to fail with `FollowThumbnails` left out of those who follow jobs.
#[tokio::test]
async fn where_the_job_is_called_off_the_answer_says_that_there_is_none() {
    let app = TestApp::spawn().await;
    let id = app.upload(&app.admin, &[], "a.png", &picture(ImageFormat::Png, 640, 400)).await.expect(201).id();
    let jobs = app.get("/v1/admin/jobs?kind=make_thumbnail", &app.admin).await.expect(200);
    let job = jobs.body["data"][0]["id"].as_str().unwrap().to_owned();
    app.act(&format!("/v1/admin/jobs/{job}/cancel"), &app.admin).await.expect(200);
    app.get(&format!("/v1/files/{id}/thumbnail"), &app.admin).await.expect_problem(404, "no_thumbnail");
    assert_eq!(app.db.scalar("SELECT thumbnail FROM file").await.as_deref(), Some("none"));
}

/// Seen to fail with the thumbnail's object left out of a purge. A day later the clean-up would find it, so the clock stands until then.
#[tokio::test]
async fn a_purge_takes_the_thumbnail_along_and_the_clean_up_leaves_that_of_others() {
    let app = working().await;
    let root = app.folder.path().join("files");
    let made = async || {
        let id = app.upload(&app.admin, &[], "a.png", &picture(ImageFormat::Png, 640, 400)).await.expect(201).id();
        assert_eq!(settled(&app, &id).await, "ready");
        assert_eq!(lying_in(&root).len(), 2);
        id
    };
    let id = made().await;
    app.delete(&format!("/v1/files/{id}"), &app.admin).await.expect(204);
    app.act(&format!("/v1/files/{id}/purge"), &app.admin).await.expect(204);
    let began = Instant::now();
    while !lying_in(&root).is_empty() {
        assert!(began.elapsed() < Duration::from_secs(10), "an object stays");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    made().await;
    app.clock.advance(chrono::Duration::days(2));
    files::cleanup::clean_up(&app.files(app.store().await)).await.unwrap();
    assert_eq!(lying_in(&root).len(), 2);
}

#[tokio::test]
async fn a_job_that_was_cut_off_before_it_noted_anything_leaves_one_thumbnail() {
    let app = working().await;
    let id = app.upload(&app.admin, &[], "a.png", &picture(ImageFormat::Png, 640, 400)).await.expect(201).id();
    assert_eq!(settled(&app, &id).await, "ready");
    // as it was when the object was there and the note was not
    let unnoted = "UPDATE file SET thumbnail = 'pending', thumbnail_key = NULL, thumbnail_bytes = NULL, thumbnail_sha256 = NULL";
    app.db.execute(unnoted).await.unwrap();
    let anew =
        "UPDATE job SET state = 'waiting', is_due = TRUE, worker_id = NULL, finished_at = NULL WHERE kind = 'make_thumbnail'";
    app.db.execute(anew).await.unwrap();
    assert_eq!(settled(&app, &id).await, "ready");
    assert_eq!(lying_in(&app.folder.path().join("files")).len(), 2);
}
