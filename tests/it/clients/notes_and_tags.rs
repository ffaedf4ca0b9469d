//! Notes and tags on clients, and what the trail says of them.

use harness::TestApp;
use serde_json::{Value, json};

#[tokio::test]
async fn a_note_is_written_read_changed_put_away_and_brought_back() {
    let app = TestApp::spawn().await;
    let (id, other) = (app.client(&app.admin, "a").await, app.client(&app.admin, "b").await);
    let notes = format!("/v1/clients/{id}/notes");
    let made = app.post(&notes, &app.admin, &json!({ "body": "Πρώτη" })).await.expect(201);
    assert_eq!(
        (&made.body["author_id"], &made.body["is_private"], &made.body["rel_id"]),
        (&json!(app.admin.user_id), &json!(true), &json!(id))
    );
    let path = format!("{notes}/{}", made.id());
    assert_eq!(app.get(&path, &app.admin).await.expect(200).body, made.body);
    let changed =
        app.patch_if(&path, &app.admin, &made.etag(), &json!({ "body": "Δεύτερη", "is_private": false })).await.expect(200);
    app.patch_if(&path, &app.admin, &made.etag(), &json!({ "body": "x" })).await.expect_problem(412, "stale");
    assert_eq!((&changed.body["body"], &changed.body["is_private"]), (&json!("Δεύτερη"), &json!(false)));
    app.post(&notes, &app.admin, &json!({ "body": "  " })).await.expect_problem(422, "validation_failed");
    // it is a note of this client alone
    app.get(&format!("/v1/clients/{other}/notes/{}", made.id()), &app.admin).await.expect_problem(404, "not_found");
    app.delete(&path, &app.admin).await.expect(204);
    let total = async |query: &str| {
        app.get(&format!("{notes}?count=exact{query}"), &app.admin).await.expect(200).body["page"]["total"].clone()
    };
    assert_eq!((total("").await, total("&archived=only").await), (json!(0), json!(1)));
    app.act(&format!("{path}/restore"), &app.admin).await.expect(200);
    assert_eq!(total("").await, 1);
    assert_eq!(app.actions_of(&made.id()).await, ["create", "update", "archive", "restore"]);
}

#[tokio::test]
async fn the_trail_of_a_client_holds_its_own_changes_and_those_of_what_hangs_on_it_field_by_field() {
    let app = TestApp::spawn().await;
    let id = app.client(&app.admin, "a").await;
    let path = format!("/v1/clients/{id}");
    let contact = app.contact(&app.admin, "x").await;
    let tag = app.post("/v1/tags", &app.admin, &json!({ "name": "vip" })).await.expect(201).id();
    app.patch(&path, &app.admin, &json!({ "phone": "210", "sector": "it" })).await.expect(200);
    let note = app.post(&format!("{path}/notes"), &app.admin, &json!({ "body": "one" })).await.expect(201).id();
    app.patch(&format!("{path}/notes/{note}"), &app.admin, &json!({ "body": "two" })).await.expect(200);
    app.post(&format!("{path}/contacts"), &app.admin, &json!({ "contact_id": contact, "role": "CEO" })).await.expect(201);
    for _ in 0..2 {
        let tagged = app.post(&format!("{path}/tags"), &app.admin, &json!({ "tag_id": tag })).await;
        assert!(matches!(tagged.status, 200 | 201), "{}", tagged.text);
    }
    app.delete(&format!("{path}/tags/{tag}"), &app.admin).await.expect(204);
    app.delete(&format!("{path}/tags/{tag}"), &app.admin).await.expect_problem(404, "not_found");
    app.delete(&path, &app.admin).await.expect(204);
    let trail = app.get(&format!("{path}/audit?sort=at"), &app.admin).await.expect(200).body;
    let trail: &Vec<Value> = trail["data"].as_array().unwrap();
    let events: Vec<&str> = trail.iter().map(|entry| entry["event"].as_str().unwrap()).collect();
    assert_eq!(
        events,
        [
            "client.created",
            "client.updated",
            "client.note_added",
            "note.updated",
            "client.contact_added",
            "client.tagged",
            "client.untagged",
            "client.archived",
        ]
    );
    assert_eq!(trail[1]["changes"], json!({ "phone": { "from": null, "to": "210" }, "sector": { "from": null, "to": "it" } }));
    assert_eq!(trail[2]["changes"]["body"], json!({ "to": "one" }));
    assert_eq!(trail[3]["changes"], json!({ "body": { "from": "one", "to": "two" } }));
    assert_eq!(
        (&trail[4]["changes"]["contact_id"], &trail[4]["changes"]["role"]),
        (&json!({ "to": contact }), &json!({ "to": "CEO" }))
    );
    assert_eq!(trail[5]["changes"]["tag"], json!({ "to": "vip" }));
    for entry in &trail[2..7] {
        assert_eq!((&entry["subject_type"], &entry["subject_id"]), (&json!("client"), &json!(id)), "{entry}");
    }
    let one = app.get(&format!("{path}/audit?event=client.note_added&count=exact"), &app.admin).await.expect(200).body;
    assert_eq!(one["page"]["total"], 1);
}

#[tokio::test]
async fn a_tags_name_is_unique_in_its_workspace_without_regard_to_case_and_accents() {
    let app = TestApp::spawn().await;
    let other = app.second_workspace("other").await;
    app.post("/v1/tags", &app.admin, &json!({ "name": "Πελάτης", "colour": "#00ff7F" })).await.expect(201);
    let second = app.post("/v1/tags", &app.admin, &json!({ "name": "Άλλη" })).await.expect(201);
    for name in ["πελατησ", "ΠΕΛΆΤΗΣ", " Πελατης "] {
        let taken = app.post("/v1/tags", &app.admin, &json!({ "name": name })).await.expect_problem(409, "tag_name_taken");
        assert_eq!(taken.pointers(), ["/name"], "{name}");
        app.patch(&format!("/v1/tags/{}", second.id()), &app.admin, &json!({ "name": name }))
            .await
            .expect_problem(409, "tag_name_taken");
    }
    app.post("/v1/tags", &other, &json!({ "name": "Πελάτης" })).await.expect(201);
    let renamed = app
        .patch(&format!("/v1/tags/{}", second.id()), &app.admin, &json!({ "name": "ΑΛΛΗ", "colour": "#000000" }))
        .await
        .expect(200);
    assert_eq!((&renamed.body["name"], &renamed.body["colour"]), (&json!("ΑΛΛΗ"), &json!("#000000")));
    let cleared = app.patch(&format!("/v1/tags/{}", second.id()), &app.admin, &json!({ "colour": null })).await.expect(200);
    assert!(cleared.body["colour"].is_null());
    for body in [json!({ "name": "" }), json!({ "name": "x".repeat(61) }), json!({ "name": "y", "colour": "red" })] {
        app.post("/v1/tags", &app.admin, &body).await.expect_problem(422, "validation_failed");
    }
    let list = app.get("/v1/tags", &app.admin).await.expect(200).body;
    assert_eq!((list["data"].as_array().unwrap().len(), &list["data"][0]["name"]), (2, &json!("ΑΛΛΗ")));
}

#[tokio::test]
async fn a_tag_that_is_deleted_is_gone_from_every_client() {
    let app = TestApp::spawn().await;
    let viewer = app.member(&app.admin, "viewer", "v@example.com").await;
    let (tag, kept) = (
        app.post("/v1/tags", &app.admin, &json!({ "name": "vip" })).await.expect(201).id(),
        app.post("/v1/tags", &app.admin, &json!({ "name": "kept" })).await.expect(201).id(),
    );
    let mut carriers = Vec::new();
    for name in ["a", "b"] {
        let id = app.client(&app.admin, name).await;
        carriers.push(id.clone());
        for tag in [&tag, &kept] {
            app.post(&format!("/v1/clients/{id}/tags"), &app.admin, &json!({ "tag_id": tag })).await;
        }
    }
    app.delete(&format!("/v1/tags/{tag}"), &viewer).await.expect_problem(403, "forbidden");
    app.delete(&format!("/v1/tags/{tag}"), &app.admin).await.expect(204);
    app.get(&format!("/v1/tags/{tag}"), &app.admin).await.expect_problem(404, "not_found");
    let list = app.get("/v1/clients?include=tags", &app.admin).await.expect(200).body;
    for client in list["data"].as_array().unwrap() {
        assert_eq!((client["tags"].as_array().unwrap().len(), &client["tags"][0]["name"]), (1, &json!("kept")));
    }
    let by_tag = app.get(&format!("/v1/clients?tag_id={tag}&count=exact"), &app.admin).await.expect(200).body;
    assert_eq!(by_tag["page"]["total"], 0);
    let id = list["data"][0]["id"].as_str().unwrap();
    let again = app.post(&format!("/v1/clients/{id}/tags"), &app.admin, &json!({ "tag_id": tag })).await;
    assert_eq!(again.expect_problem(422, "validation_failed").pointers(), ["/tag_id"]);
    // which clients carried it, the journal knows
    let trail = app.get(&format!("/v1/audit?record_id={tag}&action=delete&sort=at"), &app.admin).await.expect(200).body;
    let events: Vec<&Value> = trail["data"].as_array().unwrap().iter().map(|entry| &entry["event"]).collect();
    assert_eq!(events, ["tag.records_taken_off", "tag.deleted"]);
    carriers.sort();
    assert_eq!(trail["data"][0]["changes"]["records"]["to"], json!(carriers));
    assert_eq!(trail["data"][1]["changes"]["taken_off"]["to"], 2);
}
