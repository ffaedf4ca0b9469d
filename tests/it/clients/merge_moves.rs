//! What a merge moves beside the records of the client itself, and for whom it can be done.
//!
//! Faults that were put in to see it fail: files, responsible staff and access to the portal that stay behind, a merge by one who sees one of
//! the two, an undo that two do at once.

use std::time::{Duration, Instant};

use futures::future::join_all;
use harness::{Session, TestApp};
use serde_json::{Value, json};

#[tokio::test]
async fn files_responsible_staff_and_access_to_the_portal_move_and_come_back() {
    let app = TestApp::spawn().await;
    let (stays, goes) = (app.client(&app.admin, "Stays").await, app.client(&app.admin, "Goes").await);
    let colleague = app.member(&app.admin, "viewer", "colleague@example.com").await;
    let file = app.upload(&app.admin, &[("rel_type", "client"), ("rel_id", goes.as_str())], "offer.txt", b"offer").await;
    let file = file.expect(201).id();
    let admin = json!({ "user_id": colleague.user_id });
    app.post(&format!("/v1/clients/{goes}/admins"), &app.admin, &admin).await.expect(201);
    let contact = app.contact_in_portal(&app.admin, &goes, "eleni@example.com", &["invoices"]).await;
    let ends = app.sign_in_to_portal("main", "eleni@example.com").await;

    let state = async |client: &str| {
        let files = app.get(&format!("/v1/clients/{client}/files"), &app.admin).await.expect(200).body["data"].clone();
        let files: Vec<&Value> = files.as_array().unwrap().iter().map(|file| &file["id"]).collect();
        let admins = app.get(&format!("/v1/clients/{client}/admins"), &app.admin).await.expect(200).body["data"].clone();
        json!({ "files": files, "admins": admins.as_array().unwrap().iter().map(|admin| admin["user_id"].clone()).collect::<Vec<_>>() })
    };
    let had = state(&goes).await;
    assert_eq!(had, json!({ "files": [file], "admins": [colleague.user_id] }));
    app.post(&format!("/v1/clients/{stays}/merge"), &app.admin, &json!({ "merged_id": goes })).await.expect(200);
    assert_eq!(state(&stays).await, had);
    let content = app.get(&format!("/v1/files/{file}/content"), &app.admin).await;
    assert_eq!(content.status, 200);
    let me = app.get("/v1/portal/me", &app.sign_in_to_portal("main", "eleni@example.com").await).await.expect(200).body;
    assert_eq!(me["clients"][0]["client"]["id"], json!(stays));
    assert_eq!(me["clients"][0]["permissions"], json!(["invoices"]));
    // who is in the portal goes on in that of the other
    in_portal_of(&app, &contact, "Stays").await;
    let since = app.sign_in_to_portal("main", "eleni@example.com").await;
    in_portal_of(&app, &since, "Stays").await;
    // that one of those before ends is nothing that stands on the merge
    app.act("/v1/portal/logout", &ends).await.expect(204);

    app.post(&format!("/v1/clients/{stays}/merge/undo"), &app.admin, &json!({ "merged_id": goes })).await.expect(200);
    assert_eq!(state(&goes).await, had);
    assert_eq!(state(&stays).await, json!({ "files": [], "admins": [] }));
    let me = app.get("/v1/portal/me", &app.sign_in_to_portal("main", "eleni@example.com").await).await.expect(200).body;
    assert_eq!(me["clients"][0]["client"]["id"], json!(goes));
    in_portal_of(&app, &contact, "Goes").await;
    // and whoever came in between
    in_portal_of(&app, &since, "Goes").await;
}

#[tokio::test]
async fn a_merge_is_not_taken_back_where_a_contact_of_one_was_let_into_the_portal_of_both_since() {
    let app = TestApp::spawn().await;
    let (stays, goes) = (app.client(&app.admin, "Stays").await, app.client(&app.admin, "Goes").await);
    let contact = json!({ "given_name": "Eleni", "emails": [{ "kind": "work", "address": "eleni@example.com" }] });
    let contact = app.post("/v1/contacts", &app.admin, &contact).await.expect(201).id();
    app.post(&format!("/v1/clients/{goes}/contacts"), &app.admin, &json!({ "contact_id": contact })).await.expect(201);
    let body = json!({ "merged_id": goes });
    app.post(&format!("/v1/clients/{stays}/merge"), &app.admin, &body).await.expect(200);
    let access = format!("/v1/contacts/{contact}/portal/clients/{stays}");
    app.patch(&access, &app.admin, &json!({ "permissions": ["company_profile"] })).await.expect(200);

    let undo = format!("/v1/clients/{stays}/merge/undo");
    let refused = app.post(&undo, &app.admin, &body).await.expect_problem(409, "merge_built_on");
    let newer: Vec<&Value> = refused.body["newer"].as_array().unwrap().iter().map(|entry| &entry["record_type"]).collect();
    assert_eq!(newer, ["portal_access"]);
    assert_eq!(app.count("portal_access").await, 1);
    app.patch(&access, &app.admin, &json!({ "permissions": [] })).await.expect(200);
    app.post(&undo, &app.admin, &body).await.expect(200);
    assert_eq!(app.count("portal_access").await, 0);
}

/// Seen to fail without looking for tags at all, and with the tags alone that the moved ones are now.
#[tokio::test]
async fn a_merge_is_not_taken_back_where_a_tag_that_came_with_it_became_one_with_another_since() {
    let app = TestApp::spawn().await;
    let tag = async |name: String| app.post("/v1/tags", &app.admin, &json!({ "name": name })).await.expect(201).id();
    let put_on = async |client: &str, tag: &str| {
        app.post(&format!("/v1/clients/{client}/tags"), &app.admin, &json!({ "tag_id": tag })).await.expect(200);
    };
    // what the one that stays and the one that goes carry, which tag becomes part of which, and whether that stands against it
    let cases: [(&str, &str, [usize; 2], bool); 5] = [
        ("0", "1", [0, 1], true),
        ("0", "01", [0, 1], true),
        ("0", "1", [1, 0], true),
        ("", "1", [1, 2], false),
        ("0", "1", [0, 2], false),
    ];
    for (number, (stays_with, goes_with, [from, into], stands)) in cases.into_iter().enumerate() {
        let (stays, goes) = (app.client(&app.admin, "Stays").await, app.client(&app.admin, "Goes").await);
        let tags = [tag(format!("a{number}")).await, tag(format!("b{number}")).await, tag(format!("c{number}")).await];
        for (client, with) in [(&stays, stays_with), (&goes, goes_with)] {
            for place in with.chars() {
                put_on(client, &tags[place.to_digit(10).unwrap() as usize]).await;
            }
        }
        let body = json!({ "merged_id": goes });
        app.post(&format!("/v1/clients/{stays}/merge"), &app.admin, &body).await.expect(200);
        app.post(&format!("/v1/tags/{}/merge", tags[from]), &app.admin, &json!({ "into": tags[into] })).await.expect(200);
        let undone = app.post(&format!("/v1/clients/{stays}/merge/undo"), &app.admin, &body).await;
        if stands {
            let refused = undone.expect_problem(409, "merge_built_on");
            assert_eq!(refused.body["newer"][0]["record_type"], "tag", "{number}: {}", refused.text);
        } else {
            undone.expect(200);
            let carries = app.get(&format!("/v1/clients/{goes}?include=tags"), &app.admin).await.expect(200);
            let now = if from == 1 { into } else { 1 };
            assert_eq!(carries.body["tags"][0]["id"], json!(tags[now]), "{number}");
        }
    }
}

/// Seen to fail with the tags alone that the moved ones are now, and were when they were put on the client.
#[tokio::test]
async fn a_tag_that_became_another_before_it_was_lost_stands_against_taking_a_merge_back_too() {
    let app = TestApp::spawn().await;
    for before in [true, false] {
        let tag = async |name: &str| {
            app.post("/v1/tags", &app.admin, &json!({ "name": format!("{name} {before}") })).await.expect(201).id()
        };
        let (first, then, last) = (tag("first").await, tag("then").await, tag("last").await);
        let (stays, goes) = (app.client(&app.admin, "Stays").await, app.client(&app.admin, "Goes").await);
        for (client, tag) in [(&stays, &last), (&goes, &first)] {
            app.post(&format!("/v1/clients/{client}/tags"), &app.admin, &json!({ "tag_id": tag })).await.expect(200);
        }
        let (merge, body) = (format!("/v1/clients/{stays}/merge"), json!({ "merged_id": goes }));
        let become_one = async |from: &str, into: &str| {
            app.post(&format!("/v1/tags/{from}/merge"), &app.admin, &json!({ "into": into })).await.expect(200);
        };
        if before {
            become_one(&first, &then).await;
            app.post(&merge, &app.admin, &body).await.expect(200);
        } else {
            app.post(&merge, &app.admin, &body).await.expect(200);
            become_one(&first, &then).await;
        }
        become_one(&then, &last).await;
        app.post(&format!("{merge}/undo"), &app.admin, &body).await.expect_problem(409, "merge_built_on");
    }
}

/// That a session of the portal is in that of a client, as soon as what was known of it before is forgotten.
async fn in_portal_of(app: &TestApp, contact: &Session, client: &str) {
    let began = Instant::now();
    loop {
        let profile = app.get("/v1/portal/company-profile", contact).await;
        if profile.body["name"] == client {
            break;
        }
        assert!(began.elapsed() < Duration::from_mins(1), "{}", profile.text);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn whoever_sees_one_of_two_clients_merges_neither_and_one_who_saw_an_older_state_is_told() {
    let app = TestApp::spawn().await;
    app.role(&app.admin, "own", &["clients.view_own", "clients.create", "clients.edit", "clients.merge"]).await;
    let own = app.member(&app.admin, "own", "own@example.com").await;
    let (mine, also_mine) = (app.client(&own, "Mine").await, app.client(&own, "Also mine").await);
    let theirs = app.client(&app.admin, "Theirs").await;
    let merge = |client: &str| format!("/v1/clients/{client}/merge");
    let refused = app.post(&merge(&mine), &own, &json!({ "merged_id": theirs })).await.expect_problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/merged_id"]);
    app.post(&merge(&theirs), &own, &json!({ "merged_id": mine })).await.expect_problem(404, "not_found");
    let preview = format!("{}/preview", merge(&theirs));
    app.post(&preview, &own, &json!({ "merged_id": mine })).await.expect_problem(404, "not_found");

    let before = app.get(&format!("/v1/clients/{mine}"), &own).await.expect(200).etag();
    app.patch(&format!("/v1/clients/{mine}"), &own, &json!({ "sector": "retail" })).await.expect(200);
    let body = json!({ "merged_id": also_mine });
    let stale = app.request(reqwest::Method::POST, &merge(&mine), &own).header("if-match", before).json(&body);
    app.send(stale).await.expect_problem(412, "stale");
    let entries = app.count("client_merge").await;
    assert_eq!(entries, 0);
    app.post(&merge(&mine), &own, &body).await.expect(200);
    assert_eq!(app.get(&format!("/v1/clients/{also_mine}"), &own).await.status, 301);
}

#[tokio::test]
async fn thousands_of_records_move_at_once_and_of_many_who_take_it_back_one_does() {
    let app = TestApp::spawn().await;
    let (stays, goes) = (app.client(&app.admin, "Stays").await, app.client(&app.admin, "Goes").await);
    for _ in 0..3 {
        let note = json!({ "body": "noted" });
        app.post(&format!("/v1/clients/{goes}/notes"), &app.admin, &note).await.expect(201);
    }
    let id = if app.db.engine == harness::Engine::Sqlite { "randomblob(16)" } else { "gen_random_uuid()" };
    let doubled = format!(
        "INSERT INTO note (id, workspace_id, rel_type, rel_id, body, is_private, version, created_at, updated_at) \
         SELECT {id}, workspace_id, rel_type, rel_id, body, is_private, version, created_at, updated_at FROM note"
    );
    for _ in 0..10 {
        app.db.execute(&doubled).await.unwrap();
    }
    let at = async |client: &str| {
        let sql = format!("SELECT CAST(COUNT(*) AS text) FROM note WHERE rel_id = {}", app.db.uuid(client));
        app.db.scalar(&sql).await.unwrap()
    };
    let body = json!({ "merged_id": goes });
    let done = app.post(&format!("/v1/clients/{stays}/merge"), &app.admin, &body).await.expect(200).body;
    let notes = done["moved"].as_array().unwrap().iter().find(|moved| moved["record_type"] == "note").unwrap();
    assert_eq!((&notes["moved"], at(&stays).await.as_str(), at(&goes).await.as_str()), (&json!(3072), "3072", "0"));
    let undo = format!("/v1/clients/{stays}/merge/undo");
    let answers = join_all((0..4).map(|_| app.post(&undo, &app.admin, &body))).await;
    let mut codes: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    codes.sort_unstable();
    assert_eq!(codes, [200, 422, 422, 422]);
    assert_eq!((at(&stays).await.as_str(), at(&goes).await.as_str()), ("0", "3072"));
}

#[tokio::test]
async fn what_stood_above_a_merged_client_can_be_purged_and_stands_above_it_again_when_it_is_taken_back() {
    let app = TestApp::spawn().await;
    let (above, stays) = (app.client(&app.admin, "Above").await, app.client(&app.admin, "Stays").await);
    let body = json!({ "kind": "company", "name": "Goes", "parent_id": above });
    let goes = app.post("/v1/clients", &app.admin, &body).await.expect(201).id();
    let merged = json!({ "merged_id": goes, "fields": { "parent_id": "survivor" } });
    app.post(&format!("/v1/clients/{stays}/merge"), &app.admin, &merged).await.expect(200);
    let undo = format!("/v1/clients/{stays}/merge/undo");
    let back = app.post(&undo, &app.admin, &json!({ "merged_id": goes })).await.expect(200).body;
    assert_eq!(back["parent_id"], json!(above));

    app.post(&format!("/v1/clients/{stays}/merge"), &app.admin, &merged).await.expect(200);
    app.delete(&format!("/v1/clients/{above}"), &app.admin).await.expect(204);
    app.act(&format!("/v1/clients/{above}/purge"), &app.admin).await.expect(204);
    let back = app.post(&undo, &app.admin, &json!({ "merged_id": goes })).await.expect(200).body;
    assert_eq!(back["parent_id"], Value::Null);
}
