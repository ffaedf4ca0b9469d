//! `GET /v1/clients/export`: what it has in it, who gets it, and what the journal tells of it.
//!
//! Faults that were put in to see it fail: a batch that begins with the record that the one before ended with, a view of all for whoever
//! sees their own, an apostrophe less, an end that is not journaled, one who was let go and is sent the rest.

use std::time::Duration;

use clients::clients::ClientExport;
use harness::{Session, TestApp};
use kernel::TypedId as _;
use platform::export::Export as _;
use platform::table::{Head, ReadRow, Reading, Sink, TableForm, harmless, read};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// A table that was read back.
#[derive(Debug, Default, PartialEq)]
struct Table {
    headers: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Sink for Table {
    fn head(&mut self, head: Head) -> kernel::Result<bool> {
        self.headers = head.headers;
        Ok(true)
    }
    fn row(&mut self, row: ReadRow) -> kernel::Result<bool> {
        self.rows.push(row.unwrap().values);
        Ok(true)
    }
}

/// Exports clients, and reads the table with the readers of imports.
async fn export(app: &TestApp, session: &Session, form: TableForm, query: &str) -> Table {
    export_of(app, session, "clients", form, query).await
}

async fn export_of(app: &TestApp, session: &Session, records: &str, form: TableForm, query: &str) -> Table {
    let path = format!("/v1/{records}/export?format={}&{query}", form.as_str());
    let answer = app.request(Method::GET, &path, session).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), form.mime_type());
    let name = header("content-disposition");
    assert!(
        name.starts_with(&format!("attachment; filename=\"{records}-2")) && name.ends_with(&format!(".{}\"", form.as_str())),
        "{name}"
    );
    let bytes = answer.bytes().await.unwrap();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut file, &bytes).unwrap();
    let mut table = Table::default();
    read(file.reopen().unwrap(), form, &Reading::default(), &mut table).unwrap();
    table
}

/// The columns of an export where there are no custom fields, which have one each.
fn columns_of(members: &[&'static str]) -> Vec<&'static str> {
    members.iter().copied().filter(|member| *member != "custom_fields").collect()
}

/// A member of the wire form as it stands in a cell.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(list) => {
            let text = |item: &Value| cell(item.get("address").or(item.get("number")).unwrap_or(item));
            list.iter().map(text).collect::<Vec<_>>().join(", ")
        }
        Value::Object(address) => {
            let parts = ["line1", "line2", "postal_code", "city", "region", "country"];
            parts.iter().filter_map(|part| address.get(*part)?.as_str()).collect::<Vec<_>>().join(", ")
        }
        other => panic!("{other}"),
    }
}

/// All clients of a list, by its pages.
async fn listed(app: &TestApp, session: &Session, query: &str) -> Vec<Value> {
    listed_of(app, session, "clients", query).await
}

async fn listed_of(app: &TestApp, session: &Session, records_of: &str, query: &str) -> Vec<Value> {
    let (mut records, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = app.get(&format!("/v1/{records_of}?limit=7&{query}{cursor}"), session).await.expect(200).body;
        records.extend(page["data"].as_array().unwrap().iter().cloned());
        match page["page"]["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return records,
        }
    }
}

/// What the list says, as a table.
fn as_table(records: &[Value], columns: &[&str], form: TableForm) -> Table {
    let shown = |value: &Value| match form {
        TableForm::Csv => harmless(&cell(value)).into_owned(),
        TableForm::Xlsx => cell(value),
    };
    let rows = records.iter().map(|record| columns.iter().map(|column| shown(&record[*column])).collect());
    Table { headers: columns.iter().map(|&column| column.to_owned()).collect(), rows: rows.collect() }
}

const FORMS: [TableForm; 2] = [TableForm::Csv, TableForm::Xlsx];

#[tokio::test]
async fn an_export_has_what_all_pages_of_its_list_have_in_their_order() {
    let app = TestApp::spawn().await;
    let tag = app.post("/v1/tags", &app.admin, &json!({ "name": "vip" })).await.expect(201).id();
    // more than several batches, and few and many that pass a filter
    for number in 0..40 {
        let body = json!({
            "kind": if number % 3 == 0 { "person" } else { "company" },
            "name": format!("Πελάτης \"{}\", {number}\nΑΕ", ["β", "α", "γ"][number % 3]),
            "status": if number % 5 == 0 { "inactive" } else { "active" },
            "tax_number": (number % 2 == 0).then(|| number.to_string()),
            "phone": "+30 210 1234567",
            "emails": [{ "kind": "work", "address": format!("a{number}@example.com") }, { "kind": "home", "address": "b@example.com" }],
            "phones": [{ "kind": "mobile", "number": "6900000000" }],
            "main_address": { "line1": "Ερμού 1", "city": "Αθήνα", "postal_code": "10563", "country": "GR" },
            "roles": ["customer", "vendor"], "source": "event", "owner_id": (number == 7).then_some(&app.admin.user_id),
        });
        let id = app.post("/v1/clients", &app.admin, &body).await.expect(201).id();
        if number % 2 == 0 {
            app.post(&format!("/v1/clients/{id}/tags"), &app.admin, &json!({ "tag_id": tag })).await.expect(200);
        }
        if number % 10 == 0 {
            app.delete(&format!("/v1/clients/{id}"), &app.admin).await.expect(204);
        }
    }
    let members = &columns_of(clients::clients::CLIENT_LIST.members);
    for (query, count) in [
        (String::new(), 36),
        ("sort=name".to_owned(), 36),
        ("sort=-name&status=active".to_owned(), 32),
        ("sort=status,-created_at&archived=true".to_owned(), 40),
        ("sort=tax_number,name".to_owned(), 36),
        ("archived=only&sort=-updated_at".to_owned(), 4),
        ("q=πελατης&sort=name".to_owned(), 36),
        ("q=γ".to_owned(), 12),
        (format!("tag_id={tag}&kind=company"), 11),
        (format!("owner_id={}", app.admin.user_id), 1),
        ("email[like]=a1&sort=email".to_owned(), 10),
        ("name=nobody".to_owned(), 0),
    ] {
        let records = listed(&app, &app.admin, &query).await;
        assert_eq!(records.len(), count, "{query}");
        for form in FORMS {
            let whole = export(&app, &app.admin, form, &query).await;
            assert_eq!(whole, as_table(&records, members, form), "{query}");
            let chosen = ["updated_at", "name", "emails"];
            let some = export(&app, &app.admin, form, &format!("columns={}&{query}", chosen.join(","))).await;
            assert_eq!(some, as_table(&records, &chosen, form), "{query}");
        }
    }
}

#[tokio::test]
async fn of_a_list_that_changes_meanwhile_each_client_that_stays_comes_once_and_in_order() {
    let app = TestApp::spawn().await;
    let mut ids = Vec::new();
    for number in 0..40 {
        ids.push(app.client(&app.admin, &format!("m{number:02}")).await);
    }
    let store = app.store().await;
    let workspace = kernel::WorkspaceId::from_uuid(app.workspace.parse().unwrap());
    let caller = kernel::Caller::job(store.runtime().uuid(), Some(workspace), kernel::Cause::Command);
    let by_name = [("sort".to_owned(), "name".to_owned())];
    let query = store::list::ListQuery::parse_whole(&clients::clients::CLIENT_LIST, &by_name, &[]).unwrap();
    let mut list = store::list::Whole::new(query);
    let (mut seen, mut rounds) = (Vec::new(), 0);
    while !list.is_over() {
        let mut reader = store.reader(&caller).await.unwrap();
        let batch = ClientExport::batch(&mut reader, &caller, &mut list).await.unwrap();
        reader.close().await.unwrap();
        seen.extend(batch.into_iter().map(|client| client.name));
        // one comes before what was read, one behind it; one that was read goes, and one that was to come
        if rounds < 3 {
            app.client(&app.admin, &format!("a{rounds}")).await;
            app.client(&app.admin, &format!("z{rounds}")).await;
            for gone in [rounds, 39 - rounds] {
                app.delete(&format!("/v1/clients/{}", ids[gone]), &app.admin).await.expect(204);
            }
        }
        rounds += 1;
    }
    assert!(rounds >= 5, "{rounds}");
    let expected = (0..37).map(|number| format!("m{number:02}")).chain((0..3).map(|number| format!("z{number}")));
    assert_eq!(seen, expected.collect::<Vec<_>>());
}

#[tokio::test]
async fn a_client_whose_name_is_a_formula_is_text_in_every_table() {
    let app = TestApp::spawn().await;
    let names = ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "a=1"];
    for name in names {
        app.client(&app.admin, name).await;
    }
    let text = app.get("/v1/clients/export?columns=name&sort=created_at", &app.admin).await.expect(200).text;
    assert_eq!(text, "\u{feff}name\r\n'=cmd|' /C calc'!A0\r\n'+1\r\n'-1\r\n'@SUM(A1)\r\na=1\r\n");
    let path = "/v1/clients/export?columns=name&sort=created_at&format=xlsx";
    let bytes = app.request(Method::GET, path, &app.admin).send().await.unwrap().bytes().await.unwrap();
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    let mut sheet = String::new();
    std::io::Read::read_to_string(&mut archive.by_name("xl/worksheets/sheet1.xml").unwrap(), &mut sheet).unwrap();
    assert!(
        !sheet.contains("<f") && sheet.contains("t=\"inlineStr\"><is><t xml:space=\"preserve\">=cmd|' /C calc'!A0</t>"),
        "{sheet}"
    );
    let read = export(&app, &app.admin, TableForm::Xlsx, "columns=name&sort=created_at").await;
    assert_eq!(read.rows, names.map(|name| vec![name.to_owned()]));
}

#[tokio::test]
async fn everything_that_is_wrong_with_an_export_is_named_with_what_there_is() {
    let app = TestApp::spawn().await;
    let path = "/v1/clients/export?format=pdf&columns=name,shoe,name&limit=3&cursor=x&count=exact&include=tags&fields=name&colour=red\
                &sort=-weight&status=asleep";
    let refused = app.get(path, &app.admin).await.expect_problem(422, "validation_failed");
    let expected =
        ["?colour", "?columns", "?columns", "?count", "?cursor", "?fields", "?format", "?include", "?limit", "?sort", "?status"];
    assert_eq!(refused.pointers(), expected);
    for known in ["there are id, kind, name, legal_name", "sort, format, columns, q, archived", "csv, xlsx"] {
        assert!(refused.text.contains(known), "{known} in {}", refused.text);
    }
    for columns in ["columns=", "columns=name,", "columns=search_text", "columns=tags"] {
        app.get(&format!("/v1/clients/export?{columns}"), &app.admin).await.expect_problem(422, "validation_failed");
    }
    assert_eq!(exports(&app).await, [""; 0]);
}

/// What the journal tells of exports, oldest first.
async fn exports(app: &TestApp) -> Vec<String> {
    app.db.rows("SELECT event FROM journal_entry WHERE action = 'export' ORDER BY number").await
}

#[tokio::test]
async fn whoever_sees_their_own_exports_their_own_and_whoever_may_not_export_gets_nothing() {
    let app = TestApp::spawn().await;
    app.role(&app.admin, "exporter", &["clients.view_own", "clients.create", "clients.export"]).await;
    app.role(&app.admin, "blind", &["clients.export"]).await;
    let exporter = app.member(&app.admin, "exporter", "exporter@example.com").await;
    for number in 0..10 {
        app.client(&exporter, &format!("own {number}")).await;
        app.client(&app.admin, &format!("other {number}")).await;
    }
    let owned = json!({ "kind": "company", "name": "owned", "owner_id": exporter.user_id });
    app.post("/v1/clients", &app.admin, &owned).await.expect(201);
    for form in FORMS {
        for query in ["sort=name", "sort=-created_at", "archived=true&q=o", "name[like]=other"] {
            let records = listed(&app, &exporter, query).await;
            assert!(records.len() == 11 || query.contains("other") && records.is_empty(), "{query}");
            assert_eq!(
                export(&app, &exporter, form, &format!("columns=name&{query}")).await,
                as_table(&records, &["name"], form)
            );
        }
    }
    let before = exports(&app).await.len();
    let viewer = app.member(&app.admin, "viewer", "viewer@example.com").await;
    let blind = app.member(&app.admin, "blind", "blind@example.com").await;
    for session in [&viewer, &blind] {
        app.get("/v1/clients/export", session).await.expect_problem(403, "forbidden");
    }
    app.get("/v1/clients/export", &Session::nobody()).await.expect_problem(401, "unauthenticated");
    assert_eq!(exports(&app).await.len(), before);
    // another workspace's are none of it
    let elsewhere = app.second_workspace("elsewhere").await;
    assert_eq!(export(&app, &elsewhere, TableForm::Csv, "columns=name").await.rows, [[""; 0]; 0]);
}

#[tokio::test]
async fn contacts_are_exported_as_they_are_listed_and_whoever_sees_none_exports_none() {
    let app = TestApp::spawn().await;
    app.role(&app.admin, "exporter", &["clients.view_own", "clients.create", "clients.edit", "contacts.view", "clients.export"])
        .await;
    app.role(&app.admin, "clients_only", &["clients.view_all", "clients.export"]).await;
    let exporter = app.member(&app.admin, "exporter", "exporter@example.com").await;
    let client = app.client(&exporter, "own").await;
    for number in 0..20 {
        let body = json!({
            "given_name": format!("=Ελένη {number}"), "family_name": "Παπά", "position": "CEO",
            "emails": [{ "kind": "work", "address": format!("e{number}@example.com") }], "phone": "+30 210 1234567",
        });
        let contact = app.post("/v1/contacts", &app.admin, &body).await.expect(201).id();
        if number % 2 == 0 {
            let link = json!({ "contact_id": contact });
            app.post(&format!("/v1/clients/{client}/contacts"), &app.admin, &link).await.expect(201);
        }
    }
    let by_client = format!("client_id={client}&sort=name");
    for (session, query, count) in [
        (&app.admin, "", 20),
        (&app.admin, "sort=-name&q=παπα", 20),
        (&app.admin, by_client.as_str(), 10),
        (&exporter, "sort=email", 10),
        (&exporter, "email=e1@example.com", 0),
    ] {
        let records = listed_of(&app, session, "contacts", query).await;
        assert_eq!(records.len(), count, "{query}");
        for form in FORMS {
            let table = export_of(&app, session, "contacts", form, query).await;
            assert_eq!(table, as_table(&records, &columns_of(clients::contacts::CONTACT_LIST.members), form), "{query}");
        }
    }
    let blind = app.member(&app.admin, "clients_only", "blind@example.com").await;
    app.get("/v1/clients/export", &blind).await.expect(200);
    app.get("/v1/contacts/export", &blind).await.expect_problem(403, "forbidden");
    let told = "SELECT DISTINCT event FROM journal_entry WHERE action = 'export' AND record_type = 'contact' ORDER BY event";
    assert_eq!(app.db.rows(told).await, ["contact.export_started", "contact.exported"]);
}

#[tokio::test]
async fn the_journal_tells_who_exported_what_and_how_much() {
    let app = TestApp::spawn().await;
    for number in 0..20 {
        app.client(&app.admin, &format!("Παπάς {number}")).await;
    }
    let answer = app.get("/v1/clients/export?columns=name,status&q=παπας&sort=name", &app.admin).await.expect(200);
    let request = answer.header("x-request-id").unwrap();
    let trail = app.get("/v1/audit?action=export&sort=at", &app.admin).await.expect(200).body;
    let entries = trail["data"].as_array().unwrap();
    assert_eq!(entries.len(), 2, "{trail}");
    for (entry, event) in entries.iter().zip(["client.export_started", "client.exported"]) {
        assert_eq!((&entry["event"], &entry["record_type"]), (&json!(event), &json!("client")));
        assert_eq!((&entry["request_id"], &entry["actor"]["user_id"]), (&json!(request), &json!(app.admin.user_id)));
        let changes = &entry["changes"];
        assert_eq!(
            changes["query"]["to"],
            kernel::percent::query_string(&[("q".to_owned(), "παπας".to_owned()), ("sort".to_owned(), "name".to_owned()),])
        );
        assert_eq!((&changes["columns"]["to"], &changes["format"]["to"]), (&json!(["name", "status"]), &json!("csv")));
    }
    assert!(entries[0]["changes"].get("rows").is_none());
    let ended = &entries[1]["changes"];
    assert_eq!((&ended["rows"]["to"], &ended["is_whole"]["to"]), (&json!(20), &json!(true)));
    // whom somebody looked for stands in the side that can be erased
    let plain = app.db.rows("SELECT CAST(changes AS text) FROM journal_entry WHERE action = 'export'").await;
    assert!(plain.iter().all(|changes| !changes.contains("%CF%80")), "{plain:?}");
    // its head is no export
    let head = app.request(Method::HEAD, "/v1/clients/export", &app.admin).send().await.unwrap();
    assert_eq!((head.status().as_u16(), head.headers()["content-type"].to_str().unwrap()), (200, "text/csv; charset=utf-8"));
    assert_eq!(exports(&app).await.len(), 2);
}

/// Clients with as much in them as there can be.
async fn long_clients(app: &TestApp, count: usize) {
    // all of them are alike, which nobody needs to be told of each
    app.patch("/v1/settings", &app.admin, &json!({ "duplicates.on_create": "off" })).await.expect(200);
    let emails: Vec<Value> = (0..20)
        .map(|number| json!({ "kind": "work", "address": format!("{}@{}.example.com", "a".repeat(60), number) }))
        .collect();
    let text = "λ".repeat(200);
    let address = json!({ "line1": text, "line2": text, "city": "λ".repeat(100), "region": "λ".repeat(100) });
    let body = json!({
        "kind": "company", "name": text, "legal_name": text, "emails": emails, "main_address": address, "billing_address": address,
        "shipping_address": address,
    });
    for _ in 0..count.div_ceil(100) {
        let operations: Vec<Value> = (0..100).map(|_| json!({ "op": "create", "data": body })).collect();
        app.post("/v1/clients/bulk", &app.admin, &json!({ "operations": operations })).await.expect(200);
    }
}

/// A download that has begun, and of which little was taken.
async fn begun(app: &TestApp, session: &Session) -> tokio::net::TcpStream {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut line = socket.connect(app.base.trim_start_matches("http://").parse().unwrap()).await.unwrap();
    let token = session.token.as_deref().unwrap();
    let request = format!("GET /v1/clients/export HTTP/1.1\r\nhost: pelatis\r\nauthorization: Bearer {token}\r\n\r\n");
    line.write_all(request.as_bytes()).await.unwrap();
    let mut first = [0; 1000];
    line.read_exact(&mut first).await.unwrap();
    assert!(first.starts_with(b"HTTP/1.1 200 "));
    line
}

/// What the journal tells of exports that have ended, once there are so many.
async fn ended(app: &TestApp, count: usize) -> Vec<Value> {
    let told = "SELECT CAST(changes AS text) FROM journal_entry WHERE event = 'client.exported' ORDER BY number";
    for _ in 0..400 {
        let ended = app.db.rows(told).await;
        if ended.len() == count {
            return ended.iter().map(|changes| serde_json::from_str(changes).unwrap()).collect();
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{count} exports have not ended");
}

#[tokio::test]
async fn an_export_ends_for_one_who_may_not_any_more() {
    let app = TestApp::spawn().await;
    long_clients(&app, 1500).await;
    let manager = app.member(&app.admin, "sales_manager", "manager@example.com").await;
    let mut line = begun(&app, &manager).await;
    app.patch(&format!("/v1/users/{}", manager.user_id), &app.admin, &json!({ "is_active": false })).await.expect(200);
    app.clock.advance(chrono::Duration::minutes(1));
    let mut rest = Vec::new();
    // cut, or ended without the end of what was announced
    let _ = line.read_to_end(&mut rest).await;
    assert!(!rest.ends_with(b"0\r\n\r\n"));
    let told = ended(&app, 1).await.remove(0);
    assert!(told["is_whole"]["to"] == false && told["rows"]["to"].as_u64().unwrap() < 1500, "{told}");
}

#[tokio::test]
async fn a_download_that_is_broken_off_harms_nothing_and_one_that_runs_when_the_server_stops_is_given_out_whole() {
    let mut app = TestApp::spawn().await;
    // more than the machine keeps on its way between two of its own programs
    long_clients(&app, 1500).await;
    for _ in 0..2 {
        drop(begun(&app, &app.admin).await);
    }
    for changes in ended(&app, 2).await {
        assert!(changes["is_whole"]["to"] == false && changes["rows"]["to"].as_u64().unwrap() < 1500, "{changes}");
    }
    // everybody is served as before
    assert_eq!(export(&app, &app.admin, TableForm::Csv, "columns=id").await.rows.len(), 1500);
    app.client(&app.admin, "after").await;
    // one that runs when the server is asked to stop
    let mut line = begun(&app, &app.admin).await;
    app.ask_to_stop();
    while tokio::net::TcpStream::connect(app.base.trim_start_matches("http://")).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let mut rest = Vec::new();
    line.read_to_end(&mut rest).await.unwrap();
    assert!(rest.ends_with(b"0\r\n\r\n"), "it came to its end");
    app.stop().await;
    let told = ended(&app, 4).await.remove(3);
    assert!(told["is_whole"]["to"] == true && told["rows"]["to"] == 1501, "{told}");
}
