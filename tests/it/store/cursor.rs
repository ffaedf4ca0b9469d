//! Cursors: signed, and bound to their list.

use harness::{Session, TestApp};
use serde_json::json;

async fn app_with_clients() -> TestApp {
    let app = TestApp::spawn().await;
    for name in ["a", "b", "c", "d"] {
        app.client(&app.admin, name).await;
        app.contact(&app.admin, name).await;
    }
    app
}

async fn cursor_of(app: &TestApp, path: &str, session: &Session) -> String {
    let page = app.get(path, session).await.expect(200);
    page.body["page"]["next_cursor"].as_str().unwrap_or_else(|| panic!("no cursor in {}", page.text)).to_owned()
}

#[tokio::test]
async fn a_cursor_of_another_list_filter_sort_search_or_workspace_is_refused() {
    let app = app_with_clients().await;
    let cursor = cursor_of(&app, "/v1/clients?limit=2&sort=name&status=active", &app.admin).await;
    let own = app.get(&format!("/v1/clients?limit=2&sort=name&status=active&cursor={cursor}"), &app.admin).await.expect(200);
    assert_eq!(own.body["data"][0]["name"], "c");
    for other in [
        "/v1/contacts?limit=2&sort=name",
        "/v1/clients?limit=2&sort=name",
        "/v1/clients?limit=2&sort=name&status=inactive",
        "/v1/clients?limit=2&sort=name&status[ne]=active",
        "/v1/clients?limit=2&sort=name&status=active&country=GR",
        "/v1/clients?limit=2&sort=-name&status=active",
        "/v1/clients?limit=2&sort=name,created_at&status=active",
        "/v1/clients?limit=2&status=active",
        "/v1/clients?limit=2&sort=name&status=active&q=a",
        "/v1/clients?limit=2&sort=name&status=active&archived=true",
        "/v1/audit?limit=2",
        "/v1/tags?limit=2",
    ] {
        let refused = app.get(&format!("{other}&cursor={cursor}"), &app.admin).await.expect_problem(422, "invalid_cursor");
        assert_eq!(refused.pointers(), ["?cursor"], "{other}");
    }
    let elsewhere = app.second_workspace("other").await;
    app.get(&format!("/v1/clients?limit=2&sort=name&status=active&cursor={cursor}"), &elsewhere)
        .await
        .expect_problem(422, "invalid_cursor");
}

#[tokio::test]
async fn a_cursor_of_what_hangs_on_one_client_is_refused_for_another() {
    let app = app_with_clients().await;
    let (one, other) = (app.client(&app.admin, "one").await, app.client(&app.admin, "other").await);
    for client in [&one, &other] {
        for body in ["1", "2", "3"] {
            app.post(&format!("/v1/clients/{client}/notes"), &app.admin, &json!({ "body": body })).await.expect(201);
        }
    }
    let cursor = cursor_of(&app, &format!("/v1/clients/{one}/notes?limit=1"), &app.admin).await;
    app.get(&format!("/v1/clients/{other}/notes?limit=1&cursor={cursor}"), &app.admin)
        .await
        .expect_problem(422, "invalid_cursor");
}

#[tokio::test]
async fn a_forged_or_truncated_cursor_is_refused() {
    let app = app_with_clients().await;
    let cursor = cursor_of(&app, "/v1/clients?limit=2&sort=name", &app.admin).await;
    let mut forged = Vec::new();
    for place in 0..cursor.len() {
        let mut letters: Vec<char> = cursor.chars().collect();
        letters[place] = if letters[place] == 'A' { 'B' } else { 'A' };
        forged.push(letters.into_iter().collect::<String>());
    }
    // the last letter may carry bits that mean nothing
    forged.pop();
    for length in [0, 1, 10, 21, 22, cursor.len() - 1] {
        forged.push(cursor.chars().take(length).collect());
    }
    forged.push(format!("{cursor}A"));
    forged.push(format!("{cursor}{cursor}"));
    forged.extend(["%00", "!", "null", "0", "eyJpZCI6MX0", "Ω"].map(str::to_owned));
    for forged in forged {
        let answer = app.get(&format!("/v1/clients?limit=2&sort=name&cursor={forged}"), &app.admin).await;
        assert_eq!(answer.status, 422, "{forged}: {}", answer.text);
        if forged != "%00" {
            assert_eq!(answer.code(), "invalid_cursor", "{forged}");
        }
    }
}

#[tokio::test]
async fn a_cursor_goes_on_with_another_limit_other_members_and_a_count() {
    let app = app_with_clients().await;
    let cursor = cursor_of(&app, "/v1/clients?limit=1&sort=name", &app.admin).await;
    let path = format!("/v1/clients?limit=2&sort=name&fields=name&include=tags&count=exact&cursor={cursor}");
    let page = app.get(&path, &app.admin).await.expect(200).body;
    assert_eq!(
        (&page["data"][0]["name"], &page["data"][1]["name"], &page["page"]["total"]),
        (&json!("b"), &json!("c"), &json!(4))
    );
}
