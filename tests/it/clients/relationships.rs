//! How clients relate: one relationship at a time for the same two and the same territory, whoever writes at the same time.
//!
//! Faults that were put in to see it fail: no look at what overlaps in the command (the trigger still refuses), the trigger left out, the
//! lock of the two clients left out, roles taken away without asking.

use futures::future::join_all;
use harness::{Answer, Session, TestApp};
use serde_json::{Value, json};

struct Pair {
    app: TestApp,
    principal: String,
    distributor: String,
}

async fn pair() -> Pair {
    let app = TestApp::spawn().await;
    let principal = organisation(&app, "Principal", &["principal", "customer"]).await;
    let distributor = organisation(&app, "Distributor", &["distributor"]).await;
    Pair { app, principal, distributor }
}

async fn organisation(app: &TestApp, name: &str, roles: &[&str]) -> String {
    let body = json!({ "kind": "company", "name": name, "roles": roles });
    app.post("/v1/clients", &app.admin, &body).await.expect(201).id()
}

impl Pair {
    fn body(&self, territory: Option<&str>, from: Option<&str>, until: Option<&str>) -> Value {
        json!({
            "kind": "principal_distributor", "from_client_id": self.principal, "to_client_id": self.distributor,
            "territory": territory, "commission_basis_points": 750, "valid_from": from, "valid_until": until,
        })
    }

    async fn relate(&self, territory: Option<&str>, from: Option<&str>, until: Option<&str>) -> Answer {
        self.app.post("/v1/client-relationships", &self.app.admin, &self.body(territory, from, until)).await
    }
}

fn ids(page: &Value) -> Vec<&str> {
    page["data"].as_array().unwrap().iter().map(|record| record["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_principal_and_a_distributor_are_linked_for_a_territory_at_a_commission_and_an_overlap_is_refused() {
    let pair = pair().await;
    let Pair { app, principal, distributor } = &pair;
    let made = pair.relate(Some(" Πελοπόννησος "), Some("2026-01-01"), Some("2026-12-31")).await.expect(201);
    assert_eq!(
        (&made.body["territory"], &made.body["commission_basis_points"], &made.body["valid_until"]),
        (&json!("Πελοπόννησος"), &json!(750), &json!("2026-12-31"))
    );
    let path = format!("/v1/client-relationships/{}", made.id());
    assert_eq!(made.header("location"), Some(path.as_str()));
    // the same territory however it is written, one day in common, for ever, since ever
    for (territory, from, until) in [
        ("πελοποννησοσ", Some("2026-12-31"), None),
        ("Πελοπόννησος", None, Some("2026-01-01")),
        ("Πελοπόννησος", None, None),
        ("ΠΕΛΟΠΌΝΝΗΣΟΣ", Some("2026-05-01"), Some("2026-05-01")),
    ] {
        let refused = pair.relate(Some(territory), from, until).await.expect_problem(409, "relationship_overlap");
        assert!(refused.text.contains(&made.id()), "{}", refused.text);
    }
    // beside it in time, in place, the other way round
    pair.relate(Some("Πελοπόννησος"), Some("2027-01-01"), None).await.expect(201);
    pair.relate(Some("Πελοπόννησος"), None, Some("2025-12-31")).await.expect(201);
    pair.relate(None, None, None).await.expect(201);
    pair.relate(None, Some("2026-01-01"), None).await.expect_problem(409, "relationship_overlap");
    // a change into another is refused as well, and a change of itself is none
    app.patch(&path, &app.admin, &json!({ "valid_until": "2027-01-01" })).await.expect_problem(409, "relationship_overlap");
    app.patch(&path, &app.admin, &json!({ "valid_until": null })).await.expect_problem(409, "relationship_overlap");
    app.patch(&path, &app.admin, &json!({ "territory": null })).await.expect_problem(409, "relationship_overlap");
    let changed = app.patch(&path, &app.admin, &json!({ "commission_basis_points": 800, "valid_until": "2026-06-30" })).await;
    assert_eq!(changed.expect(200).body["commission_basis_points"], 800);
    assert_eq!(app.count("client_relationship").await, 4);
    // what is gone stands in nobody's way
    app.delete(&path, &app.admin).await.expect(204);
    pair.relate(Some("Πελοπόννησος"), Some("2026-02-01"), Some("2026-03-01")).await.expect(201);
    let of_either =
        |client: &str| format!("/v1/client-relationships?client_id={client}&count=exact&include=from_client,to_client");
    for client in [principal, distributor] {
        let page = app.get(&of_either(client), &app.admin).await.expect(200).body;
        assert_eq!(page["page"]["total"], 4, "{page}");
        assert_eq!(page["data"][0]["to_client"]["name"], "Distributor");
        assert_eq!(page["data"][0]["from_client"]["name"], "Principal");
    }
    // it stands in the trails of both
    for client in [principal, distributor] {
        let trail = app.get(&format!("/v1/clients/{client}/audit?limit=200"), &app.admin).await.expect(200).text;
        for event in ["client.relationship_added", "client.relationship_changed", "client.relationship_removed"] {
            assert!(trail.contains(event), "{event}: {trail}");
        }
    }
}

#[tokio::test]
async fn all_that_is_wrong_with_a_relationship_is_told_at_once() {
    let Pair { app, principal, distributor } = pair().await;
    let ask = async |body: Value| {
        app.post("/v1/client-relationships", &app.admin, &body).await.expect_problem(422, "validation_failed")
    };
    let wrong = ask(json!({
        "kind": "principal_distributor", "from_client_id": distributor, "to_client_id": distributor,
        "valid_from": "2026-02-01", "valid_until": "2026-01-31",
    }))
    .await;
    assert_eq!(wrong.pointers(), ["/from_client_id", "/to_client_id", "/valid_until"]);
    let wrong = ask(json!({
        "kind": "partner", "from_client_id": principal, "to_client_id": "01900000-0000-7000-8000-000000000000",
        "territory": "Πάτρα", "commission_basis_points": 1,
    }))
    .await;
    assert_eq!(wrong.pointers(), ["/commission_basis_points", "/territory", "/to_client_id"]);
    let wrong = ask(json!({
        "kind": "principal_distributor", "from_client_id": principal, "to_client_id": distributor, "commission_basis_points": 10001,
        "territory": "  ",
    }))
    .await;
    assert_eq!(wrong.pointers().len(), 2, "{}", wrong.text);
    let elsewhere = app.second_workspace("other").await;
    let foreign = app.client(&elsewhere, "foreign").await;
    let wrong = ask(json!({ "kind": "other", "from_client_id": foreign, "to_client_id": distributor })).await;
    assert_eq!(wrong.pointers(), ["/from_client_id"]);
    app.delete(&format!("/v1/clients/{distributor}"), &app.admin).await.expect(204);
    let wrong = ask(json!({ "kind": "other", "from_client_id": principal, "to_client_id": distributor })).await;
    assert_eq!(wrong.pointers(), ["/to_client_id"]);
    assert_eq!(app.count("client_relationship").await, 0);
}

#[tokio::test]
async fn who_works_with_somebody_is_worked_with() {
    let Pair { app, principal, distributor } = pair().await;
    let relate = async |kind: &str, from: &str, to: &str| {
        app.post("/v1/client-relationships", &app.admin, &json!({ "kind": kind, "from_client_id": from, "to_client_id": to }))
            .await
    };
    relate("partner", &principal, &distributor).await.expect(201);
    relate("partner", &distributor, &principal).await.expect_problem(409, "relationship_overlap");
    let (one, other) = (app.client(&app.admin, "One").await, app.client(&app.admin, "Other").await);
    let (first, second) = tokio::join!(relate("partner", &one, &other), relate("partner", &other, &one));
    let mut both = [first.status, second.status];
    both.sort_unstable();
    assert_eq!(both, [201, 409]);
    // who delivers to somebody may be delivered to
    relate("supplier", &principal, &distributor).await.expect(201);
    relate("supplier", &distributor, &principal).await.expect(201);
    assert_eq!(app.count("client_relationship").await, 4);
    // nor do two become one that is partner of somebody both ways
    let (goes, third) = (app.client(&app.admin, "Goes").await, app.client(&app.admin, "Third").await);
    relate("partner", &goes, &third).await.expect(201);
    relate("partner", &third, &one).await.expect(201);
    let merge = format!("/v1/clients/{one}/merge");
    app.post(&merge, &app.admin, &json!({ "merged_id": goes })).await.expect_problem(409, "relationship_overlap");
    // those that were written before can be changed, but not so that they stand for more
    let former = json!({
        "kind": "partner", "from_client_id": third, "to_client_id": goes, "valid_from": "2020-01-01", "valid_until": "2020-12-31",
    });
    let ended = json!({ "valid_from": "2021-01-01" });
    let there = app.get(&format!("/v1/client-relationships?client_id={goes}"), &app.admin).await.expect(200).body;
    app.patch(&format!("/v1/client-relationships/{}", ids(&there)[0]), &app.admin, &ended).await.expect(200);
    let former = app.post("/v1/client-relationships", &app.admin, &former).await.expect(201).id();
    let longer = format!("UPDATE client_relationship SET valid_until = NULL WHERE id = {}", app.db.uuid(&former));
    assert_eq!(app.db.execute(&longer).await, Ok(1));
    let path = format!("/v1/client-relationships/{former}");
    app.patch(&path, &app.admin, &json!({ "note": "old" })).await.expect(200);
    app.patch(&path, &app.admin, &json!({ "valid_from": "2019-01-01" })).await.expect_problem(409, "relationship_overlap");
    app.patch(&path, &app.admin, &json!({ "valid_until": "2020-12-31" })).await.expect(200);
}

/// A commission for one territory beside that for all others.
#[tokio::test]
async fn one_for_a_territory_stands_beside_the_one_for_wherever_none_is_named() {
    let pair = pair().await;
    pair.relate(None, None, None).await.expect(201);
    pair.relate(Some("Crete"), None, None).await.expect(201);
    pair.relate(None, Some("2026-01-01"), None).await.expect_problem(409, "relationship_overlap");
}

#[tokio::test]
async fn of_many_that_would_overlap_and_are_written_at_once_one_is_there() {
    let pair = pair().await;
    for round in 0..4 {
        let territory = format!("territory {round}");
        let all = join_all((1..=8).map(|month| {
            let from = format!("2026-0{month}-01");
            let territory = territory.clone();
            let pair = &pair;
            async move { pair.relate(Some(&territory), Some(&from), Some("2026-12-31")).await.status }
        }))
        .await;
        assert_eq!(all.iter().filter(|status| **status == 201).count(), 1, "{all:?}");
        assert!(all.iter().all(|status| matches!(status, 201 | 409)), "{all:?}");
    }
    assert_eq!(pair.app.count("client_relationship").await, 4);
}

#[tokio::test]
async fn the_database_itself_refuses_an_overlap() {
    let pair = pair().await;
    let first = pair.relate(Some("a"), Some("2026-01-01"), Some("2026-01-31")).await.expect(201).id();
    let second = pair.relate(Some("a"), Some("2026-02-01"), None).await.expect(201).id();
    let db = &pair.app.db;
    let copy = |until: &str| {
        let other = kernel::Runtime::system().uuid().to_string();
        format!(
            "INSERT INTO client_relationship (id, workspace_id, kind, from_client_id, to_client_id, territory_key, valid_from, \
             valid_until, version, created_at, updated_at) SELECT {}, workspace_id, kind, from_client_id, to_client_id, territory_key, \
             NULL, {until}, 1, created_at, updated_at FROM client_relationship WHERE id = {}",
            db.uuid(&other),
            db.uuid(&first)
        )
    };
    for until in ["NULL", "'2026-01-01'"] {
        let refused = db.execute(&copy(until)).await.unwrap_err();
        assert!(refused.contains("stands for that time already"), "{refused}");
    }
    let moved = format!("UPDATE client_relationship SET valid_from = '2026-01-31' WHERE id = {}", db.uuid(&second));
    assert!(db.execute(&moved).await.unwrap_err().contains("stands for that time already"));
    assert_eq!(db.execute(&copy("'2025-12-31'")).await, Ok(1));
    assert_eq!(pair.app.count("client_relationship").await, 3);
}

#[tokio::test]
async fn a_client_keeps_the_role_that_a_relationship_of_now_or_later_needs() {
    let pair = pair().await;
    let Pair { app, principal, distributor } = &pair;
    let made = pair.relate(None, Some("2026-01-01"), Some("2099-12-31")).await.expect(201).id();
    let roles = async |client: &str, roles: Value| {
        app.patch(&format!("/v1/clients/{client}"), &app.admin, &json!({ "roles": roles })).await
    };
    roles(principal, json!(["customer"])).await.expect_problem(409, "relationship_needs_role");
    roles(principal, Value::Null).await.expect_problem(409, "relationship_needs_role");
    roles(distributor, json!([])).await.expect_problem(409, "relationship_needs_role");
    roles(principal, json!(["principal", "vendor"])).await.expect(200);
    roles(distributor, json!(["distributor", "principal"])).await.expect(200);
    // the distributor is no principal of this relationship
    roles(distributor, json!(["distributor"])).await.expect(200);
    let path = format!("/v1/client-relationships/{made}");
    app.patch(&path, &app.admin, &json!({ "valid_until": "2026-01-31" })).await.expect(200);
    roles(principal, json!(["vendor"])).await.expect(200);
    assert_eq!(app.get(&path, &app.admin).await.expect(200).body["valid_until"], "2026-01-31");
    // what ended does not hold once more while the role is gone
    for until in [Value::Null, json!("2099-01-01")] {
        app.patch(&path, &app.admin, &json!({ "valid_until": until })).await.expect_problem(409, "relationship_needs_role");
    }
    app.patch(&path, &app.admin, &json!({ "note": "as it was" })).await.expect(200);
    roles(principal, json!(["principal"])).await.expect(200);
    app.patch(&path, &app.admin, &json!({ "valid_until": null })).await.expect(200);
}

#[tokio::test]
async fn whoever_sees_one_end_sees_the_relationship_and_not_the_other_end() {
    let pair = pair().await;
    let Pair { app, principal, distributor } = &pair;
    let agent = app.member(&app.admin, "sales_agent", "agent@example.com").await;
    let viewer = app.member(&app.admin, "viewer", "viewer@example.com").await;
    let own = format!("/v1/clients/{distributor}");
    app.patch(&own, &app.admin, &json!({ "owner_id": agent.user_id })).await.expect(200);
    let made = pair.relate(Some("a"), None, None).await.expect(201).id();
    let third = organisation(app, "Third", &["distributor"]).await;
    let hidden = json!({ "kind": "partner", "from_client_id": principal, "to_client_id": third });
    let hidden = app.post("/v1/client-relationships", &app.admin, &hidden).await.expect(201).id();
    let list = async |session: &Session| {
        app.get("/v1/client-relationships?count=exact&include=from_client,to_client", session).await.expect(200).body
    };
    let seen = list(&agent).await;
    assert_eq!((ids(&seen), &seen["page"]["total"]), (vec![made.as_str()], &json!(1)));
    assert_eq!((&seen["data"][0]["from_client"], &seen["data"][0]["to_client"]["name"]), (&Value::Null, &json!("Distributor")));
    assert_eq!(list(&viewer).await["page"]["total"], 2);
    let path = |id: &str| format!("/v1/client-relationships/{id}");
    app.get(&path(&hidden), &agent).await.expect_problem(404, "not_found");
    app.patch(&path(&hidden), &agent, &json!({ "note": "x" })).await.expect_problem(404, "not_found");
    app.delete(&path(&hidden), &agent).await.expect_problem(404, "not_found");
    // whom one does not see one relates to nobody
    let named = json!({ "kind": "partner", "from_client_id": distributor, "to_client_id": third });
    let named = app.post("/v1/client-relationships", &agent, &named).await.expect_problem(422, "validation_failed");
    assert_eq!(named.pointers(), ["/to_client_id"]);
    let seen = app.get(&path(&made), &agent).await.expect(200);
    // to change it one must see both
    app.patch_if(&path(&made), &agent, &seen.etag(), &json!({ "note": "x" })).await.expect_problem(403, "forbidden");
    app.delete(&path(&made), &agent).await.expect_problem(403, "forbidden");
    let responsible = json!({ "user_id": agent.user_id });
    app.post(&format!("/v1/clients/{principal}/admins"), &app.admin, &responsible).await.expect(201);
    app.patch_if(&path(&made), &agent, &seen.etag(), &json!({ "note": "x" })).await.expect(200);
    app.patch(&path(&made), &viewer, &json!({ "note": "x" })).await.expect_problem(403, "forbidden");
}

#[tokio::test]
async fn what_is_archived_stays_as_it_is_and_what_is_purged_takes_its_relationships_along() {
    let pair = pair().await;
    let Pair { app, principal, distributor } = &pair;
    let made = pair.relate(None, None, None).await.expect(201).id();
    let path = format!("/v1/client-relationships/{made}");
    app.patch(&path, &app.admin, &json!({ "note": "between us" })).await.expect(200);
    // one that was deleted by itself leaves its note in the journal until then
    let deleted =
        json!({ "kind": "partner", "from_client_id": principal, "to_client_id": distributor, "note": "between us once" });
    let deleted = app.post("/v1/client-relationships", &app.admin, &deleted).await.expect(201).id();
    app.delete(&format!("/v1/client-relationships/{deleted}"), &app.admin).await.expect(204);
    assert_eq!(app.count("journal_personal WHERE CAST(changes AS text) LIKE '%between us once%'").await, 2);
    app.delete(&format!("/v1/clients/{distributor}"), &app.admin).await.expect(204);
    app.patch(&path, &app.admin, &json!({ "note": "y" })).await.expect_problem(409, "archived");
    app.delete(&path, &app.admin).await.expect_problem(409, "archived");
    app.get(&path, &app.admin).await.expect(200);
    app.act(&format!("/v1/clients/{distributor}/purge"), &app.admin).await.expect(204);
    app.get(&path, &app.admin).await.expect_problem(404, "not_found");
    assert_eq!(app.count("client_relationship").await, 0);
    assert_eq!(app.count("journal_personal WHERE CAST(changes AS text) LIKE '%between us%'").await, 0);
    let trail = app.get(&format!("/v1/clients/{principal}/audit"), &app.admin).await.expect(200).text;
    assert!(trail.contains("client.relationship_removed"), "{trail}");
}
