//! The tree of clients has no circle, whoever changes it at the same time.

use futures::future::join;
use harness::TestApp;
use serde_json::json;

#[tokio::test]
async fn a_client_never_stands_above_itself() {
    let app = TestApp::spawn().await;
    let (a, b, c) = (app.client(&app.admin, "a").await, app.client(&app.admin, "b").await, app.client(&app.admin, "c").await);
    let put = async |child: &str, parent: &str| {
        app.patch(&format!("/v1/clients/{child}"), &app.admin, &json!({ "parent_id": parent })).await
    };
    put(&b, &a).await.expect(200);
    put(&c, &b).await.expect(200);
    for (child, parent) in [(&a, &a), (&a, &b), (&a, &c), (&b, &c)] {
        put(child, parent).await.expect_problem(409, "parent_cycle");
    }
    put(&c, &a).await.expect(200);
    put(&a, "01900000-0000-7000-8000-000000000000").await.expect_problem(422, "validation_failed");
}

#[tokio::test]
async fn of_two_changes_at_once_that_would_close_a_circle_one_fails() {
    let app = TestApp::spawn().await;
    let child_of = async |parent: &str| {
        app.post("/v1/clients", &app.admin, &json!({ "kind": "company", "name": "child", "parent_id": parent }))
            .await
            .expect(201)
            .id()
    };
    let put = async |child: &str, parent: &str| {
        app.patch(&format!("/v1/clients/{child}"), &app.admin, &json!({ "parent_id": parent })).await.status
    };
    for round in 0..8 {
        let (a, b) = (app.client(&app.admin, "a").await, app.client(&app.admin, "b").await);
        // under the other itself, and under a child of the other, where the two changes have no row in common
        let (below_a, below_b) = if round < 2 { (a.clone(), b.clone()) } else { (child_of(&a).await, child_of(&b).await) };
        let (one, other) = join(put(&a, &below_b), put(&b, &below_a)).await;
        assert!(matches!((one, other), (200, 409) | (409, 200)), "{one} and {other}");
    }
    // whoever hangs under a root hangs in no circle
    let under_roots = "WITH RECURSIVE tree (id) AS (SELECT id FROM client WHERE parent_id IS NULL UNION SELECT c.id FROM client c JOIN tree t ON c.parent_id = t.id) \
                       SELECT CAST(COUNT(*) AS text) FROM tree";
    assert_eq!(app.db.scalar(under_roots).await.unwrap(), app.count("client").await.to_string());
}
