//! Interactions: what was said or done, and what is to follow.

use chrono::TimeDelta;
use harness::TestApp;
use kernel::Clock as _;
use serde_json::{Value, json};

fn ids(page: &Value) -> Vec<&str> {
    page["data"].as_array().unwrap().iter().map(|record| record["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn what_was_said_is_written_down_listed_changed_archived_and_restored() {
    let app = TestApp::spawn().await;
    let (client, other) = (app.client(&app.admin, "a").await, app.client(&app.admin, "b").await);
    let contact = app.contact(&app.admin, "Ελένη").await;
    let body = json!({
        "client_id": client, "contact_id": contact, "type": "negotiation", "channel": "meeting", "direction": "outbound",
        "subject": "Τιμές", "note": "Ζήτησε έκπτωση.", "occurred_at": "2026-11-20T10:00:00Z", "duration": 45,
        "participants": [{ "contact_id": contact }, { "user_id": app.admin.user_id }, { "name": "Ο λογιστής" }],
    });
    let made = app.post("/v1/interactions", &app.admin, &body).await.expect(201);
    for (member, value) in body.as_object().unwrap() {
        assert_eq!(made.body[member], *value, "{member}");
    }
    assert_eq!(made.body["author_id"], json!(app.admin.user_id));
    let path = format!("/v1/interactions/{}", made.id());
    assert_eq!(made.header("location"), Some(path.as_str()));
    let of_other = json!({ "client_id": other, "channel": "phone" });
    let second = app.post("/v1/interactions", &app.admin, &of_other).await.expect(201);
    assert_eq!((&second.body["type"], &second.body["participants"]), (&json!("conversation"), &json!([])));
    let query = |query: String| {
        let app = &app;
        async move { app.get(&format!("/v1/interactions?{query}"), &app.admin).await.expect(200).body }
    };
    assert_eq!(ids(&query(String::new()).await), [second.id(), made.id()], "the newest first");
    assert_eq!(ids(&query(format!("client_id={client}")).await), [made.id()]);
    assert_eq!(ids(&query(format!("contact_id={contact}")).await), [made.id()]);
    assert_eq!(ids(&query("channel=phone".to_owned()).await), [second.id()]);
    let dressed = query(format!("client_id={client}&include=client,contact,author")).await;
    let dressed = &dressed["data"][0];
    assert_eq!(
        (&dressed["client"]["name"], &dressed["contact"]["given_name"], &dressed["author"]["id"]),
        (&json!("a"), &json!("Ελένη"), &json!(app.admin.user_id))
    );
    let changed =
        app.patch(&path, &app.admin, &json!({ "subject": null, "participants": [{ "name": "Κανείς" }] })).await.expect(200);
    assert_eq!((&changed.body["subject"], &changed.body["participants"]), (&Value::Null, &json!([{ "name": "Κανείς" }])));
    let entries = app.count("journal_entry").await;
    app.patch(&path, &app.admin, &json!({ "subject": null })).await.expect(200);
    assert_eq!(app.count("journal_entry").await, entries, "what changes nothing writes nothing");
    app.patch_if(&path, &app.admin, "\"v1\"", &json!({ "note": "x" })).await.expect_problem(412, "stale");
    app.delete(&path, &app.admin).await.expect(204);
    assert_eq!(ids(&query(format!("client_id={client}")).await), Vec::<&str>::new());
    assert_eq!(ids(&query(format!("client_id={client}&archived=only")).await), [made.id()]);
    app.patch(&path, &app.admin, &json!({ "note": "x" })).await.expect_problem(409, "archived");
    app.act(&format!("{path}/restore"), &app.admin).await.expect(200);
    assert_eq!(ids(&query(format!("client_id={client}")).await), [made.id()]);
    // the first once more for the contact, in whose trail it stands too
    assert_eq!(app.actions_of(&made.id()).await, ["create", "create", "update", "archive", "restore"]);
    let trail = app.get(&format!("/v1/clients/{client}/audit"), &app.admin).await.expect(200).text;
    assert!(trail.contains("client.interaction_added"), "{trail}");
}

#[tokio::test]
async fn what_is_to_follow_is_due_until_it_was_done() {
    let app = TestApp::spawn().await;
    let client = app.client(&app.admin, "a").await;
    let colleague = app.member(&app.admin, "sales_manager", "colleague@example.com").await;
    let make = async |at: &str, by: Option<&str>| {
        let body = json!({ "client_id": client, "channel": "phone", "follow_up_at": at, "follow_up_by": by });
        app.post("/v1/interactions", &app.admin, &body).await.expect(201)
    };
    let now = app.clock.now();
    let at = |hours: i64| (now + TimeDelta::hours(hours)).to_rfc3339();
    let late = make(&at(-2), None).await;
    assert_eq!(late.body["follow_up_by"], json!(app.admin.user_id), "whoever writes it down unless given");
    let later = make(&at(-1), Some(&colleague.user_id)).await;
    let to_come = make(&at(5), None).await;
    let due = async |query: &str| app.get(&format!("/v1/interactions/due?count=exact{query}"), &app.admin).await.expect(200).body;
    let all = due("").await;
    assert_eq!(
        (ids(&all), &all["page"]["total"]),
        (vec![late.id().as_str(), later.id().as_str()], &json!(2)),
        "the longest due first"
    );
    assert_eq!(ids(&due(&format!("&follow_up_by={}", colleague.user_id)).await), [later.id()]);
    let first = due("&limit=1").await;
    let cursor = first["page"]["next_cursor"].as_str().unwrap();
    assert_eq!(
        (ids(&first), ids(&due(&format!("&limit=1&cursor={cursor}")).await)),
        (vec![late.id().as_str()], vec![later.id().as_str()])
    );
    app.clock.advance(TimeDelta::hours(6));
    let admin = app.sign_in("admin@example.com").await;
    let due = async || app.get("/v1/interactions/due", &admin).await.expect(200).body;
    assert_eq!(ids(&due().await), [late.id(), later.id(), to_come.id()]);
    let path = |made: &harness::Answer| format!("/v1/interactions/{}", made.id());
    app.patch(&path(&late), &admin, &json!({ "followed_up_at": at(5) })).await.expect(200);
    assert_eq!(ids(&due().await), [later.id(), to_come.id()]);
    app.patch(&path(&late), &admin, &json!({ "followed_up_at": null })).await.expect(200);
    assert_eq!(ids(&due().await), [late.id(), later.id(), to_come.id()]);
    // a new moment is to be followed up anew
    app.patch(&path(&late), &admin, &json!({ "followed_up_at": at(5) })).await.expect(200);
    let anew = app.patch(&path(&late), &admin, &json!({ "follow_up_at": at(-3) })).await.expect(200);
    assert_eq!(anew.body["followed_up_at"], Value::Null);
    assert_eq!(ids(&due().await), [late.id(), later.id(), to_come.id()]);
    // what is of an archived client waits
    app.delete(&format!("/v1/clients/{client}"), &admin).await.expect(204);
    assert_eq!(ids(&due().await), Vec::<&str>::new());
    app.act(&format!("/v1/clients/{client}/restore"), &admin).await.expect(200);
    // what is put away is not due, and is again when it comes back
    app.delete(&path(&late), &admin).await.expect(204);
    assert_eq!(ids(&due().await), [later.id(), to_come.id()]);
    app.act(&format!("{}/restore", path(&late)), &admin).await.expect(200);
    let nothing = app.patch(&path(&late), &admin, &json!({ "follow_up_at": null })).await.expect(200);
    assert_eq!((&nothing.body["follow_up_by"], &nothing.body["followed_up_at"]), (&Value::Null, &Value::Null));
    assert_eq!(ids(&due().await), [later.id(), to_come.id()]);
    // a null that is said is no one to be found
    let nobody = app.patch(&path(&late), &admin, &json!({ "follow_up_at": at(-3), "follow_up_by": null })).await.expect(200);
    assert_eq!(nobody.body["follow_up_by"], Value::Null);
}

#[tokio::test]
async fn all_that_is_wrong_with_an_interaction_is_told_at_once_and_nothing_is_written() {
    let app = TestApp::spawn().await;
    let client = app.client(&app.admin, "a").await;
    let elsewhere = app.second_workspace("other").await;
    let foreign = app.contact(&elsewhere, "foreign").await;
    let nobody = "01900000-0000-7000-8000-000000000000";
    let ask = async |body: Value| {
        app.post("/v1/interactions", &app.admin, &body).await.expect_problem(422, "validation_failed").pointers()
    };
    assert_eq!(ask(json!({ "channel": "phone" })).await, ["/client_id"]);
    for year in ["1969", "9999"] {
        let long_ago = json!({ "client_id": client, "channel": "phone", "occurred_at": format!("{year}-12-31T23:59:59Z") });
        assert_eq!(ask(long_ago).await, ["/occurred_at"]);
        let never = json!({ "client_id": client, "channel": "phone", "follow_up_at": format!("{year}-12-31T23:59:59Z") });
        assert_eq!(ask(never).await, ["/follow_up_at"]);
    }
    let body = json!({
        "client_id": nobody, "contact_id": foreign, "channel": "phone", "follow_up_by": nobody,
        "participants": [{}, { "name": "a", "user_id": app.admin.user_id }, { "user_id": nobody }, { "contact_id": foreign }],
    });
    let told = [
        "/client_id",
        "/contact_id",
        "/follow_up_by",
        "/follow_up_by",
        "/participants/0",
        "/participants/1",
        "/participants/2/user_id",
        "/participants/3/contact_id",
    ];
    assert_eq!(ask(body).await, told);
    let shape = json!({ "client_id": client, "channel": "telepathy", "duration": -1, "participants": [{ "name": " " }], "x": 1 });
    assert_eq!(ask(shape).await, ["/channel", "/duration", "/x"]);
    assert_eq!(app.count("interaction").await, 0);
    let made =
        app.post("/v1/interactions", &app.admin, &json!({ "client_id": client, "channel": "chat" })).await.expect(201).id();
    let path = format!("/v1/interactions/{made}");
    let changed =
        app.patch(&path, &app.admin, &json!({ "followed_up_at": "2026-11-20T10:00:00Z", "follow_up_by": nobody })).await;
    assert_eq!(
        changed.expect_problem(422, "validation_failed").pointers(),
        ["/follow_up_by", "/follow_up_by", "/followed_up_at"]
    );
    app.delete(&format!("/v1/clients/{client}"), &app.admin).await.expect(204);
    assert_eq!(ask(json!({ "client_id": client, "channel": "chat" })).await, ["/client_id"]);
    app.patch(&path, &app.admin, &json!({ "note": "x" })).await.expect_problem(409, "archived");
}

#[tokio::test]
async fn a_sales_agent_sees_the_interactions_of_its_clients_and_of_the_contacts_that_it_sees() {
    let app = TestApp::spawn().await;
    let agent = app.member(&app.admin, "sales_agent", "agent@example.com").await;
    let viewer = app.member(&app.admin, "viewer", "viewer@example.com").await;
    let (own, foreign) = (app.client(&agent, "own").await, app.client(&app.admin, "foreign").await);
    let (known, unknown) = (app.contact(&agent, "known").await, app.contact(&app.admin, "unknown").await);
    let make = async |body: Value| app.post("/v1/interactions", &app.admin, &body).await.expect(201).id();
    let of_own =
        make(json!({ "client_id": own, "contact_id": unknown, "channel": "phone", "follow_up_at": "2020-01-01T00:00:00Z" }))
            .await;
    let of_known = make(json!({ "contact_id": known, "channel": "phone" })).await;
    let hidden = [
        // of a client that it does not see, although with a contact that it does
        make(json!({ "client_id": foreign, "contact_id": known, "channel": "phone", "follow_up_at": "2020-01-01T00:00:00Z" }))
            .await,
        make(json!({ "contact_id": unknown, "channel": "phone" })).await,
    ];
    let page = app.get("/v1/interactions?sort=created_at&count=exact&include=contact", &agent).await.expect(200).body;
    assert_eq!((ids(&page), &page["page"]["total"]), (vec![of_own.as_str(), &of_known], &json!(2)));
    assert!(page["data"][0]["contact"].is_null(), "a contact out of scope is named: {page}");
    assert_eq!(ids(&app.get("/v1/interactions/due", &agent).await.expect(200).body), [of_own.as_str()]);
    for id in &hidden {
        let path = format!("/v1/interactions/{id}");
        app.get(&path, &agent).await.expect_problem(404, "not_found");
        app.patch(&path, &agent, &json!({ "note": "x" })).await.expect_problem(404, "not_found");
        app.delete(&path, &agent).await.expect_problem(404, "not_found");
    }
    let named = json!({ "client_id": foreign, "channel": "phone", "participants": [{ "contact_id": unknown }] });
    let named = app.post("/v1/interactions", &agent, &named).await.expect_problem(422, "validation_failed");
    assert_eq!(named.pointers(), ["/client_id", "/participants/0/contact_id"]);
    app.patch(&format!("/v1/interactions/{of_own}"), &agent, &json!({ "note": "x" })).await.expect(200);
    app.patch(&format!("/v1/interactions/{of_own}"), &viewer, &json!({ "note": "x" })).await.expect_problem(403, "forbidden");
    // each of the two kinds needs its own right
    app.role(&app.admin, "of_contacts", &["clients.view_all", "contacts.view", "contacts.edit"]).await;
    let of_contacts = app.member(&app.admin, "of_contacts", "contacts@example.com").await;
    app.patch(&format!("/v1/interactions/{of_own}"), &of_contacts, &json!({ "note": "y" }))
        .await
        .expect_problem(403, "forbidden");
    app.patch(&format!("/v1/interactions/{of_known}"), &of_contacts, &json!({ "note": "y" })).await.expect(200);
    let refused = json!({ "client_id": own, "channel": "phone" });
    app.post("/v1/interactions", &of_contacts, &refused).await.expect_problem(403, "forbidden");
    app.post("/v1/interactions", &of_contacts, &json!({ "contact_id": known, "channel": "chat" })).await.expect(201);
}

#[tokio::test]
async fn what_is_purged_takes_its_interactions_along_and_those_of_a_client_stay_with_it() {
    let app = TestApp::spawn().await;
    let (client, contact) = (app.client(&app.admin, "a").await, app.contact(&app.admin, "x").await);
    let make = async |body: Value| app.post("/v1/interactions", &app.admin, &body).await.expect(201).id();
    let participants = json!([{ "contact_id": contact }, { "name": "z" }]);
    let both = make(json!({ "client_id": client, "contact_id": contact, "channel": "chat", "participants": participants })).await;
    let alone = make(json!({ "contact_id": contact, "channel": "chat", "note": "a secret of theirs" })).await;
    let took_part = json!([{ "contact_id": contact }, { "user_id": app.admin.user_id }]);
    let took_part = make(json!({ "client_id": client, "channel": "chat", "participants": took_part })).await;
    let no_more = json!([{ "contact_id": contact }]);
    let no_more = make(json!({ "client_id": client, "channel": "chat", "participants": no_more })).await;
    app.patch(&format!("/v1/interactions/{no_more}"), &app.admin, &json!({ "participants": null })).await.expect(200);
    assert_eq!(app.count("interaction_participant").await, 2);
    let trail = app.get(&format!("/v1/contacts/{contact}/audit"), &app.admin).await.expect(200).text;
    assert_eq!(trail.matches("contact.interaction_added").count(), 2, "{trail}");
    app.delete(&format!("/v1/contacts/{contact}"), &app.admin).await.expect(204);
    app.act(&format!("/v1/contacts/{contact}/purge"), &app.admin).await.expect(204);
    app.get(&format!("/v1/interactions/{alone}"), &app.admin).await.expect_problem(404, "not_found");
    assert_eq!(app.count("journal_personal WHERE CAST(changes AS text) LIKE '%a secret of theirs%'").await, 0);
    let left = app.get(&format!("/v1/interactions/{both}"), &app.admin).await.expect(200).body;
    assert_eq!((&left["contact_id"], &left["participants"]), (&Value::Null, &json!([{ "name": "z" }])));
    let left = app.get(&format!("/v1/interactions/{took_part}"), &app.admin).await.expect(200).body;
    assert_eq!(left["participants"], json!([{ "user_id": app.admin.user_id }]));
    assert_eq!(app.count("interaction_participant").await, 0);
    app.patch(&format!("/v1/interactions/{both}"), &app.admin, &json!({ "note": "a secret of the client" })).await.expect(200);
    app.delete(&format!("/v1/clients/{client}"), &app.admin).await.expect(204);
    app.act(&format!("/v1/clients/{client}/purge"), &app.admin).await.expect(204);
    assert_eq!(app.count("interaction").await, 0);
    assert_eq!(app.count("journal_personal WHERE CAST(changes AS text) LIKE '%a secret of the client%'").await, 0);
}

#[tokio::test]
async fn with_whom_a_contact_is_those_know_who_see_contacts() {
    let app = TestApp::spawn().await;
    app.role(&app.admin, "clients_only", &["clients.view_all", "clients.edit"]).await;
    let reader = app.member(&app.admin, "clients_only", "reader@example.com").await;
    let (client, contact) = (app.client(&app.admin, "a").await, app.contact(&app.admin, "x").await);
    let body = json!({
        "client_id": client, "contact_id": contact, "channel": "chat", "participants": [{ "contact_id": contact }, { "name": "z" }],
    });
    let made = app.post("/v1/interactions", &app.admin, &body).await.expect(201).id();
    let path = format!("/v1/interactions/{made}");
    let shown = app.get(&path, &reader).await.expect(200).body;
    assert_eq!((&shown["contact_id"], &shown["participants"]), (&Value::Null, &json!([{ "name": "z" }])));
    for path in
        ["/v1/interactions?include=contact".to_owned(), format!("/v1/clients/{client}/timeline"), "/v1/interactions".to_owned()]
    {
        let listed = app.get(&path, &reader).await.expect(200);
        assert!(listed.text.contains(&made) && !listed.text.contains(&contact), "{path}: {}", listed.text);
    }
    let filtered = app.get(&format!("/v1/interactions?contact_id={contact}&count=exact"), &reader).await.expect(200).body;
    assert_eq!(filtered["page"]["total"], 0);
    let changed = app.patch(&path, &reader, &json!({ "subject": "y", "participants": [{ "name": "w" }] })).await.expect(200);
    assert_eq!(changed.body["participants"], json!([{ "name": "w" }]));
    assert!(!changed.text.contains(&contact), "{}", changed.text);
    // what they do not see stays as it was
    let left = app.get(&path, &app.admin).await.expect(200).body;
    assert_eq!((&left["contact_id"], &left["subject"]), (&json!(contact), &json!("y")));
    assert_eq!(left["participants"], json!([{ "contact_id": contact }, { "name": "w" }]));
    let named = json!({ "client_id": client, "channel": "chat", "participants": [{ "contact_id": contact }] });
    let named = app.post("/v1/interactions", &reader, &named).await.expect_problem(422, "validation_failed");
    assert_eq!(named.pointers(), ["/participants/0/contact_id"]);
}
