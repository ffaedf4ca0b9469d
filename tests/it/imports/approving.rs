//! Writing what was staged.

use serde_json::json;

use super::*;

#[tokio::test]
async fn what_is_approved_is_written_as_the_one_who_approves_with_the_run_as_its_cause() {
    let app = working().await;
    let id = staged(&app, "external_id,name,contact first name\n1,Alpha,Eleni\n2,,\n").await;
    let done = approve(&app, &id).await;
    let counts = [&done["rows_read"], &done["created"], &done["changed"], &done["unchanged"], &done["wrong"]];
    assert_eq!(counts, [&json!(2), &json!(1), &json!(0), &json!(0), &json!(1)]);
    assert_eq!((&done["progress"], &done["approved_by"]), (&json!({ "done": 1, "total": 1 }), &json!(app.admin.user_id)));
    let all = clients(&app).await;
    assert_eq!((&all[0]["name"], &all[0]["external_source"]), (&json!("Alpha"), &json!("csv")));
    assert_eq!(
        (&all[0]["contacts"][0]["contact"]["given_name"], &all[0]["created_by"]),
        (&json!("Eleni"), &json!(app.admin.user_id))
    );
    assert_eq!(rows(&app, &id, "").await[0]["record_id"], all[0]["id"]);
    let trail = app.get(&format!("/v1/clients/{}/audit", all[0]["id"].as_str().unwrap()), &app.admin).await.expect(200).body;
    for entry in trail["data"].as_array().unwrap() {
        assert_eq!(
            (&entry["cause"], &entry["cause_id"], &entry["actor"]["kind"]),
            (&json!("import"), &json!(id), &json!("user")),
            "{entry}"
        );
    }
    // a second import of the same file changes nothing
    let again = approve(&app, &staged(&app, "external_id,name,contact first name\n1,Alpha,Eleni\n").await).await;
    assert_eq!((&again["unchanged"], &again["created"], &again["changed"]), (&json!(1), &json!(0), &json!(0)));
}

/// More than two batches, each of which is read or planned while the one before it is written. The rows before and after the end of a batch
/// are of one client. Seen to fail where the first row of a batch is passed over, and on PostgreSQL where batches with a record in common
/// are written beside each other.
#[tokio::test]
async fn a_file_of_many_batches_is_staged_written_and_taken_back_without_losing_a_row() {
    let app = working().await;
    let mut file = "external_id,name,contact external id,contact first name\n".to_owned();
    for number in 0..1100 {
        // two rows for each client, shifted by one, so that they lie on both sides of every end
        let client = (number + 1) / 2;
        file.push_str(&format!("{client},Client {client},{number},Eleni {number}\n"));
    }
    let made = |table: &str| format!("{table} WHERE external_source = 'csv'");
    let id = staged(&app, &file).await;
    assert_eq!(app.count("import_row").await, 1100);
    let done = approve(&app, &id).await;
    assert_eq!((&done["created"], &done["changed"], &done["wrong"]), (&json!(551), &json!(549), &json!(0)));
    assert_eq!((app.count(&made("client")).await, app.count(&made("contact")).await), (551, 1100));
    assert_eq!(app.count("client_contact").await, 1100);
    let undone = undo(&app, &id).await;
    assert_eq!((&undone["undone"], &undone["kept"]), (&json!(1100), &json!(0)));
    assert_eq!((app.count(&made("client")).await, app.count(&made("contact")).await), (0, 0));
}

/// Batches that have nothing in common are written beside each other where the engine can; one that fails must neither take the next one with
/// it nor let it go before. Seen to fail where those that were begun beside it are not taken back, and where they are not begun again.
#[tokio::test]
async fn rows_that_are_refused_keep_no_row_of_their_batch_or_the_next_ones_out() {
    let app = working().await;
    let taken = [3, 499, 1010];
    for number in taken {
        let made = json!({ "kind": "company", "name": "Taken", "external_source": "csv", "external_id": number.to_string() });
        app.post("/v1/clients", &app.admin, &made).await.expect(201);
    }
    let agent = agent(&app).await;
    let mut file = "external_id,name,contact external id,contact first name\n".to_owned();
    for number in 0..1020 {
        file.push_str(&format!("{number},Client {number},c{number},Eleni\n"));
    }
    let id = start_as(&app, &agent, &[], file.as_bytes()).await;
    until(&app, &id, "staged").await;
    app.act(&format!("/v1/imports/{id}/approve"), &agent).await.expect(202);
    let done = until(&app, &id, "finished").await;
    assert_eq!((&done["created"], &done["wrong"], &done["changed_meanwhile"]), (&json!(1017), &json!(3), &json!(0)));
    assert_eq!((&done["progress"]["done"], &done["progress"]["total"]), (&json!(1020), &json!(1020)));
    let mut refused: Vec<i64> = Vec::new();
    for row in rows(&app, &id, "&exception=refused").await {
        assert_eq!(row["issues"][0]["code"], "external_id_taken");
        refused.push(row["line"].as_i64().unwrap() - 2);
    }
    refused.sort_unstable();
    assert_eq!(refused, taken);
    assert_eq!((app.count("client").await, app.count("contact").await), (1020, 1017));
    let made = "journal_entry WHERE cause_kind = 'import' AND action = 'create' AND record_type = 'client'";
    assert_eq!(app.count(made).await, 1017);
}

#[tokio::test]
async fn an_import_is_approved_once_and_only_when_it_is_staged() {
    let app = working().await;
    let id = staged(&app, "name\nAlpha\n").await;
    let path = format!("/v1/imports/{id}/approve");
    let (first, second) = tokio::join!(app.act(&path, &app.admin), app.act(&path, &app.admin));
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [202, 409]);
    until(&app, &id, "finished").await;
    app.act(&path, &app.admin).await.expect_problem(409, "import_state");
    app.act(&format!("/v1/imports/{id}/cancel"), &app.admin).await.expect_problem(409, "import_state");
    assert_eq!(app.count("client").await, 1);
}

/// Seen to fail with the plan of a row not compared with what was staged.
#[tokio::test]
async fn a_row_whose_record_changed_after_it_was_staged_is_left_out_and_told() {
    let app = working().await;
    imported(&app, "external_id,name,city,phone\n1,Alpha,Athens,1\n2,Beta,Athens,2\n3,Gamma,Athens,3\n").await;
    let file =
        "external_id,name,city,contact first name\n1,Alpha,Patras,\n2,Beta,Patras,Nikos\n3,Gamma,Patras,\n4,Delta,Patras,\n";
    let id = staged(&app, file).await;
    let all = clients(&app).await;
    let client = |at: usize| format!("/v1/clients/{}", all[at]["id"].as_str().unwrap());
    // the field that the row changes, another field, and away
    app.patch(&client(0), &app.admin, &json!({ "main_address": { "city": "Volos" } })).await.expect(200);
    app.patch(&client(1), &app.admin, &json!({ "phone": "22" })).await.expect(200);
    app.delete(&client(2), &app.admin).await.expect(204);
    let made = json!({ "kind": "company", "name": "Delta", "external_source": "csv", "external_id": "4" });
    app.post("/v1/clients", &app.admin, &made).await.expect(201);
    let done = approve(&app, &id).await;
    assert_eq!((&done["changed"], &done["changed_meanwhile"], &done["wrong"]), (&json!(1), &json!(2), &json!(1)));
    let now = app.get(&client(0), &app.admin).await.expect(200).body;
    assert_eq!(now["main_address"]["city"], "Volos");
    // what was changed beside it does not matter to the row
    let now = app.get(&format!("{}?include=contacts", client(1)), &app.admin).await.expect(200).body;
    assert_eq!((&now["main_address"]["city"], &now["phone"]), (&json!("Patras"), &json!("22")));
    assert_eq!(now["contacts"][0]["contact"]["given_name"], "Nikos");
    let left = rows(&app, &id, "&exception=changed_meanwhile").await;
    assert_eq!(outcomes(&left), [(2, "changed"), (5, "new")]);
    assert_eq!(left[0]["differences"], json!({ "main_address.city": { "from": "Volos", "to": "Patras" } }));
    assert_eq!(rows(&app, &id, "&exception=refused").await[0]["issues"][0]["code"], "archived");
}

#[tokio::test]
async fn rows_that_add_to_a_client_of_the_same_file_are_written_after_it() {
    let app = working().await;
    let file = "external_id,name,city,currency,contact first name,contact email,contact phone\n\
        1,Alpha,,,Eleni,e@a.gr,\n1,Alpha,Athens,,Nikos,n@a.gr,\n1,Alpha,Athens,USD,Eleni,e@a.gr,210\n1,Alpha,,,,,\n";
    let id = staged(&app, file).await;
    let found = rows(&app, &id, "").await;
    assert_eq!(outcomes(&found), [(2, "new"), (3, "changed"), (4, "changed"), (5, "same")]);
    assert_eq!(
        found[2]["differences"],
        json!({ "currency": { "from": "EUR", "to": "USD" }, "contact.phone": { "from": null, "to": "210" } })
    );
    let done = approve(&app, &id).await;
    assert_eq!((&done["created"], &done["changed"], &done["changed_meanwhile"]), (&json!(1), &json!(2), &json!(0)));
    let client = &clients(&app).await[0];
    assert_eq!((&client["main_address"]["city"], &client["currency"]), (&json!("Athens"), &json!("USD")));
    assert_eq!(client["contacts"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn an_import_that_is_called_off_writes_nothing_more() {
    let app = working().await;
    let id = staged(&app, "name\nAlpha\n").await;
    let cancelled = app.act(&format!("/v1/imports/{id}/cancel"), &app.admin).await.expect(200);
    assert_eq!(cancelled.body["state"], "cancelled");
    app.act(&format!("/v1/imports/{id}/approve"), &app.admin).await.expect_problem(409, "import_state");
    app.act(&format!("/v1/imports/{id}/undo"), &app.admin).await.expect_problem(409, "import_state");
    assert_eq!(app.count("client").await, 0);
    // one over the command line is not ours to approve
    let run = crate::permissions::import(&app, &app.workspace, "other").await;
    app.act(&format!("/v1/imports/{run}/approve"), &app.admin).await.expect_problem(409, "import_state");
}

#[tokio::test]
async fn one_who_may_no_longer_do_it_when_it_runs_writes_nothing() {
    let app = harness::TestApp::spawn().await;
    let importer = app.member(&app.admin.in_workspace("main"), "super_admin", "importer@example.com").await;
    let id = start_as(&app, &importer, &[], b"name\nAlpha\n").await;
    let list = app.get(&format!("/v1/memberships?user_id={}", importer.user_id), &app.admin).await.expect(200);
    let path = format!("/v1/memberships/{}", list.body["data"][0]["id"].as_str().unwrap());
    app.patch(&path, &app.admin, &json!({ "role": "viewer" })).await.expect(200);
    let is_staged = async {
        let began = Instant::now();
        while run(&app, &id).await["state"] == "staging" && began.elapsed() < Duration::from_secs(20) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    crate::jobs::worked(&app, is_staged).await;
    let failed = until(&app, &id, "failed").await;
    assert_eq!(failed["failure"]["code"], "forbidden");
    app.delete(&path, &app.admin).await.expect(204);
    assert_eq!(app.count("import_row").await, 0);
}
