//! Brands: the faces of a workspace, one of which is the default, and their logos.

use futures::future::join_all;
use harness::{Answer, Session, TestApp};
use image::ImageFormat;
use serde_json::{Value, json};

use crate::files::samples::{pdf, picture};

async fn brand(app: &TestApp, by: &Session, name: &str) -> String {
    app.post("/v1/brands", by, &json!({ "name": name })).await.expect(201).id()
}

async fn logo(app: &TestApp, by: &Session, brand: &str, name: &str, content: &[u8]) -> Answer {
    app.upload(by, &[("rel_type", "brand"), ("rel_id", brand)], name, content).await
}

/// The names of the defaults, archived ones too.
async fn defaults(app: &TestApp) -> Vec<String> {
    app.db.rows("SELECT name FROM brand WHERE is_default ORDER BY name").await
}

#[tokio::test]
async fn a_brand_is_made_read_by_every_member_changed_put_away_and_purged_by_whoever_manages_brands() {
    let app = TestApp::spawn().await;
    app.role(&app.admin, "nothing", &[]).await;
    let anybody = app.member(&app.admin, "nothing", "anybody@example.com").await;
    let body = json!({
        "name": " Αιγαίο ", "accent_color": "#1b4f8f", "secondary_color": "#D4AF37", "tagline": "Ο κόσμος της θάλασσας",
        "reply_to_email": "hello@aegean.example", "legal_name": "Αιγαίο ΑΕ", "tax_number": "094012345",
    });
    let made = app.post("/v1/brands", &app.admin, &body).await.expect(201);
    let path = format!("/v1/brands/{}", made.id());
    assert_eq!(made.header("location"), Some(path.as_str()));
    for (name, value) in body.as_object().unwrap() {
        assert_eq!(made.body[name], value.as_str().unwrap().trim(), "{name}");
    }
    assert_eq!((&made.body["is_default"], &made.body["logo_dark_file_id"]), (&json!(true), &json!(null)));

    let seen = app.get(&path, &anybody).await.expect(200);
    assert_eq!((&seen.body, seen.etag()), (&made.body, made.etag()));
    let list = app.get("/v1/brands?name[like]=αιγαιο", &anybody).await.expect(200);
    assert_eq!(list.body["data"], json!([made.body]));
    app.post("/v1/brands", &anybody, &json!({ "name": "Mine" })).await.expect_problem(403, "forbidden");
    app.patch(&path, &anybody, &json!({ "tagline": "mine" })).await.expect_problem(403, "forbidden");
    app.delete(&path, &anybody).await.expect_problem(403, "forbidden");

    // all that is wrong is told, and changes nothing
    let wrong = json!({
        "name": "", "accent_color": "blue", "secondary_color": "#12345", "tagline": "", "reply_to_email": "nobody",
        "legal_name": "x".repeat(201), "tax_number": "1".repeat(51), "is_default": null, "numbering": 1,
    });
    let expected = [
        "/accent_color",
        "/is_default",
        "/legal_name",
        "/name",
        "/numbering",
        "/reply_to_email",
        "/secondary_color",
        "/tagline",
        "/tax_number",
    ];
    for refused in [app.post("/v1/brands", &app.admin, &wrong).await, app.patch(&path, &app.admin, &wrong).await] {
        let mut pointers = refused.expect_problem(422, "validation_failed").pointers();
        pointers.dedup();
        assert_eq!(pointers, expected);
    }
    let taken = app.post("/v1/brands", &app.admin, &json!({ "name": "ΑΙΓΑΙΟ" })).await;
    assert_eq!(taken.expect_problem(409, "brand_name_taken").pointers(), ["/name"]);
    assert_eq!(app.count("brand").await, 1);

    let patch = json!({ "name": "Ιόνιο", "tagline": null, "legal_name": "Ιόνιο ΑΕ" });
    let changed = app.patch_if(&path, &app.admin, &made.etag(), &patch).await.expect(200);
    assert_eq!((&changed.body["tagline"], &changed.body["tax_number"]), (&json!(null), &json!("094012345")));
    app.patch_if(&path, &app.admin, &made.etag(), &patch).await.expect_problem(412, "stale");
    assert_eq!(app.patch(&path, &app.admin, &patch).await.expect(200).etag(), changed.etag());

    app.act(&format!("{path}/purge"), &app.admin).await.expect_problem(409, "brand_not_archived");
    app.delete(&path, &app.admin).await.expect(204);
    app.delete(&path, &app.admin).await.expect(204);
    app.patch(&path, &app.admin, &json!({ "name": "x" })).await.expect_problem(409, "brand_archived");
    assert_eq!(app.get("/v1/brands", &anybody).await.expect(200).body["data"], json!([]));
    assert!(app.get(&path, &anybody).await.expect(200).body["archived_at"].is_string());
    let restored = app.act(&format!("{path}/restore"), &app.admin).await.expect(200);
    assert_eq!((&restored.body["archived_at"], &restored.body["is_default"]), (&json!(null), &json!(true)));
    app.delete(&path, &app.admin).await.expect(204);
    app.act(&format!("{path}/purge"), &app.admin).await.expect(204);
    app.get(&path, &app.admin).await.expect_problem(404, "not_found");
    let actions = ["create", "update", "archive", "restore", "archive", "delete"];
    assert_eq!(app.actions_of(&made.id()).await, actions);
    // nor is it anybody's in another workspace
    let other = app.second_workspace("other").await;
    let main = app.admin.in_workspace("main");
    let theirs = format!("/v1/brands/{}", brand(&app, &other, "Theirs").await);
    app.get(&theirs, &main).await.expect_problem(404, "not_found");
    app.patch(&theirs, &main, &json!({ "name": "x" })).await.expect_problem(404, "not_found");
    app.delete(&theirs, &main).await.expect_problem(404, "not_found");
}

/// Seen to fail with the first brand not made the default, and with the old default left as it was.
#[tokio::test]
async fn of_the_brands_in_use_exactly_one_is_the_default_and_it_goes_last() {
    let app = TestApp::spawn().await;
    let said = json!({ "name": "first", "is_default": false });
    let first = app.post("/v1/brands", &app.admin, &said).await.expect(201);
    assert_eq!(first.body["is_default"], true, "the first is it, whatever is said");
    let first = first.id();
    let second = brand(&app, &app.admin, "second").await;
    assert_eq!(defaults(&app).await, ["first"]);
    let of = |id: &str| format!("/v1/brands/{id}");
    app.patch(&of(&second), &app.admin, &json!({ "is_default": true })).await.expect(200);
    assert_eq!(defaults(&app).await, ["second"]);
    assert_eq!(app.actions_of(&first).await, ["create", "update"], "that it is it no more is a change of the first");
    let third = json!({ "name": "third", "is_default": true });
    let third = app.post("/v1/brands", &app.admin, &third).await.expect(201).id();
    assert_eq!(defaults(&app).await, ["third"]);
    let list = app.get("/v1/brands?is_default=true", &app.admin).await.expect(200);
    assert_eq!(list.body["data"][0]["id"], third.as_str());

    app.patch(&of(&third), &app.admin, &json!({ "is_default": false })).await.expect_problem(409, "brand_is_default");
    app.patch(&of(&second), &app.admin, &json!({ "is_default": false })).await.expect(200);
    app.delete(&of(&third), &app.admin).await.expect_problem(409, "brand_is_default");
    app.delete(&of(&first), &app.admin).await.expect(204);
    app.delete(&of(&second), &app.admin).await.expect(204);
    app.delete(&of(&third), &app.admin).await.expect(204);
    assert_eq!(defaults(&app).await, [""; 0]);
    app.act(&format!("{}/restore", of(&second)), &app.admin).await.expect(200);
    app.act(&format!("{}/restore", of(&third)), &app.admin).await.expect(200);
    assert_eq!(defaults(&app).await, ["second"]);
    // a name that was given anew meanwhile
    brand(&app, &app.admin, "FIRST").await;
    app.act(&format!("{}/restore", of(&first)), &app.admin).await.expect_problem(409, "brand_name_taken");
    // another workspace has its own
    let other = app.second_workspace("other").await;
    brand(&app, &other, "Theirs").await;
    assert_eq!(defaults(&app).await, ["Theirs", "second"]);
}

/// Seen to fail on PostgreSQL without the lock of the workspace: the index refuses those who move it at once.
#[tokio::test]
async fn whoever_makes_moves_and_puts_away_at_once_leaves_exactly_one_default() {
    let app = TestApp::spawn().await;
    let made = join_all((0..8).map(async |number| brand(&app, &app.admin, &format!("brand {number}")).await)).await;
    assert_eq!(defaults(&app).await.len(), 1);
    for _ in 0..3 {
        let moved = made
            .iter()
            .map(async |id| app.patch(&format!("/v1/brands/{id}"), &app.admin, &json!({ "is_default": true })).await.status);
        assert_eq!(join_all(moved).await, [200; 8]);
        assert_eq!(defaults(&app).await.len(), 1);
    }
    // all are put away at once: the default may come too early, and is then refused
    let gone = join_all(made.iter().map(async |id| app.delete(&format!("/v1/brands/{id}"), &app.admin).await.status)).await;
    assert!(gone.iter().all(|status| [204, 409].contains(status)), "{gone:?}");
    let left = app.count("brand WHERE archived_at IS NULL").await;
    assert_eq!(left, i64::try_from(defaults(&app).await.len()).unwrap());
    assert!(left <= 1, "{left}");
    let back = join_all(made.iter().map(async |id| app.act(&format!("/v1/brands/{id}/restore"), &app.admin).await.status)).await;
    assert_eq!((back, defaults(&app).await.len()), (vec![200; 8], 1));
}

/// Seen to fail with any kind of file taken on a brand, and with a logo that lies elsewhere.
#[tokio::test]
async fn a_logo_is_a_picture_on_its_own_brand_and_stays_while_it_is_one() {
    let app = TestApp::spawn().await;
    app.role(&app.admin, "painter", &["admin.manage_brands"]).await;
    let painter = app.member(&app.admin, "painter", "painter@example.com").await;
    let (ours, theirs) = (brand(&app, &app.admin, "ours").await, brand(&app, &app.admin, "theirs").await);
    let path = format!("/v1/brands/{ours}");
    logo(&app, &painter, &ours, "logo.pdf", &pdf(300)).await.expect_problem(422, "file_type_not_allowed");
    logo(&app, &painter, &ours, "logo.txt", b"a logo").await.expect_problem(422, "file_type_not_allowed");
    let mut logos = Vec::new();
    for (name, format) in
        [("a.png", ImageFormat::Png), ("b.jpg", ImageFormat::Jpeg), ("c.webp", ImageFormat::WebP), ("d.gif", ImageFormat::Gif)]
    {
        logos.push(logo(&app, &painter, &ours, name, &picture(format, 8, 8)).await.expect(201).id());
    }
    let elsewhere = logo(&app, &painter, &theirs, "e.png", &picture(ImageFormat::Png, 9, 9)).await.expect(201).id();
    let nowhere = app.upload(&app.admin, &[], "f.png", &picture(ImageFormat::Png, 7, 7)).await.expect(201).id();
    let wrong = json!({ "logo_light_file_id": elsewhere, "logo_dark_file_id": nowhere, "logo_circular_file_id": app.workspace });
    let refused = app.patch(&path, &painter, &wrong).await.expect_problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/logo_circular_file_id", "/logo_dark_file_id", "/logo_light_file_id"]);
    let right = json!({ "logo_light_file_id": logos[0], "logo_dark_file_id": logos[1], "logo_circular_file_id": logos[2] });
    let changed = app.patch(&path, &painter, &right).await.expect(200);
    for name in ["logo_light_file_id", "logo_dark_file_id", "logo_circular_file_id"] {
        assert_eq!(changed.body[name], right[name], "{name}");
    }
    // what whoever is in the workspace sees of it, and who changes it
    let viewer = app.member(&app.admin, "viewer", "viewer@example.com").await;
    let content = app.get(&format!("/v1/files/{}/content", logos[0]), &viewer).await.expect(200);
    assert_eq!(content.header("content-type"), Some("image/png"));
    app.delete(&format!("/v1/files/{}", logos[0]), &viewer).await.expect_problem(403, "forbidden");
    logo(&app, &viewer, &ours, "g.png", &picture(ImageFormat::Png, 5, 5)).await.expect_problem(403, "forbidden");

    // one that is shown cannot be purged, and one that was put away is not chosen anew
    let purged = |id: &str| format!("/v1/files/{id}/purge");
    for id in [&logos[0], &logos[3]] {
        app.delete(&format!("/v1/files/{id}"), &painter).await.expect(204);
    }
    app.act(&purged(&logos[0]), &app.admin).await.expect_problem(409, "in_use");
    let refused = app.patch(&path, &painter, &json!({ "logo_dark_file_id": logos[3] })).await;
    assert_eq!(refused.expect_problem(422, "validation_failed").pointers(), ["/logo_dark_file_id"]);
    // what stays as it is is not looked at
    app.patch(&path, &painter, &json!({ "logo_light_file_id": logos[0], "tagline": "x" })).await.expect(200);
    app.patch(&path, &painter, &json!({ "logo_light_file_id": Value::Null })).await.expect(200);
    app.act(&purged(&logos[0]), &app.admin).await.expect(204);

    // the pictures go with their brand, also those that it shows
    app.patch(&format!("/v1/brands/{theirs}"), &painter, &json!({ "is_default": true })).await.expect(200);
    app.delete(&path, &painter).await.expect(204);
    logo(&app, &painter, &ours, "h.png", &picture(ImageFormat::Png, 5, 5)).await.expect_problem(409, "brand_archived");
    app.act(&format!("{path}/purge"), &painter).await.expect(204);
    assert_eq!(app.count("file WHERE rel_type = 'brand'").await, 1);
    app.get(&format!("/v1/files/{elsewhere}"), &viewer).await.expect(200);
}
