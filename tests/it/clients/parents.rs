//! The tree of clients has no circle, whoever changes it at the same time.

use futures::future::join;
use harness::TestApp;
use serde_json::json;

#[tokio::test]
async fn a_client_never_stands_above_itself() {
    let app = TestApp::spawn().await;
    let (a, b, c) = (app.client(&app.admin, "a").await, app.client(&app.admin, "b").await, app.client(&app.admin, "c").await);
    let put = async |child: &str, parent: &str| app.patch(&format!("/v1/clients/{child}"), &app.admin, &json!({ "parent_id": parent })).await;
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
    for _ in 0..3 {
        let (a, b) = (app.client(&app.admin, "a").await, app.client(&app.admin, "b").await);
        let put = async |child: &str, parent: &str| {
            app.patch(&format!("/v1/clients/{child}"), &app.admin, &json!({ "parent_id": parent })).await.status
        };
        let (one, other) = join(put(&a, &b), put(&b, &a)).await;
        assert!(matches!((one, other), (200, 409) | (409, 200)), "{one} and {other}");
    }
    let circles = "SELECT CAST(COUNT(*) AS text) FROM client a JOIN client b ON a.parent_id = b.id WHERE b.parent_id = a.id";
    assert_eq!(app.db.scalar(circles).await.as_deref(), Some("0"));
}
