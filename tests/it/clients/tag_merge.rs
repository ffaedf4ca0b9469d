//! `POST /v1/tags/{tag_id}/merge`.
//!
//! Faults that were put in to see it fail: a tag of another workspace merged, tags that are not locked, records that the journal does not
//! name.

use harness::TestApp;
use serde_json::{Value, json};

async fn tag(app: &TestApp, name: &str) -> String {
    app.post("/v1/tags", &app.admin, &json!({ "name": name })).await.expect(201).id()
}

async fn client(app: &TestApp, name: &str, tags: &[&str]) -> String {
    let client = app.client(&app.admin, name).await;
    for tag in tags {
        app.post(&format!("/v1/clients/{client}/tags"), &app.admin, &json!({ "tag_id": tag })).await.expect(200);
    }
    client
}

/// The names of those who carry a tag.
async fn carriers(app: &TestApp, tag: &str) -> Vec<String> {
    let page = app.get(&format!("/v1/clients?tag_id={tag}&sort=name&limit=200"), &app.admin).await.expect(200).body;
    page["data"].as_array().unwrap().iter().map(|client| client["name"].as_str().unwrap().to_owned()).collect()
}

fn sorted(ids: &[&String]) -> Value {
    let mut ids: Vec<&String> = ids.to_vec();
    ids.sort();
    json!(ids)
}

#[tokio::test]
async fn every_record_carries_the_tag_that_stays_once_and_the_journal_names_them() {
    let app = TestApp::spawn().await;
    let (old, kept, third) = (tag(&app, "VIP").await, tag(&app, "Very important").await, tag(&app, "third").await);
    let alone = client(&app, "a", &[&old]).await;
    let both = client(&app, "b", &[&old, &kept, &third]).await;
    client(&app, "c", &[&kept]).await;
    client(&app, "d", &[&third]).await;
    let away = client(&app, "e", &[&old]).await;
    app.delete(&format!("/v1/clients/{away}"), &app.admin).await.expect(204);

    let path = format!("/v1/tags/{old}/merge");
    let stale = app.request(reqwest::Method::POST, &path, &app.admin).header("if-match", "\"v9\"").json(&json!({ "into": kept }));
    app.send(stale).await.expect_problem(412, "stale");
    let merged = app.post_once(&path, &app.admin, "once", &json!({ "into": kept })).await.expect(200);
    assert_eq!((merged.id(), &merged.body["name"]), (kept.clone(), &json!("Very important")));
    // asked once more with the same key, it is answered so, and nothing is done
    app.post_once(&path, &app.admin, "once", &json!({ "into": kept })).await.expect(200);
    app.get(&format!("/v1/tags/{old}"), &app.admin).await.expect_problem(404, "not_found");
    assert_eq!(
        (carriers(&app, &kept).await, carriers(&app, &third).await),
        (vec!["a".into(), "b".into(), "c".into()], vec!["b".to_owned(), "d".into()])
    );
    app.act(&format!("/v1/clients/{away}/restore"), &app.admin).await.expect(200);
    assert_eq!(carriers(&app, &kept).await, ["a", "b", "c", "e"]);
    assert_eq!(app.count("tagging").await, 6);

    let trail = app.get("/v1/audit?action=merge&sort=at", &app.admin).await.expect(200).body;
    let entries: Vec<&Value> = trail["data"].as_array().unwrap().iter().collect();
    let events: Vec<&str> = entries.iter().map(|entry| entry["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["tag.records_moved", "tag.records_had_both", "tag.merged"]);
    for entry in &entries {
        assert_eq!((&entry["record_id"], &entry["subject_id"]), (&json!(old), &json!(kept)), "in the trails of both");
        assert_eq!(entry["changes"]["into"]["to"], json!(kept));
    }
    assert_eq!(entries[0]["changes"]["records"]["to"], sorted(&[&alone, &away]));
    assert_eq!(entries[1]["changes"]["records"]["to"], json!([both]));
    assert_eq!(entries[0]["changes"]["rel_type"]["to"], "client");
    let last = &entries[2]["changes"];
    assert_eq!((&last["moved"]["to"], &last["had_both"]["to"], &last["name"]["from"]), (&json!(2), &json!(1), &json!("VIP")));
    // the name is free again
    tag(&app, "vip").await;
}

#[tokio::test]
async fn a_tag_is_merged_into_another_of_its_workspace_by_whoever_manages_tags() {
    let app = TestApp::spawn().await;
    let (old, kept) = (tag(&app, "old").await, tag(&app, "kept").await);
    let other = app.second_workspace("other").await;
    let foreign = app.post("/v1/tags", &other, &json!({ "name": "foreign" })).await.expect(201).id();
    let main = app.admin.in_workspace("main");
    let nothing = "01938f5c-4f2e-7cc3-98c4-dc0c0c07398f";
    for into in [&foreign, nothing] {
        let refused = app.post(&format!("/v1/tags/{old}/merge"), &main, &json!({ "into": into })).await;
        assert_eq!(refused.expect_problem(422, "validation_failed").pointers(), ["/into"]);
    }
    let same =
        app.post(&format!("/v1/tags/{old}/merge"), &main, &json!({ "into": old })).await.expect_problem(422, "validation_failed");
    assert_eq!(same.body["errors"][0]["code"], "same_tag");
    for id in [&foreign, nothing] {
        app.post(&format!("/v1/tags/{id}/merge"), &main, &json!({ "into": kept })).await.expect_problem(404, "not_found");
    }
    for body in [json!({}), json!({ "into": "x" }), json!({ "into": kept, "more": 1 })] {
        app.post(&format!("/v1/tags/{old}/merge"), &main, &body).await.expect_problem(422, "validation_failed");
    }
    let agent = app.member(&main, "sales_manager", "agent@example.com").await;
    app.post(&format!("/v1/tags/{old}/merge"), &agent, &json!({ "into": kept })).await.expect_problem(403, "forbidden");
    assert_eq!(app.count("tag").await, 3);
}

#[tokio::test]
async fn merges_and_taggings_at_the_same_time_leave_no_record_without_its_tag() {
    let app = TestApp::spawn().await;
    for round in 0..5 {
        let (a, b) = (tag(&app, &format!("a{round}")).await, tag(&app, &format!("b{round}")).await);
        let mut clients = Vec::new();
        for number in 0..6 {
            let tags = [a.as_str()];
            let tags = if number < 3 { &tags[..] } else { &[] };
            clients.push(client(&app, &format!("{round}-{number}"), tags).await);
        }
        let merge = async |from: &str, into: &str| {
            app.post(&format!("/v1/tags/{from}/merge"), &app.admin, &json!({ "into": into })).await
        };
        let attach = futures::future::join_all(clients.iter().skip(2).map(|client| {
            let (app, a) = (&app, &a);
            async move { app.post(&format!("/v1/clients/{client}/tags"), &app.admin, &json!({ "tag_id": a })).await }
        }));
        let (there, back, attached) = tokio::join!(merge(&a, &b), merge(&b, &a), attach);
        // one of the two went, and into itself nothing can go
        let mut statuses = [there.status, back.status];
        statuses.sort_unstable();
        assert!(statuses == [200, 404] || statuses == [200, 422], "{statuses:?}: {} {}", there.text, back.text);
        let stays = if there.status == 200 { &b } else { &a };
        let with_it = carriers(&app, stays).await;
        for (number, answer) in attached.iter().enumerate().map(|(place, answer)| (place + 2, answer)) {
            // whoever came before the merge was moved with the others, whoever came after it was told
            let carries = with_it.contains(&format!("{round}-{number}"));
            assert!(answer.status == 200 || answer.status == 422, "{}", answer.text);
            assert_eq!(carries, answer.status == 200 || number < 3, "{number}: {}", answer.text);
        }
        assert!(with_it.len() >= 3, "{with_it:?}");
    }
    let lost = "SELECT CAST(count(*) AS text) FROM tagging WHERE tag_id NOT IN (SELECT id FROM tag)";
    assert_eq!(app.db.scalar(lost).await.as_deref(), Some("0"));
}
