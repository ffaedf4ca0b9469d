//! Files on records: who sees them, how they are found, changed and removed.

use std::time::Duration;

use harness::{Answer, TestApp};
use serde_json::json;

use super::samples::pdf;
use super::upload::lying_in;

fn names(answer: &Answer) -> Vec<String> {
    answer.body["data"].as_array().unwrap().iter().map(|row| row["filename"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn files_are_listed_filtered_sorted_and_searched() {
    let app = TestApp::spawn().await;
    let client = app.client(&app.admin, "Παπάς").await;
    let on = [("rel_type", "client"), ("rel_id", client.as_str())];
    app.upload(&app.admin, &[on[0], on[1], ("category", "contract"), ("subject", "Σύμβαση")], "b.pdf", &pdf(300))
        .await
        .expect(201);
    app.upload(&app.admin, &[on[0], on[1], ("description", "η προσφορά μας")], "Άλφα.txt", b"a").await.expect(201);
    app.upload(&app.admin, &[("visible_to_client", "true")], "c.pdf", &pdf(200)).await.expect(201);
    let list = async |query: &str| names(&app.get(&format!("/v1/files?{query}"), &app.admin).await.expect(200));
    for (query, expected) in [
        (format!("rel_type=client&rel_id={client}&sort=filename"), vec!["b.pdf", "Άλφα.txt"]),
        ("category=contract".to_owned(), vec!["b.pdf"]),
        ("mime_type=application/pdf&sort=-filesize_bytes".to_owned(), vec!["b.pdf", "c.pdf"]),
        ("visible_to_client=true".to_owned(), vec!["c.pdf"]),
        ("q=συμβαση".to_owned(), vec!["b.pdf"]),
        ("q=προσφορα".to_owned(), vec!["Άλφα.txt"]),
        ("q=αλφα".to_owned(), vec!["Άλφα.txt"]),
        ("filename[like]=αλφ".to_owned(), vec!["Άλφα.txt"]),
        ("filesize_bytes[gte]=200&sort=created_at".to_owned(), vec!["b.pdf", "c.pdf"]),
        (format!("uploaded_by={}&sort=-created_at&limit=1", app.admin.user_id), vec!["c.pdf"]),
        (format!("sha256={}", store::digest(b"a")), vec!["Άλφα.txt"]),
    ] {
        assert_eq!(list(&query).await, expected, "{query}");
    }
    let of_client = app.get(&format!("/v1/clients/{client}/files?sort=filename"), &app.admin).await.expect(200);
    assert_eq!(names(&of_client), ["b.pdf", "Άλφα.txt"]);
    let summary = app.get(&format!("/v1/clients/{client}/summary"), &app.admin).await.expect(200);
    assert_eq!(summary.body["counts"]["files"], 2);
}

#[tokio::test]
async fn what_is_said_of_a_file_changes_and_its_content_does_not() {
    let app = TestApp::spawn().await;
    let made = app.upload(&app.admin, &[("subject", "x")], "a.pdf", &pdf(100)).await.expect(201);
    let path = format!("/v1/files/{}", made.id());
    let patch = json!({ "filename": "Σύμβαση.pdf", "subject": null, "category": "contract", "visible_to_client": true });
    let changed = app.patch_if(&path, &app.admin, &made.etag(), &patch).await.expect(200);
    assert_eq!(
        (&changed.body["filename"], &changed.body["subject"], &changed.body["sha256"]),
        (&json!("Σύμβαση.pdf"), &json!(null), &made.body["sha256"])
    );
    app.patch_if(&path, &app.admin, &made.etag(), &json!({ "subject": "y" })).await.expect_problem(412, "stale");
    for name in ["a.exe", "/", "\u{202E}"] {
        let refused = app.patch(&path, &app.admin, &json!({ "filename": name })).await.expect_problem(422, "validation_failed");
        assert_eq!(refused.pointers(), ["/filename"], "{name}");
    }
    let refused = app.patch(&path, &app.admin, &json!({ "sha256": "x", "rel_id": null })).await.expect(422);
    assert_eq!(refused.pointers(), ["/rel_id", "/sha256"]);
    assert_eq!(app.actions_of(&made.id()).await, ["create", "update"]);
}

async fn until_there_are(app: &TestApp, objects: usize) {
    for _ in 0..200 {
        if lying_in(&app.folder.path().join("files")).len() == objects && app.count("file_removal").await == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{:?}", lying_in(&app.folder.path().join("files")));
}

#[tokio::test]
async fn a_file_is_archived_restored_and_purged_with_its_content() {
    let app = TestApp::spawn().await;
    let id = app.upload(&app.admin, &[("subject", "Παπάς")], "a.pdf", &pdf(100)).await.expect(201).id();
    let path = format!("/v1/files/{id}");
    app.act(&format!("{path}/purge"), &app.admin).await.expect_problem(409, "file_not_archived");
    app.delete(&path, &app.admin).await.expect(204);
    app.delete(&path, &app.admin).await.expect(204);
    assert!(names(&app.get("/v1/files", &app.admin).await.expect(200)).is_empty());
    assert_eq!(names(&app.get("/v1/files?archived=only", &app.admin).await.expect(200)), ["a.pdf"]);
    app.patch(&path, &app.admin, &json!({ "subject": "y" })).await.expect_problem(409, "file_archived");
    app.act(&format!("{path}/restore"), &app.admin).await.expect(200);
    app.delete(&path, &app.admin).await.expect(204);
    app.act(&format!("{path}/purge"), &app.admin).await.expect(204);
    app.get(&path, &app.admin).await.expect_problem(404, "not_found");
    until_there_are(&app, 0).await;
    assert_eq!(app.actions_of(&id).await, ["create", "archive", "restore", "archive", "delete"]);
    let personal = format!("journal_personal WHERE record_id = {} AND changes IS NOT NULL", app.db.uuid(&id));
    assert_eq!(app.count(&personal).await, 0, "what was personal is erased");
}

#[tokio::test]
async fn a_record_takes_its_files_and_folders_with_it_when_it_is_purged() {
    let app = TestApp::spawn().await;
    let kept = app.client(&app.admin, "kept").await;
    for (rel_type, rel_id) in [("client", app.client(&app.admin, "a").await), ("contact", app.contact(&app.admin, "a").await)] {
        let top = json!({ "name": "top", "rel_type": rel_type, "rel_id": rel_id });
        let top = app.post("/v1/folders", &app.admin, &top).await.expect(201).id();
        let inner = app.post("/v1/folders", &app.admin, &json!({ "name": "in", "parent_id": top })).await.expect(201).id();
        app.upload(&app.admin, &[("folder_id", &inner)], "a.pdf", &pdf(100)).await.expect(201);
        let path = format!("/v1/{rel_type}s/{rel_id}");
        assert_eq!(names(&app.get(&format!("{path}/files"), &app.admin).await.expect(200)), ["a.pdf"]);
        app.upload(&app.admin, &[("rel_type", "client"), ("rel_id", &kept)], "kept.pdf", &pdf(100)).await.expect(201);
        app.delete(&path, &app.admin).await.expect(204);
        app.upload(&app.admin, &[("folder_id", &inner)], "b.pdf", &pdf(100)).await.expect_problem(409, "archived");
        app.act(&format!("{path}/purge"), &app.admin).await.expect(204);
    }
    assert_eq!((app.count("folder").await, app.count("file").await), (0, 2));
    until_there_are(&app, 2).await;
}

#[tokio::test]
async fn who_sees_the_record_sees_its_files_and_who_edits_it_changes_them() {
    let app = TestApp::spawn().await;
    let agent = app.member(&app.admin, "sales_agent", "agent@example.com").await;
    let viewer = app.member(&app.admin, "support_agent", "viewer@example.com").await;
    let own = app.client(&agent, "own").await;
    let foreign = app.client(&app.admin, "foreign").await;
    let on = |id| [("rel_type", "client"), ("rel_id", id)];
    let mine = app.upload(&agent, &on(own.as_str()), "own.pdf", &pdf(100)).await.expect(201).id();
    let theirs = app.upload(&app.admin, &on(foreign.as_str()), "foreign.pdf", &pdf(100)).await.expect(201).id();
    let alone = app.upload(&app.admin, &[], "alone.pdf", &pdf(100)).await.expect(201).id();

    let refused = app.upload(&agent, &on(foreign.as_str()), "a.pdf", &pdf(100)).await.expect_problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/rel_id"]);
    app.upload(&agent, &[], "a.pdf", &pdf(100)).await.expect_problem(403, "forbidden");
    assert_eq!(names(&app.get("/v1/files", &agent).await.expect(200)), ["own.pdf"]);
    for id in [&theirs, &alone] {
        for path in [format!("/v1/files/{id}"), format!("/v1/files/{id}/content")] {
            app.get(&path, &agent).await.expect_problem(404, "not_found");
        }
        app.post(&format!("/v1/files/{id}/links"), &agent, &json!({})).await.expect_problem(404, "not_found");
        app.delete(&format!("/v1/files/{id}"), &agent).await.expect_problem(404, "not_found");
    }
    assert_eq!(app.get(&format!("/v1/files/{mine}/content"), &viewer).await.status, 200);
    app.patch(&format!("/v1/files/{mine}"), &viewer, &json!({ "subject": "x" })).await.expect_problem(403, "forbidden");
    app.patch(&format!("/v1/files/{mine}"), &agent, &json!({ "subject": "x" })).await.expect(200);
    assert_eq!(lying_in(&app.folder.path().join("files")).len(), 3, "what was refused left nothing");
}
