//! Search: Greek and Latin without regard to case and accents, by the beginnings of words, indexed on both engines.

use harness::{Engine, Session, TestApp};
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection as _};

async fn found(app: &TestApp, session: &Session, list: &str, q: &str) -> Vec<String> {
    let url = reqwest::Url::parse_with_params(&format!("{}/v1/{list}", app.base), [("q", q), ("sort", "name")]).unwrap();
    let answer = app.get(url.as_str().strip_prefix(&app.base).unwrap(), session).await.expect(200);
    let name = |record: &serde_json::Value| record["name"].as_str().or(record["given_name"].as_str()).unwrap().to_owned();
    answer.body["data"].as_array().unwrap().iter().map(name).collect()
}

async fn clients(app: &TestApp, q: &str) -> Vec<String> {
    found(app, &app.admin, "clients", q).await
}

#[tokio::test]
async fn a_client_is_found_by_the_beginnings_of_all_words_without_regard_to_case_accents_and_final_sigma() {
    let app = TestApp::spawn().await;
    let papas = json!({
        "kind": "company", "name": "Αφοί Γιώργος Παπάς", "legal_name": "Παπάς Ξενοδοχεία ΑΕ", "tax_number": "EL094014201",
        "website": "https://papas-hotels.example", "phone": "+30 210 123-4567",
        "emails": [{ "kind": "work", "address": "Kratiseis@Papas.GR" }, { "kind": "other", "address": "second@elsewhere.example" }],
        "phones": [{ "kind": "mobile", "number": "(694) 555.66.77" }], "main_address": { "city": "Καβάλα", "country": "GR" },
    });
    app.post("/v1/clients", &app.admin, &papas).await.expect(201);
    app.post("/v1/clients", &app.admin, &json!({ "kind": "company", "name": "Crème Brûlée Straße GmbH" })).await.expect(201);
    for q in [
        "Γιώργος",
        "γιωργος",
        "ΓΙΩΡΓΟΣ",
        "ΓΙΏΡΓΟΣ",
        "γιωργοσ",
        "γιωρ",
        "γ",
        "παπας αφοι",
        "ΑΦΟΙ  παπ",
        "Παπάς, Γιώργος!",
        "ξενοδοχεια",
        "καβαλα",
        "el0940",
        "EL094014201",
        "kratiseis",
        "KRATISEIS@papas.gr",
        "second@elsewhere",
        "papas-hotels",
        "302101234567",
        "3021012",
        "694555",
        "6945556677",
        "παπας 694",
        "γιωργος kratis el09",
    ] {
        assert_eq!(clients(&app, q).await, ["Αφοί Γιώργος Παπάς"], "{q}");
    }
    for q in ["creme brulee", "CRÈME", "BRÛL", "strasse", "STRAßE", "cre bru gm"] {
        assert_eq!(clients(&app, q).await, ["Crème Brûlée Straße GmbH"], "{q}");
    }
    for q in ["ιωργος", "παπας μαρια", "γιωργος creme", "94014201", "zzz", "παπαδοπουλος"] {
        assert!(clients(&app, q).await.is_empty(), "{q}");
    }
}

#[tokio::test]
async fn a_contact_is_found_by_name_position_email_and_phone() {
    let app = TestApp::spawn().await;
    let maria = json!({
        "given_name": "Μαρία", "family_name": "Κωνσταντίνου", "position": "Διευθύντρια", "phone": "2310-999888",
        "emails": [{ "kind": "work", "address": "maria@k.example" }],
    });
    app.post("/v1/contacts", &app.admin, &maria).await.expect(201);
    app.contact(&app.admin, "Πέτρος").await;
    for q in ["μαρια", "ΚΩΝΣΤ μαρ", "διευθυντρια", "2310999", "maria@k"] {
        assert_eq!(found(&app, &app.admin, "contacts", q).await, ["Μαρία"], "{q}");
    }
}

#[tokio::test]
async fn a_search_follows_changes_archiving_restoring_and_purging() {
    let app = TestApp::spawn().await;
    let id = app.client(&app.admin, "Παλιό Όνομα").await;
    let path = format!("/v1/clients/{id}");
    app.patch(&path, &app.admin, &json!({ "name": "Καινούργιο", "tax_number": "777" })).await.expect(200);
    assert_eq!((clients(&app, "παλιο").await.len(), clients(&app, "καινουργ 777").await.len()), (0, 1));
    app.patch(&path, &app.admin, &json!({ "tax_number": null })).await.expect(200);
    assert!(clients(&app, "777").await.is_empty());
    app.delete(&path, &app.admin).await.expect(204);
    assert!(clients(&app, "καινουργιο").await.is_empty());
    let archived = app.get("/v1/clients?archived=only&q=ΚΑΙΝΟΎΡΓΙΟ&count=exact", &app.admin).await.expect(200);
    assert_eq!(archived.body["page"]["total"], 1);
    app.act(&format!("{path}/restore"), &app.admin).await.expect(200);
    assert_eq!(clients(&app, "καινουργιο").await.len(), 1);
    app.delete(&path, &app.admin).await.expect(204);
    app.act(&format!("{path}/purge"), &app.admin).await.expect(204);
    let all = app.get("/v1/clients?archived=true&q=καινουργιο&count=exact", &app.admin).await.expect(200);
    assert_eq!(all.body["page"]["total"], 0);
}

#[tokio::test]
async fn a_search_goes_with_filters_sorts_pages_and_counts() {
    let app = TestApp::spawn().await;
    for (name, status) in [("Παπάς Α", "active"), ("Παπάς Β", "inactive"), ("Παπάς Γ", "active"), ("Άλλος", "active")]
    {
        app.post("/v1/clients", &app.admin, &json!({ "kind": "company", "name": name, "status": status })).await.expect(201);
    }
    let path = "/v1/clients?q=παπας&status=active&sort=-name&limit=1&count=exact";
    let first = app.get(path, &app.admin).await.expect(200).body;
    assert_eq!((&first["data"][0]["name"], &first["page"]["total"]), (&json!("Παπάς Γ"), &json!(2)));
    let cursor = first["page"]["next_cursor"].as_str().unwrap();
    let second = app.get(&format!("{path}&cursor={cursor}"), &app.admin).await.expect(200).body;
    assert_eq!((&second["data"][0]["name"], &second["page"]["has_more"]), (&json!("Παπάς Α"), &json!(false)));
}

#[tokio::test]
async fn operators_and_special_characters_in_a_search_do_no_harm() {
    let app = TestApp::spawn().await;
    app.client(&app.admin, "Robert O'Tables \"quoted\" 100% AND NOT").await;
    app.client(&app.admin, "Ⓐ ½ ² हिन्दी 株式会社 🚢").await;
    app.client(&app.admin, "Άλλος").await;
    for (q, hits) in [
        ("o'tables", 1),
        ("\"quoted\"", 1),
        ("100%", 1),
        ("robert AND tables", 1),
        ("robert NOT tables", 1),
        ("robert OR nobody", 0),
        ("robert* tab*", 1),
        ("株式", 1),
        ("हिन", 1),
        ("½", 1),
        ("*", 0),
        ("\"", 0),
        ("'", 0),
        ("", 0),
        ("   ", 0),
        ("%", 0),
        ("_", 0),
        ("\\", 0),
        (":*", 0),
        ("!", 0),
        ("&", 0),
        ("|", 0),
        ("<->", 0),
        ("()", 0),
        ("robert:*", 1),
        ("!robert", 1),
        ("'robert':* | 'άλλος'", 0),
        ("NEAR(robert tables)", 0),
        ("search_text:robert", 0),
        ("^robert", 1),
        ("robert -tables", 1),
        ("'; DROP TABLE client; --", 0),
        ("🚢", 0),
    ] {
        assert_eq!(clients(&app, q).await.len(), hits, "{q}");
    }
    // what is a letter to one and none to the other must not fail
    for q in ["Ⓐ", "🅰", "²", "\u{200d}", "\u{feff}", "\u{10ffff}", &"α ".repeat(100), &"x".repeat(200)] {
        clients(&app, q).await;
    }
    let long = "x".repeat(201);
    app.get(&format!("/v1/clients?q={long}"), &app.admin).await.expect_problem(422, "validation_failed");
    assert_eq!(app.count("client").await, 3);
}

#[tokio::test]
async fn a_search_never_finds_another_workspaces_records() {
    let app = TestApp::spawn().await;
    let other = app.second_workspace("other").await;
    app.client(&app.admin, "Κοινό Όνομα Εδώ").await;
    app.client(&other, "Κοινό Όνομα Εκεί").await;
    assert_eq!(clients(&app, "κοινο ονομα").await, ["Κοινό Όνομα Εδώ"]);
    assert_eq!(found(&app, &other, "clients", "κοινο").await, ["Κοινό Όνομα Εκεί"]);
    assert!(found(&app, &other, "clients", "εδω").await.is_empty());
}

/// PostgreSQL alone: SQLite's full-text table is an index by itself.
#[tokio::test]
async fn a_search_among_thousands_uses_the_index_as_the_servers_role_and_keeps_to_its_workspace() {
    let app = TestApp::spawn().await;
    if app.db.engine == Engine::Sqlite {
        return;
    }
    let other = app.second_workspace("other").await;
    app.client(&app.admin, "Πρότυπο").await;
    app.client(&other, "Πρότυπο").await;
    let columns =
        "kind, name, name_key, emails, phones, currency, locale, status, roles, version, created_at, updated_at, workspace_id";
    app.db
        .execute(&format!(
            "INSERT INTO client (id, search_text, {columns}) SELECT gen_random_uuid(), 'πελατησ αριθμοσ' || n || CASE WHEN n % 500 = 0 THEN ' σπανιο' ELSE '' END, \
             {columns} FROM client, generate_series(1, 5000) n"
        ))
        .await
        .unwrap();
    // moves what was just inserted from the index's pending list into its tree, as autovacuum would
    app.db.execute("VACUUM ANALYZE client").await.unwrap();
    let scans = || async {
        let sql = "SELECT CAST(idx_scan AS text) FROM pg_stat_user_indexes WHERE indexrelname = 'client_search'";
        app.db.scalar(sql).await.unwrap().parse::<i64>().unwrap()
    };
    let before = scans().await;
    let mut server = app.db.as_server().await;
    let mut transaction = server.begin().await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(format!(
        "SELECT set_config('pelatis.workspace', '{}', true), set_config('pelatis.account', '{}', true), set_config('pelatis.kind', 'user', true)",
        app.workspace, app.admin.user_id
    )))
    .execute(&mut *transaction)
    .await
    .unwrap();
    let hits: Vec<(String, i64)> = sqlx::query_as(
        "SELECT workspace_id::text, count(*) FROM client WHERE id IN (SELECT pelatis_search_client($1)) GROUP BY workspace_id",
    )
    .bind("'σπαν':*")
    .fetch_all(&mut *transaction)
    .await
    .unwrap();
    assert_eq!(hits, [(app.workspace.clone(), 10)]);
    let bare: i64 = sqlx::query_scalar("SELECT count(*) FROM pelatis_search_client('''σπαν'':*')")
        .fetch_one(&mut *transaction)
        .await
        .unwrap();
    assert_eq!(bare, 10);
    transaction.commit().await.unwrap();
    sqlx::raw_sql("SELECT pg_stat_force_next_flush()").execute(&mut server).await.unwrap();
    sqlx::raw_sql("SELECT 1").execute(&mut server).await.unwrap();
    let mut after = scans().await;
    for _ in 0..50 {
        if after > before {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        after = scans().await;
    }
    assert!(after >= before + 2, "{before} scans of the index before, {after} after");
    assert_eq!(clients(&app, "σπανιο").await.len(), 10);
    // without a workspace the function finds nothing
    let none: i64 =
        sqlx::query_scalar("SELECT count(*) FROM pelatis_search_client('''σπαν'':*')").fetch_one(&mut server).await.unwrap();
    assert_eq!(none, 0);
}
