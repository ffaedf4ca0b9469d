//! Folders: in each other, on records and in the workspace.

use std::fmt::Write as _;

use futures::future::join_all;
use harness::{Session, TestApp};
use serde_json::{Value, json};

async fn folder(app: &TestApp, body: &Value) -> String {
    app.post("/v1/folders", &app.admin, body).await.expect(201).id()
}

async fn into(app: &TestApp, id: &str, parent: &Value) -> harness::Answer {
    app.patch(&format!("/v1/folders/{id}"), &app.admin, &json!({ "parent_id": parent })).await
}

#[tokio::test]
async fn folders_lie_in_each_other_and_names_are_unique_in_what_they_lie_in() {
    let app = TestApp::spawn().await;
    let client = app.client(&app.admin, "Παπάς").await;
    let top = folder(&app, &json!({ "name": " Συμβάσεις " })).await;
    let inner = folder(&app, &json!({ "name": "2026", "parent_id": top })).await;
    let on_client = folder(&app, &json!({ "name": "Συμβάσεις", "rel_type": "client", "rel_id": client })).await;
    let below = app.post("/v1/folders", &app.admin, &json!({ "name": "2026", "parent_id": on_client })).await.expect(201);
    assert_eq!((&below.body["rel_type"], &below.body["rel_id"]), (&json!("client"), &json!(client)));

    for body in [json!({ "name": "ΣΥΜΒΑΣΕΙΣ" }), json!({ "name": "2026", "parent_id": top })] {
        app.post("/v1/folders", &app.admin, &body).await.expect_problem(409, "folder_name_taken");
    }
    let names = |answer: harness::Answer| -> Vec<String> {
        answer.body["data"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(app.get("/v1/folders?rel_type[is_null]=true", &app.admin).await.expect(200)), ["2026", "Συμβάσεις"]);
    assert_eq!(names(app.get(&format!("/v1/folders?parent_id={top}"), &app.admin).await.expect(200)), ["2026"]);

    for (body, pointers) in [
        (json!({ "name": "x", "parent_id": app.workspace }), vec!["/parent_id"]),
        (json!({ "name": "x", "rel_type": "client" }), vec!["/rel_id"]),
        (json!({ "name": "x", "rel_type": "planet", "rel_id": client, "parent_id": top }), vec!["/parent_id", "/rel_type"]),
        (json!({ "name": "x", "rel_type": "client", "rel_id": top }), vec!["/rel_id"]),
    ] {
        let refused = app.post("/v1/folders", &app.admin, &body).await.expect_problem(422, "validation_failed");
        assert_eq!(refused.pointers(), pointers, "{body}");
    }

    let etag = app.get(&format!("/v1/folders/{inner}"), &app.admin).await.expect(200).etag();
    let renamed = app.patch_if(&format!("/v1/folders/{inner}"), &app.admin, &etag, &json!({ "name": "2027" })).await.expect(200);
    assert_eq!(renamed.body["name"], "2027");
    app.patch_if(&format!("/v1/folders/{inner}"), &app.admin, &etag, &json!({ "name": "2028" }))
        .await
        .expect_problem(412, "stale");
    assert_eq!(into(&app, &inner, &json!(on_client)).await.expect_problem(422, "validation_failed").pointers(), ["/parent_id"]);
    assert_eq!(into(&app, &inner, &Value::Null).await.expect(200).body["parent_id"], Value::Null);
    assert_eq!(app.actions_of(&inner).await, ["create", "update", "update"]);
}

#[tokio::test]
async fn a_folder_is_deleted_when_it_is_empty() {
    let app = TestApp::spawn().await;
    let top = folder(&app, &json!({ "name": "top" })).await;
    let inner = folder(&app, &json!({ "name": "inner", "parent_id": top })).await;
    app.delete(&format!("/v1/folders/{top}"), &app.admin).await.expect_problem(409, "folder_not_empty");
    let file = app.upload(&app.admin, &[("folder_id", &inner)], "a.txt", b"a").await.expect(201);
    assert_eq!(file.body["folder_id"], inner);
    app.delete(&format!("/v1/files/{}", file.id()), &app.admin).await.expect(204);
    app.delete(&format!("/v1/folders/{inner}"), &app.admin).await.expect_problem(409, "folder_not_empty");
    app.act(&format!("/v1/files/{}/purge", file.id()), &app.admin).await.expect(204);
    app.delete(&format!("/v1/folders/{inner}"), &app.admin).await.expect(204);
    app.delete(&format!("/v1/folders/{top}"), &app.admin).await.expect(204);
    assert_eq!(app.count("folder").await, 0);
}

#[tokio::test]
async fn a_file_lies_in_a_folder_of_its_own_record() {
    let app = TestApp::spawn().await;
    let (client, other) = (app.client(&app.admin, "a").await, app.client(&app.admin, "b").await);
    let of = |id: &str| json!({ "name": "papers", "rel_type": "client", "rel_id": id });
    let (here, there) = (folder(&app, &of(&client)).await, folder(&app, &of(&other)).await);
    let alone = folder(&app, &json!({ "name": "papers" })).await;
    let on = [("rel_type", "client"), ("rel_id", client.as_str())];
    for wrong in [&there, &alone] {
        let members = [on[0], on[1], ("folder_id", wrong.as_str())];
        let refused = app.upload(&app.admin, &members, "a.txt", b"a").await.expect_problem(422, "validation_failed");
        assert_eq!(refused.pointers(), ["/folder_id"]);
    }
    // the folder says where
    let file = app.upload(&app.admin, &[("folder_id", &here)], "a.txt", b"a").await.expect(201);
    assert_eq!(file.body["rel_id"], client);
    let path = format!("/v1/files/{}", file.id());
    let refused = app.patch(&path, &app.admin, &json!({ "folder_id": there })).await.expect_problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/folder_id"]);
    assert_eq!(app.patch(&path, &app.admin, &json!({ "folder_id": null })).await.expect(200).body["folder_id"], Value::Null);
}

#[tokio::test]
async fn moves_at_the_same_time_never_close_a_circle() {
    let app = TestApp::spawn().await;
    for round in 0..10 {
        let mut folders = Vec::new();
        for number in 0..4 {
            folders.push(folder(&app, &json!({ "name": format!("{round} {number}") })).await);
        }
        let moves = (0..4).map(|number| {
            let (from, to) = (folders[number].clone(), folders[(number + 1) % 4].clone());
            let app = &app;
            async move { into(app, &from, &json!(to)).await }
        });
        let statuses: Vec<u16> = join_all(moves).await.into_iter().map(|answer| answer.status).collect();
        assert!(statuses.iter().all(|status| [200, 409].contains(status)) && statuses.contains(&409), "{statuses:?}");
        for start in &folders {
            let (mut at, mut path) = (start.clone(), String::new());
            for _ in 0..5 {
                write!(path, "{at} ").unwrap();
                let above = app.get(&format!("/v1/folders/{at}"), &app.admin).await.expect(200).body["parent_id"].clone();
                let Some(above) = above.as_str() else { break };
                above.clone_into(&mut at);
            }
            assert!(path.split_whitespace().count() <= 4, "{path}");
        }
    }
    into(&app, &folder(&app, &json!({ "name": "x" })).await, &json!("0193a000-0000-7000-8000-000000000000")).await.expect(422);
    let own = folder(&app, &json!({ "name": "own" })).await;
    into(&app, &own, &json!(own)).await.expect_problem(409, "folder_cycle");
}

#[tokio::test]
async fn folders_of_the_workspace_need_their_own_permission_and_those_on_records_follow_the_record() {
    let app = TestApp::spawn().await;
    let client = app.client(&app.admin, "Παπάς").await;
    app.role(&app.admin, "clerk", &["clients.view_all", "clients.edit"]).await;
    let clerk: Session = app.member(&app.admin, "clerk", "clerk@example.com").await;
    app.post("/v1/folders", &clerk, &json!({ "name": "x" })).await.expect_problem(403, "forbidden");
    let on = json!({ "name": "x", "rel_type": "client", "rel_id": client });
    let made = app.post("/v1/folders", &clerk, &on).await.expect(201).id();
    let alone = folder(&app, &json!({ "name": "alone" })).await;
    app.get(&format!("/v1/folders/{alone}"), &clerk).await.expect_problem(404, "not_found");
    app.delete(&format!("/v1/clients/{client}"), &app.admin).await.expect(204);
    app.patch(&format!("/v1/folders/{made}"), &clerk, &json!({ "name": "y" })).await.expect_problem(409, "archived");
}
