//! Under which brand one speaks to a client.
//!
//! Faults that were put in to see it fail: a brand of another workspace taken, an archived one taken, a merge that forgets it.

use harness::TestApp;
use serde_json::{Value, json};

#[tokio::test]
async fn a_client_has_a_brand_of_its_workspace_that_is_in_use_and_keeps_it_when_that_goes() {
    let app = TestApp::spawn().await;
    let brand = async |name: &str| app.post("/v1/brands", &app.admin, &json!({ "name": name })).await.expect(201).id();
    let (first, second) = (brand("First").await, brand("Second").await);
    let other = app.second_workspace("other").await;
    let theirs = app.post("/v1/brands", &other, &json!({ "name": "Theirs" })).await.expect(201).id();
    let body = |brand: &str| json!({ "kind": "company", "name": "A", "brand_id": brand, "product": "Ferries" });
    let made = app.post("/v1/clients", &app.admin, &body(&second)).await.expect(201);
    assert_eq!((&made.body["brand_id"], &made.body["product"]), (&json!(second), &json!("Ferries")));
    for wrong in [theirs.as_str(), made.id().as_str()] {
        let refused = app.post("/v1/clients", &app.admin, &body(wrong)).await.expect_problem(422, "validation_failed");
        assert_eq!(refused.pointers(), ["/brand_id"]);
    }
    let path = format!("/v1/clients/{}", made.id());
    app.patch(&path, &app.admin, &json!({ "brand_id": theirs })).await.expect_problem(422, "validation_failed");

    app.delete(&format!("/v1/brands/{second}"), &app.admin).await.expect(204);
    app.post("/v1/clients", &app.admin, &body(&second)).await.expect_problem(422, "validation_failed");
    let kept = app.patch(&path, &app.admin, &json!({ "brand_id": second, "product": null })).await.expect(200);
    assert_eq!((&kept.body["brand_id"], &kept.body["product"]), (&json!(second), &Value::Null));
    app.act(&format!("/v1/brands/{second}/purge"), &app.admin).await.expect_problem(409, "in_use");
    let found = app.get(&format!("/v1/clients?brand_id={second}&product[is_null]=true"), &app.admin).await.expect(200);
    assert_eq!(found.body["data"].as_array().unwrap().len(), 1);

    // a merge takes the one that the survivor lacks
    let survivor = app.client(&app.admin, "B").await;
    let merged = app.post(&format!("/v1/clients/{survivor}/merge"), &app.admin, &json!({ "merged_id": made.id() })).await;
    assert_eq!(merged.expect(200).body["client"]["brand_id"], json!(second));
    let moved = app.patch(&format!("/v1/clients/{survivor}"), &app.admin, &json!({ "brand_id": first })).await.expect(200);
    assert_eq!(moved.body["brand_id"], json!(first));
}
