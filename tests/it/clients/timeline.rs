//! What happened with a client, in one stream.
//!
//! Faults that were put in to see it fail: interactions placed by when they were written down, archived notes shown, changes of others shown to
//! whoever does not read the audit trail.

use std::collections::BTreeSet;

use harness::{Session, TestApp};
use serde_json::{Value, json};

async fn timeline(app: &TestApp, client: &str, session: &Session, query: &str) -> Value {
    app.get(&format!("/v1/clients/{client}/timeline?{query}"), session).await.expect(200).body
}

/// What stands in the stream, in its order: the kind, and what tells it.
fn told(page: &Value) -> Vec<String> {
    let tell = |entry: &Value| {
        let kind = entry["kind"].as_str().unwrap();
        let what = match kind {
            "interaction" => entry["interaction"]["subject"].as_str(),
            "note" => entry["note"]["body"].as_str(),
            _ => entry["change"]["event"].as_str(),
        };
        let members = entry.as_object().unwrap().len();
        assert_eq!(members, 4, "{entry}");
        format!("{kind} {}", what.unwrap())
    };
    page["data"].as_array().unwrap().iter().map(tell).collect()
}

struct Told {
    app: TestApp,
    client: String,
}

/// A client with a note, a change, and two interactions: one of long ago, one of which is to come.
async fn a_client() -> Told {
    let app = TestApp::spawn().await;
    let client = app.client(&app.admin, "a").await;
    let say = async |subject: &str, at: &str| {
        let body = json!({ "client_id": client, "channel": "phone", "subject": subject, "occurred_at": at });
        app.post("/v1/interactions", &app.admin, &body).await.expect(201).id()
    };
    app.post(&format!("/v1/clients/{client}/notes"), &app.admin, &json!({ "body": "first" })).await.expect(201);
    say("to come", "2099-01-01T10:00:00Z").await;
    say("long ago", "2001-02-03T04:05:06Z").await;
    app.patch(&format!("/v1/clients/{client}"), &app.admin, &json!({ "sector": "it" })).await.expect(200);
    Told { app, client }
}

const ALL: [&str; 5] =
    ["interaction to come", "change client.updated", "note first", "change client.created", "interaction long ago"];

#[tokio::test]
async fn interactions_notes_and_changes_stand_in_the_order_in_which_they_took_place() {
    let Told { app, client } = a_client().await;
    let page = timeline(&app, &client, &app.admin, "count=exact").await;
    assert_eq!((told(&page), &page["page"]["total"]), (ALL.map(str::to_owned).to_vec(), &json!(5)));
    let backwards = timeline(&app, &client, &app.admin, "sort=at").await;
    assert_eq!(told(&backwards), ALL.iter().rev().map(|told| (*told).to_owned()).collect::<Vec<_>>());
    assert_eq!(page["data"][4]["at"], "2001-02-03T04:05:06Z");
    // page by page each once, whichever way
    for sort in ["at", "-at"] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = timeline(&app, &client, &app.admin, &format!("limit=2&sort={sort}{cursor}")).await;
            seen.extend(told(&page));
            match page["page"]["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        let mut expected: Vec<String> = ALL.map(str::to_owned).to_vec();
        if sort == "at" {
            expected.reverse();
        }
        assert_eq!(seen, expected);
    }
    // a cursor of one client's is none of another's
    let first = timeline(&app, &client, &app.admin, "limit=1").await;
    let other = app.client(&app.admin, "b").await;
    let path = format!("/v1/clients/{other}/timeline?limit=1&cursor={}", first["page"]["next_cursor"].as_str().unwrap());
    app.get(&path, &app.admin).await.expect_problem(422, "invalid_cursor");
    assert_eq!(told(&timeline(&app, &client, &app.admin, "kind=note").await), ["note first"]);
    assert_eq!(
        told(&timeline(&app, &client, &app.admin, "kind[in]=note,interaction&at[lt]=2050-01-01").await),
        ["note first", "interaction long ago"]
    );
    app.get(&format!("/v1/clients/{client}/timeline?kind=rumour"), &app.admin).await.expect_problem(422, "validation_failed");
}

#[tokio::test]
async fn an_interaction_moves_with_its_moment_and_what_is_put_away_is_left_out() {
    let Told { app, client } = a_client().await;
    let page = timeline(&app, &client, &app.admin, "").await;
    let path = format!("/v1/interactions/{}", page["data"][0]["interaction"]["id"].as_str().unwrap());
    app.patch(&path, &app.admin, &json!({ "occurred_at": "2000-01-01T00:00:00Z" })).await.expect(200);
    let moved = told(&timeline(&app, &client, &app.admin, "").await);
    assert_eq!(moved[3..], ["interaction long ago", "interaction to come"]);
    app.delete(&path, &app.admin).await.expect(204);
    let note = page["data"][2]["note"]["id"].as_str().unwrap();
    app.delete(&format!("/v1/clients/{client}/notes/{note}"), &app.admin).await.expect(204);
    let left = timeline(&app, &client, &app.admin, "count=exact").await;
    assert_eq!(told(&left), ["change client.updated", "change client.created", "interaction long ago"]);
    assert_eq!(left["page"]["total"], 3);
}

#[tokio::test]
async fn of_changes_whoever_does_not_read_the_audit_trail_sees_their_own() {
    let Told { app, client } = a_client().await;
    let agent = app.member(&app.admin, "sales_agent", "agent@example.com").await;
    app.get(&format!("/v1/clients/{client}/timeline"), &agent).await.expect_problem(404, "not_found");
    app.patch(&format!("/v1/clients/{client}"), &app.admin, &json!({ "owner_id": agent.user_id })).await.expect(200);
    let seen = timeline(&app, &client, &agent, "count=exact").await;
    assert_eq!(
        (told(&seen), &seen["page"]["total"]),
        (vec!["interaction to come".to_owned(), "note first".to_owned(), "interaction long ago".to_owned()], &json!(3))
    );
    app.patch(&format!("/v1/clients/{client}"), &agent, &json!({ "phone": "210 1234567" })).await.expect(200);
    let own = timeline(&app, &client, &agent, "kind=change").await;
    assert_eq!(told(&own), ["change client.updated"]);
    assert_eq!(own["data"][0]["change"]["changes"]["phone"]["to"], "210 1234567");
    let all: BTreeSet<String> = told(&timeline(&app, &client, &app.admin, "kind=change").await).into_iter().collect();
    assert_eq!(all.len(), 2, "{all:?}");
}
