//! Old names: `/v1/customers` is `/v1/clients`, and says that it goes.
//!
//! Faults that were put in to see it fail: an operation that is not served under the old name, one without the gate there, a use that is not
//! counted or not written down at the end, uses of another workspace told.

use actix_web::http::Method as ServedMethod;
use api::access::Access;
use harness::{Answer, Session, TestApp};
use reqwest::Method;
use serde_json::{Value, json};

use super::NOWHERE;

#[track_caller]
fn says_that_it_goes(answer: &Answer, successor: &str) {
    assert_eq!(answer.header("deprecation"), Some("@1795737600"), "{}", answer.text);
    assert_eq!(answer.header("sunset"), Some("Tue, 01 Jun 2027 00:00:00 GMT"));
    assert_eq!(answer.header("link").unwrap(), format!("<{successor}>; rel=\"successor-version\""));
}

async fn ask(app: &TestApp, method: &ServedMethod, path: &str, session: &Session) -> Answer {
    app.send(app.request(method.as_str().parse::<Method>().unwrap(), path, session)).await
}

/// The proof that spares the permission matrix a second half: each operation is there under the old name, behind the same gate.
#[tokio::test]
async fn every_operation_on_clients_is_served_under_the_old_name_behind_the_same_gate() {
    let app = TestApp::spawn().await;
    // a token that may everything but what concerns clients
    let lacking = app.token(&app.admin, &["tokens.manage_own"]).await;
    let names: Vec<&str> = kernel::Permission::ALL.iter().map(|permission| permission.as_str()).collect();
    // one that outlives the minutes that pass here
    let full = app.token(&app.admin, &names).await;
    let registry = api::routes::registry();
    let of_clients: Vec<_> =
        registry.served.iter().filter(|served| served.path.starts_with("/v1/clients/") || served.path == "/v1/clients").collect();
    assert!(of_clients.len() > 25, "{}", of_clients.len());
    for served in of_clients {
        assert!(!matches!(served.row.access, Access::Public | Access::SignedIn | Access::Member), "{}", served.row.id);
        let parts = served.path.split('/').map(|part| if part.starts_with('{') { NOWHERE } else { part });
        let new = parts.collect::<Vec<_>>().join("/");
        let old = new.replacen("/v1/clients", "/v1/customers", 1);
        for (session, status, code) in [(&Session::nobody(), 401, "unauthenticated"), (&lacking, 403, "forbidden")] {
            for path in [&new, &old] {
                ask(&app, &served.method, path, session).await.expect_problem(status, code);
            }
        }
        // the gate named the same operation each time
        let denied = format!(
            "SELECT CAST(count(*) AS text) FROM journal_entry WHERE action = 'permission_denied' AND CAST(changes AS text) LIKE '%\"{}\"%'",
            served.row.id
        );
        assert_eq!(app.db.scalar(&denied).await.as_deref(), Some("2"), "{}", served.row.id);
        app.clock.advance(chrono::Duration::minutes(1));
        // past the gate, the same handler says the same
        let [under_new, under_old] = [ask(&app, &served.method, &new, &full).await, ask(&app, &served.method, &old, &full).await];
        assert_eq!((under_old.status, under_old.code()), (under_new.status, under_new.code()), "{}", served.row.id);
        says_that_it_goes(&under_old, &new);
        assert!(under_new.header("deprecation").is_none() && under_new.header("sunset").is_none());
    }
    let [new, old] = ["/v1/clients", "/v1/customers"];
    for path in [new, old] {
        let refused = app.send(app.request(Method::PUT, path, &full)).await.expect_problem(405, "method_not_allowed");
        assert_eq!(refused.header("allow"), Some("GET, HEAD, POST"));
        assert_eq!(refused.header("deprecation").is_some(), path == old);
        app.get(&format!("{path}/{NOWHERE}/nonsense"), &full).await.expect_problem(404, "route_not_found");
    }
    app.get("/v1/customersome", &full).await.expect_problem(404, "route_not_found");
}

#[tokio::test]
async fn what_is_made_under_the_old_name_is_found_under_the_new_one_and_limits_are_shared() {
    let app = TestApp::spawn_with(|config| config.api.rate_limit_per_minute = 60).await;
    let made = app.post("/v1/customers", &app.admin, &json!({ "kind": "company", "name": "Acme" })).await.expect(201);
    says_that_it_goes(&made, "/v1/clients");
    assert_eq!(made.header("location").unwrap(), format!("/v1/clients/{}", made.id()));
    let old = app.get(&format!("/v1/customers/{}?fields=name", made.id()), &app.admin).await.expect(200);
    says_that_it_goes(&old, &format!("/v1/clients/{}", made.id()));
    let new = app.get(&format!("/v1/clients/{}?fields=name", made.id()), &app.admin).await.expect(200);
    assert_eq!((&old.body, old.etag()), (&new.body, new.etag()));
    let left = |answer: &Answer| answer.header("ratelimit-remaining").unwrap().parse::<u32>().unwrap();
    assert_eq!(left(&new) + 1, left(&old));
    let page = app.get("/v1/customers?sort=name", &app.admin).await.expect(200).body;
    assert_eq!(page["data"][0]["id"], made.id());
    // a problem says so as well
    says_that_it_goes(&app.get("/v1/customers?shoe=7", &app.admin).await.expect(422), "/v1/clients");
}

async fn customers(app: &TestApp, session: &Session) -> Value {
    let told = app.get("/v1/deprecations", session).await.expect(200).body;
    let data = told["data"].as_array().unwrap().clone();
    data.into_iter().find(|name| name["name"] == "/v1/customers").unwrap()
}

#[tokio::test]
async fn who_still_uses_an_old_name_is_told_to_an_administrator_of_the_workspace() {
    let app = TestApp::spawn().await;
    let viewer = app.member(&app.admin, "viewer", "viewer@example.com").await;
    let token = app.token(&app.admin, &["clients.view_all"]).await;
    let other = app.second_workspace("other").await;
    let admin = app.admin.in_workspace("main");
    for _ in 0..3 {
        app.get("/v1/customers", &viewer).await.expect(200);
    }
    app.get("/v1/customers", &other).await.expect(200);
    app.get("/v1/customers", &Session::nobody()).await.expect(401);
    app.get("/v1/clients", &admin).await.expect(200);
    app.clock.advance(chrono::Duration::minutes(2));
    app.get("/v1/customers?limit=1", &token).await.expect(200);
    // a request writes nothing by itself
    assert_eq!(app.count("deprecated_use").await, 0);
    let told = customers(&app, &admin).await;
    assert_eq!(
        (&told["replacement"], &told["since"], &told["sunset"]),
        (&json!("/v1/clients"), &json!("2026-11-27T00:00:00Z"), &json!("2027-06-01T00:00:00Z"))
    );
    assert_eq!((&told["uses"], &told["caller_count"]), (&json!(4), &json!(2)));
    let callers = told["callers"].as_array().unwrap();
    let who = |caller: &Value| (caller["caller"]["kind"].clone(), caller["caller"]["user_id"].clone(), caller["uses"].clone());
    assert_eq!(who(&callers[0]), (json!("token"), json!(admin.user_id), json!(1)), "the last one first");
    assert_eq!(who(&callers[1]), (json!("user"), json!(viewer.user_id), json!(3)));
    assert!(callers[1]["last_used_at"].as_str() < callers[0]["last_used_at"].as_str());
    // the other workspace's uses are its own
    assert_eq!(customers(&app, &other).await["callers"][0]["caller"]["id"], json!(admin.user_id));
    assert_eq!(customers(&app, &other).await["uses"], 1);
    // what comes later is added
    app.clock.advance(chrono::Duration::minutes(2));
    app.get("/v1/customers", &viewer).await.expect(200);
    let later = customers(&app, &admin).await;
    let first = &later["callers"][0];
    assert_eq!((&first["uses"], &first["first_used_at"]), (&json!(4), &callers[1]["first_used_at"]));
    assert!(first["last_used_at"].as_str() > callers[0]["last_used_at"].as_str());
    let agent = app.member(&admin, "sales_agent", "agent@example.com").await;
    app.get("/v1/deprecations", &agent).await.expect_problem(403, "forbidden");
    let metrics = app.get("/metrics", &Session::nobody()).await.text;
    for kind in ["user", "token", "refused"] {
        let line = format!("pelatis_deprecated_requests_total{{name=\"/v1/customers\",caller=\"{kind}\"}}");
        assert!(metrics.contains(&line), "{line}");
    }
}

#[tokio::test]
async fn what_was_counted_is_written_down_when_the_server_stops() {
    let mut app = TestApp::spawn().await;
    app.get("/v1/customers", &app.admin).await.expect(200);
    assert_eq!(app.count("deprecated_use").await, 0);
    app.stop().await;
    assert_eq!(app.count("deprecated_use").await, 1);
}
