//! Before anything is written: what each row would do.

use harness::TestApp;
use serde_json::json;

use super::*;

/// Seen to fail with the contact of a row left out of its differences.
#[tokio::test]
async fn rows_are_staged_as_new_changed_same_or_wrong_and_nothing_is_written() {
    let app = working().await;
    imported(&app, "external_id,name,city,email\n1,Alpha,Athens,a@alpha.gr\n2,Beta,,\n").await;
    let before = (app.count("client").await, app.count("contact").await);
    let file = "external_id,name,city,email,status,contact first name,contact email\n\
        1,Alpha,Patras,A@alpha.gr,,,\n\
        2,Beta,,,,,\n\
        3,Gamma,,,,Eleni,eleni@gamma.gr\n\
        4,Delta,,nobody,unheard of,,\n\
        2,Beta,,,,Nikos,nikos@beta.gr\n\
        3,Gamma,Volos,,,,\n\
        3,Gamma Two,,,,,\n";
    let id = staged(&app, file).await;
    let found = rows(&app, &id, "").await;
    assert_eq!(
        outcomes(&found),
        [(2, "changed"), (3, "same"), (4, "new"), (5, "wrong"), (6, "changed"), (7, "changed"), (8, "wrong")]
    );
    let emails = |address: &str| json!([{ "kind": "work", "address": address }]);
    assert_eq!(
        found[0]["differences"],
        json!({
            "main_address.city": { "from": "Athens", "to": "Patras" },
            "emails": { "from": emails("a@alpha.gr"), "to": emails("A@alpha.gr") },
        })
    );
    assert_eq!(found[4]["differences"], json!({ "contact": { "from": null, "to": "Nikos" } }));
    assert_eq!(found[5]["differences"], json!({ "main_address.city": { "from": null, "to": "Volos" } }));
    assert_eq!(found[5]["record_id"], found[2]["record_id"]);
    assert_eq!((&found[1]["differences"], &found[2]["values"]["contact_given_name"]), (&json!(null), &json!("Eleni")));
    let codes: Vec<&str> = found[3]["issues"].as_array().unwrap().iter().map(|issue| issue["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["unknown_value", "email"]);
    assert_eq!(found[6]["issues"][0]["code"], "conflicting_row");
    let staged = run(&app, &id).await;
    assert_eq!(staged["staged"], json!({ "new": 1, "changed": 3, "same": 1, "wrong": 2 }));
    assert_eq!((&staged["rows_read"], &staged["progress"]), (&json!(7), &json!({ "done": 7, "total": 7 })));
    assert_eq!((app.count("client").await, app.count("contact").await), before);
    assert_eq!(outcomes(&rows(&app, &id, "&outcome=wrong").await), [(5, "wrong"), (8, "wrong")]);
    let issues = app.get(&format!("/v1/imports/{id}/issues"), &app.admin).await.expect(200);
    assert_eq!(issues.body["data"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn the_answer_to_the_upload_shows_headers_mapping_and_the_first_rows() {
    let app = TestApp::spawn().await;
    let file = "Επωνυμία;E-mail;Άλλο;company\nΑφοί Παπά;info@papa.gr;x;y\n";
    let begun = app.send(app.importing(&app.admin, &[("source", "old")], "πελάτες.csv", file.as_bytes())).await.expect(202);
    assert_eq!(begun.header("location").unwrap(), format!("/v1/imports/{}", begun.id()));
    assert_eq!(
        (&begun.body["state"], &begun.body["source"], &begun.body["kind"]),
        (&json!("staging"), &json!("old"), &json!("clients"))
    );
    assert_eq!(
        begun.body["file"],
        json!({
            "headers": ["Επωνυμία", "E-mail", "Άλλο", "company"], "mapping": { "Επωνυμία": "name", "E-mail": "email" },
            "unknown_columns": ["Άλλο"], "repeated_columns": ["company"], "encoding": "utf-8", "delimiter": "semicolon",
            "sheet": null, "sheets": [], "preview": [["Αφοί Παπά", "info@papa.gr", "x", "y"]],
        })
    );
    assert_eq!(begun.body["source_name"], "πελάτες.csv");
    // lists leave that out
    let list = app.get("/v1/imports", &app.admin).await.expect(200);
    assert_eq!(list.body["data"][0].get("file"), None);
}

#[tokio::test]
async fn another_mapping_stages_the_rows_anew() {
    let app = working().await;
    let id = staged(&app, "name,note\nAlpha,2101234567\n").await;
    assert_eq!(rows(&app, &id, "").await[0]["values"], json!({ "name": "Alpha" }));
    let path = format!("/v1/imports/{id}");
    let patch = json!({ "mapping": { "name": "legal_name", "note": "name" } });
    let patched = app.patch(&path, &app.admin, &patch).await.expect(200);
    assert_eq!(patched.body["state"], "staging");
    let again = until(&app, &id, "staged").await;
    assert_eq!(again["file"]["mapping"], json!({ "name": "legal_name", "note": "name" }));
    assert_eq!(rows(&app, &id, "").await[0]["values"], json!({ "legal_name": "Alpha", "name": "2101234567" }));
    assert_eq!((&again["rows_read"], app.count("import_row").await), (&json!(1), 1));
    // all that is wrong with it at once, and nothing is changed by it
    let wrong = json!({ "encoding": "klingon", "delimiter": "fence" });
    let refused = app.patch(&path, &app.admin, &wrong).await.expect_problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/delimiter", "/encoding"]);
    let wrong = json!({ "mapping": { "name": "nonsense", "a/b": "name", "note": null } });
    let refused = app.patch(&path, &app.admin, &wrong).await.expect_problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/mapping/a~1b", "/mapping/name"]);
    let wrong = json!({ "mapping": { "note": "phone" } });
    app.patch(&path, &app.admin, &wrong).await.expect_problem(422, "validation_failed");
    assert_eq!(run(&app, &id).await["state"], "staged");
    approve(&app, &id).await;
    assert_eq!(clients(&app).await[0]["name"], "2101234567");
    app.patch(&path, &app.admin, &patch).await.expect_problem(409, "import_state");
}

#[tokio::test]
async fn what_shows_only_when_the_file_is_read_again_fails_the_import_and_it_can_be_mended() {
    let app = working().await;
    let id = staged(&app, "name,city\nAlpha,Athens\n").await;
    let path = format!("/v1/imports/{id}");
    app.patch(&path, &app.admin, &json!({ "delimiter": "tab" })).await.expect(200);
    let failed = until(&app, &id, "failed").await;
    assert_eq!(failed["failure"]["code"], "missing_column");
    app.act(&format!("{path}/approve"), &app.admin).await.expect_problem(409, "import_state");
    app.patch(&path, &app.admin, &json!({ "delimiter": null })).await.expect(200);
    let mended = until(&app, &id, "staged").await;
    assert_eq!((&mended["failure"], &mended["staged"]["new"]), (&json!(null), &json!(1)));
}

#[tokio::test]
async fn who_may_not_see_all_clients_sees_what_own_imports_change_and_of_others_only_what_the_file_says() {
    let app = working().await;
    imported(&app, "external_id,name,city\n1,Alpha,Athens\n").await;
    let agent = agent(&app).await;
    let theirs = staged(&app, "external_id,name,city\n1,Alpha,Patras\n").await;
    let seen = app.get(&format!("/v1/imports/{theirs}/rows"), &agent).await.expect(200).body;
    assert_eq!((&seen["data"][0]["differences"], &seen["data"][0]["values"]["city"]), (&json!(null), &json!("Patras")));
    // a client that the one who imports does not see is new to them, and refused when it is written
    let id = start_as(&app, &agent, &[], b"external_id,name,city\n1,Alpha,Volos\n2,Beta,Volos\n").await;
    until(&app, &id, "staged").await;
    assert_eq!(outcomes(&rows(&app, &id, "").await), [(2, "new"), (3, "new")]);
    app.act(&format!("/v1/imports/{id}/approve"), &agent).await.expect(202);
    let done = until(&app, &id, "finished").await;
    assert_eq!((&done["created"], &done["wrong"]), (&json!(1), &json!(1)));
    let refused = &rows(&app, &id, "&exception=refused").await[0];
    assert_eq!((&refused["line"], &refused["issues"][0]["code"]), (&json!(2), &json!("external_id_taken")));
    let all = clients(&app).await;
    assert_eq!((&all[0]["main_address"]["city"], &all[1]["created_by"]), (&json!("Athens"), &json!(agent.user_id)));
}
