//! Clients from CSV files as people have them: right rows go in, wrong ones are reported with line, column and reason, and a second
//! run changes nothing.

use std::io::Cursor;
use std::sync::Arc;

use clients::import::{ImportOptions, import_csv};
use harness::TestApp;
use kernel::{Caller, Cause, Permission, PermissionSet, Result, TypedId as _, WorkspaceId};
use platform::csv_source::Options;
use platform::imports::{ImportCounts, ImportIssue};
use serde_json::{Value, json};
use store::Store;

struct Importer {
    app: TestApp,
    store: Store,
}

impl Importer {
    async fn new() -> Self {
        let app = TestApp::spawn().await;
        let store = app.store().await;
        Self { app, store }
    }

    fn caller(&self) -> Caller {
        let run = kernel::Runtime::system().uuid();
        Caller::job(run, Some(WorkspaceId::from_uuid(self.app.workspace.parse().unwrap())), Cause::Import(run))
    }

    async fn run_as(&self, caller: Caller, file: &[u8]) -> Result<(ImportCounts, Vec<ImportIssue>)> {
        let options = ImportOptions { csv: Options::default(), source: "csv".to_owned(), file_name: "clients.csv".to_owned() };
        let mut issues = Vec::new();
        let file = Cursor::new(file.to_vec());
        let (_, counts) =
            import_csv(&self.store, &Arc::new(caller), file, &options, |issue: &ImportIssue| issues.push(issue.clone()), |_| {})
                .await?;
        Ok((counts, issues))
    }

    async fn run(&self, file: &[u8]) -> (ImportCounts, Vec<ImportIssue>) {
        self.run_as(self.caller(), file).await.unwrap()
    }

    /// Imports what must go in whole.
    async fn all_right(&self, file: &[u8]) -> ImportCounts {
        let (counts, issues) = self.run(file).await;
        assert!(issues.is_empty(), "{issues:?}");
        counts
    }

    async fn clients(&self) -> Vec<Value> {
        let page = self.app.get("/v1/clients?sort=name&limit=200&include=contacts,owner", &self.app.admin).await.expect(200).body;
        page["data"].as_array().unwrap().clone()
    }

    async fn names(&self) -> Vec<String> {
        self.clients().await.iter().map(|client| client["name"].as_str().unwrap().to_owned()).collect()
    }

    async fn entries(&self) -> i64 {
        self.app.count("journal_entry").await
    }
}

fn counts(rows_read: i64, created: i64, changed: i64, unchanged: i64, wrong: i64) -> ImportCounts {
    ImportCounts { rows_read, created, changed, unchanged, wrong }
}

fn places(issues: &[ImportIssue]) -> Vec<(u64, Option<&str>, &str)> {
    issues.iter().map(|issue| (issue.line, issue.column.as_deref(), issue.code.as_str())).collect()
}

#[tokio::test]
async fn a_file_with_a_byte_order_mark_semicolons_crlf_and_quoted_newlines_goes_in() {
    let importer = Importer::new().await;
    let file = "\u{feff}name;email;address;tax_number\r\n\"Παπάς; \"\"ΑΕ\"\"\";Info@Papas.gr;\"Οδός 1\r\nΌροφος 2\";EL1\r\n\r\n🚢 Πλοία;;;\r\n";
    assert_eq!(importer.all_right(file.as_bytes()).await, counts(2, 2, 0, 0, 0));
    let clients = importer.clients().await;
    assert_eq!((&clients[0]["name"], &clients[1]["name"]), (&json!("Παπάς; \"ΑΕ\""), &json!("🚢 Πλοία")));
    assert_eq!(clients[0]["main_address"]["line1"].as_str().unwrap().replace('\r', ""), "Οδός 1\nΌροφος 2");
    assert_eq!((&clients[0]["emails"][0]["address"], &clients[1]["emails"]), (&json!("Info@Papas.gr"), &json!([])));
}

#[tokio::test]
async fn a_file_in_windows_1253_with_greek_headers_goes_in() {
    let importer = Importer::new().await;
    // "ΕΠΩΝΥΜΙΑ,ΑΦΜ,Πόλη,Χώρα\nΆλφα Μεζές,099,Αθήνα,gr\n"
    let greek = |text: &str| -> Vec<u8> {
        text.chars()
            .map(|letter| match letter {
                'Ά' => 0xA2,
                'ς'..='ώ' | 'Α'..='Ρ' | 'Σ'..='ώ' => u8::try_from(u32::from(letter) - 0x2D0).unwrap(),
                other => u8::try_from(u32::from(other)).unwrap(),
            })
            .collect()
    };
    assert_eq!(importer.all_right(&greek("ΕΠΩΝΥΜΙΑ,ΑΦΜ,Πόλη,Χώρα\nΆλφα Μεζές,099,Αθήνα,gr\n")).await.created, 1);
    let client = &importer.clients().await[0];
    assert_eq!((&client["name"], &client["tax_number"]), (&json!("Άλφα Μεζές"), &json!("099")));
    assert_eq!(client["main_address"], json!({ "city": "Αθήνα", "country": "GR" }));
}

#[tokio::test]
async fn a_file_without_a_header_or_without_the_column_name_is_refused_and_the_error_names_it() {
    let importer = Importer::new().await;
    let before = importer.entries().await;
    for (file, code) in [
        ("", "empty_file"),
        ("\n\n", "missing_header"),
        ("email,phone\na@b.gr,1\n", "missing_column"),
        ("name,name\na,b\n", "duplicate_column"),
        ("PK\u{3}\u{4}xx", "not_csv"),
    ] {
        let error = importer.run_as(importer.caller(), file.as_bytes()).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.fields()[0].pointer.as_str(), &*error.fields()[0].code),
            (kernel::Kind::Invalid, "header", code),
            "{file}"
        );
        if code == "missing_column" {
            assert!(error.fields()[0].message.contains("name"));
        }
    }
    assert_eq!(
        (importer.entries().await, importer.app.count("import_run").await, importer.app.count("client").await),
        (before, 0, 0)
    );
}

#[tokio::test]
async fn of_two_hundred_columns_those_that_nobody_knows_are_reported_and_the_rest_is_read() {
    let importer = Importer::new().await;
    let mut header = vec!["name".to_owned(), "company".to_owned(), "phone".to_owned()];
    header.extend((header.len()..200).map(|number| format!("column {number}")));
    let row: Vec<String> = (0..200).map(|number| number.to_string()).collect();
    let (read, issues) = importer.run(format!("{}\n{}\n", header.join(","), row.join(",")).as_bytes()).await;
    assert_eq!(read, counts(1, 1, 0, 0, 0));
    assert!(
        issues
            .iter()
            .any(|issue| (issue.line, issue.column.as_deref(), issue.code.as_str()) == (1, Some("column 199"), "unknown_column"))
    );
    assert_eq!(issues.iter().filter(|issue| issue.code == "unknown_column").count(), 197);
    // a second column for the same thing is not read either, and that is said
    assert!(issues.iter().any(|issue| issue.column.as_deref() == Some("company")), "{issues:?}");
    assert_eq!((importer.names().await, importer.clients().await[0]["phone"].clone()), (vec!["0".to_owned()], json!("2")));
    assert_eq!(importer.app.count("import_issue").await, i64::try_from(issues.len()).unwrap());
}

#[tokio::test]
async fn wrong_rows_are_reported_with_line_column_and_reason_while_right_ones_go_in() {
    let importer = Importer::new().await;
    let file = "name,email,country,status,acquisition_stage,owner_email,contact_given_name,contact_email\n\
                right,a@b.gr,GR,active,lead,admin@example.com,Μαρία,m@b.gr\n\
                ,a@b.gr,,,,,,\n\
                bad email,nobody,,,,,,\n\
                bad country,,Greece,,,,,\n\
                bad status,,,asleep,,,,\n\
                bad stage,,,,nowhere,,,\n\
                bad owner,,,,,nobody@example.com,,\n\
                bad contact,,,,,,Νίκος,nobody\n\
                no contact name,,,,,,,x@b.gr\n\
                too,few\n\
                also right,,CY,inactive,Closed-Won,ADMIN@example.com,,\n";
    let (read, issues) = importer.run(file.as_bytes()).await;
    let mut found = places(&issues);
    found.sort();
    assert_eq!(
        found,
        [
            (3, Some("name"), "required"),
            (4, Some("email"), "email"),
            (5, Some("country"), "invalid_country"),
            (6, Some("status"), "unknown_value"),
            (7, Some("acquisition_stage"), "unknown_value"),
            (8, Some("owner_email"), "not_a_member"),
            (9, Some("contact_email"), "email"),
            (10, Some("contact_given_name"), "required"),
            (11, None, "wrong_number_of_fields"),
        ]
    );
    assert!(issues.iter().all(|issue| issue.reason.len() > 5));
    assert_eq!(read, counts(11, 2, 0, 0, 9));
    let clients = importer.clients().await;
    assert_eq!(importer.names().await, ["also right", "right"]);
    assert_eq!(
        (&clients[0]["acquisition_stage"], &clients[0]["owner"]["id"]),
        (&json!("closed_won"), &json!(importer.app.admin.user_id))
    );
    assert_eq!(
        (&clients[1]["contacts"][0]["contact"]["given_name"], &clients[1]["contacts"][0]["is_primary"]),
        (&json!("Μαρία"), &json!(true))
    );
}

#[tokio::test]
async fn a_second_run_changes_nothing_and_a_changed_row_is_one_update() {
    let importer = Importer::new().await;
    let file = "external_id,name,phone,contact_given_name,contact_email\n1,a,10,x,x@a.gr\n1,a,10,y,y@a.gr\n2,b,20,,\n3,c,,z,\n";
    assert_eq!(importer.all_right(file.as_bytes()).await.created, 3);
    let (before, entries) = (importer.clients().await, importer.entries().await);
    assert_eq!(importer.all_right(file.as_bytes()).await, counts(4, 0, 0, 4, 0));
    assert_eq!(importer.clients().await, before);
    // its own bookkeeping: started and finished
    assert_eq!(importer.entries().await, entries + 2);
    let changed = file.replace("2,b,20", "2,b,21");
    assert_eq!(importer.all_right(changed.as_bytes()).await, counts(4, 0, 1, 3, 0));
    assert_eq!(importer.entries().await, entries + 5);
    let id = before[1]["id"].as_str().unwrap();
    assert_eq!(importer.app.actions_of(id).await, ["create", "update"]);
    let trail = importer.app.get(&format!("/v1/clients/{id}/audit?sort=-at&limit=1"), &importer.app.admin).await.expect(200).body;
    let entry = &trail["data"][0];
    assert_eq!((&entry["changes"], &entry["cause"]), (&json!({ "phone": { "from": "20", "to": "21" } }), &json!("import")));
    // an empty field changes nothing
    let silent = file.replace("2,b,20", "2,b,");
    assert_eq!(importer.all_right(silent.as_bytes()).await, counts(4, 0, 0, 4, 0));
}

#[tokio::test]
async fn an_address_of_a_file_stands_beside_those_that_others_have_added() {
    let importer = Importer::new().await;
    let file = "external_id,name,email,contact_given_name,contact_email\n1,a,a@a.gr,x,x@a.gr\n";
    importer.all_right(file.as_bytes()).await;
    let (app, client) = (&importer.app, importer.clients().await[0].clone());
    let contact = client["contacts"][0]["contact"]["id"].as_str().or(client["contacts"][0]["id"].as_str()).unwrap().to_owned();
    let paths = [format!("/v1/clients/{}", client["id"].as_str().unwrap()), format!("/v1/contacts/{contact}")];
    let emails = |first: &str, others: &[&str]| {
        let others = others.iter().map(|address| json!({ "kind": "other", "address": address }));
        let all: Vec<Value> = [json!({ "kind": "work", "address": first })].into_iter().chain(others).collect();
        json!({ "emails": all })
    };
    for (path, first) in paths.iter().zip(["a@a.gr", "x@a.gr"]) {
        app.patch(path, &app.admin, &emails(first, &["added@a.gr"])).await.expect(200);
    }
    let of = async |path: &str| app.get(path, &app.admin).await.expect(200).body["emails"].clone();

    // what it says is there, first or not
    for same in [file.to_owned(), file.replace("a@a.gr,x", "added@a.gr,x")] {
        assert_eq!(importer.all_right(same.as_bytes()).await, counts(1, 0, 0, 1, 0), "{same}");
    }
    for (path, first) in paths.iter().zip(["a@a.gr", "x@a.gr"]) {
        assert_eq!(of(path).await, emails(first, &["added@a.gr"])["emails"]);
    }
    let changed = file.replace("a@a.gr,x", "new@a.gr,x");
    assert_eq!(importer.all_right(changed.as_bytes()).await, counts(1, 0, 1, 0, 0));
    let mut wanted = emails("a@a.gr", &["added@a.gr"])["emails"].clone();
    wanted.as_array_mut().unwrap().insert(0, emails("new@a.gr", &[])["emails"][0].clone());
    assert_eq!(of(&paths[0]).await, wanted);
}

#[tokio::test]
async fn several_contacts_of_one_client_have_exactly_one_primary_also_in_a_later_run() {
    let importer = Importer::new().await;
    let file = "external_id,name,contact_given_name,contact_email,contact_role\n1,a,,,\n1,a,x,x@a.gr,CEO\n1,a,y,y@a.gr,\n2,b,x,x@a.gr,\n1,a,z,,\n";
    importer.all_right(file.as_bytes()).await;
    let more = "external_id,name,contact_given_name,contact_email\n1,a,w,w@a.gr\n3,c,q,\n3,c,r,\n";
    importer.all_right(more.as_bytes()).await;
    let contacts: Vec<(usize, usize)> = importer
        .clients()
        .await
        .iter()
        .map(|client| {
            let contacts = client["contacts"].as_array().unwrap();
            (contacts.len(), contacts.iter().filter(|link| link["is_primary"] == true).count())
        })
        .collect();
    assert_eq!(contacts, [(4, 1), (1, 1), (2, 1)]);
    assert_eq!(importer.clients().await[0]["contacts"][0]["role"], "CEO");
}

#[tokio::test]
async fn rows_of_one_client_that_contradict_each_other_are_reported_and_the_first_one_counts() {
    let importer = Importer::new().await;
    let file = "external_id,name,phone\n1,a,10\n1,a,11\n1,a,10\n";
    for run in 0..2 {
        let (read, issues) = importer.run(file.as_bytes()).await;
        assert_eq!(places(&issues), [(3, None, "conflicting_row")], "run {run}");
        assert!(issues[0].reason.contains("line 2"), "{}", issues[0].reason);
        assert_eq!((read.wrong, read.changed), (1, 0));
    }
    assert_eq!(importer.clients().await[0]["phone"], "10");
}

#[tokio::test]
async fn what_a_row_leaves_empty_contradicts_nothing_and_what_a_later_row_adds_goes_in() {
    let importer = Importer::new().await;
    let mut file = "external_id,name,phone,website,city\n1,a,10,,\n1,a,,,\n1,a,,a.example,Αθήνα\n2,b,,,\n".to_owned();
    for number in 10..700 {
        file.push_str(&format!("{number},n{number},,,\n"));
    }
    file.push_str("2,b,20,,\n1,a,10,b.example,\n");
    for run in 0..2 {
        let (read, issues) = importer.run(file.as_bytes()).await;
        assert_eq!(places(&issues), [(697, None, "conflicting_row")], "run {run}");
        assert_eq!((read.changed, read.wrong), (if run == 0 { 2 } else { 0 }, 1), "run {run}");
    }
    let filled = "SELECT name || phone || COALESCE(website, '') FROM client WHERE phone IS NOT NULL ORDER BY name";
    assert_eq!(importer.app.db.rows(filled).await, ["a10a.example", "b20"]);
}

#[tokio::test]
async fn rows_that_contradict_each_other_are_found_however_far_apart_they_are() {
    let importer = Importer::new().await;
    let mut file = "external_id,name,phone\nx,first,10\n".to_owned();
    for number in 0..600 {
        file.push_str(&format!("{number},n{number},\n"));
    }
    file.push_str("x,first,11\n");
    for run in 0..2 {
        let (read, issues) = importer.run(file.as_bytes()).await;
        assert_eq!(places(&issues), [(603, None, "conflicting_row")], "run {run}");
        assert_eq!((read.changed, read.wrong), (0, 1));
    }
}

#[tokio::test]
async fn a_row_that_the_database_refuses_does_not_hide_rows_that_contradict_each_other() {
    let importer = Importer::new().await;
    importer.all_right(b"external_id,name\n9,archived\n").await;
    let id = importer.clients().await[0]["id"].as_str().unwrap().to_owned();
    importer.app.delete(&format!("/v1/clients/{id}"), &importer.app.admin).await.expect(204);
    let (read, issues) = importer.run(b"external_id,name,phone\n1,a,10\n9,other,1\n1,a,11\n").await;
    assert_eq!(places(&issues), [(3, None, "archived"), (4, None, "conflicting_row")]);
    assert_eq!(read, counts(3, 1, 0, 0, 2));
}

#[tokio::test]
async fn of_rows_beyond_one_batch_the_wrong_ones_alone_are_left_out() {
    let importer = Importer::new().await;
    let mut file = "name,email,acquisition_stage\n".to_owned();
    for number in 2..=1_201 {
        match number {
            7 | 800 => file.push_str(&format!("n{number},nobody,\n")),
            1_100 => file.push_str(&format!("n{number},,nowhere\n")),
            _ => file.push_str(&format!("n{number},n{number}@example.com,lead\n")),
        }
    }
    let (read, issues) = importer.run(file.as_bytes()).await;
    assert_eq!(
        places(&issues),
        [(7, Some("email"), "email"), (800, Some("email"), "email"), (1_100, Some("acquisition_stage"), "unknown_value")]
    );
    assert_eq!((read, importer.app.count("client").await), (counts(1_200, 1_197, 0, 0, 3), 1_197));
    let state = importer
        .app
        .db
        .rows("SELECT state || ' ' || CAST(rows_read AS text) || ' ' || CAST(wrong AS text) FROM import_run")
        .await;
    assert_eq!(state, ["finished 1200 3"]);
}

#[tokio::test]
async fn nobody_imports_without_every_permission_that_it_takes() {
    let importer = Importer::new().await;
    let before = importer.entries().await;
    let needed = [
        Permission::AdminImport,
        Permission::ClientsCreate,
        Permission::ClientsEdit,
        Permission::ContactsCreate,
        Permission::ContactsEdit,
    ];
    for missing in needed {
        let permissions: PermissionSet = Permission::ALL.iter().copied().filter(|permission| *permission != missing).collect();
        let refused = importer.run_as(Caller { permissions, ..importer.caller() }, b"name\nx\n").await.unwrap_err();
        assert_eq!((refused.kind(), refused.code().code), (kernel::Kind::Forbidden, "forbidden"), "{missing}");
    }
    assert_eq!((importer.entries().await, importer.app.count("client").await), (before, 0));
}
