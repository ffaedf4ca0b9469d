//! Whatever rows a file has: staged and approved, it gives what the command line makes of it; taken back, what was before.

use std::io::Cursor;
use std::sync::Arc;

use clients::import::{ImportOptions, import_csv};
use harness::TestApp;
use kernel::{Caller, Cause, TypedId as _, WorkspaceId};
use platform::csv_source::Options;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use super::*;

const HEADER: &str = "external_id,name,city,currency,status,email,contact first name,contact email,contact phone\n";

/// A row: often of a client that another row is of too, now and then wrong.
fn row() -> impl Strategy<Value = String> {
    let of = |words: &'static [&'static str]| proptest::sample::select(words);
    (
        0..6_u8,
        of(&["", "", "Athens", "Patras"]),
        of(&["", "", "USD", "nonsense"]),
        of(&["", "", "", "inactive", "unheard of"]),
        of(&["", "", "a@b.gr", "nobody"]),
        of(&["", "", "Eleni", "Nikos"]),
        of(&["", "e@a.gr", "n@a.gr"]),
        of(&["", "", "210", "211"]),
    )
        .prop_map(|(id, city, currency, status, email, given, contact, phone)| {
            format!("{id},Client {id},{city},{currency},{status},{email},{given},{contact},{phone}\n")
        })
}

fn file() -> impl Strategy<Value = String> {
    proptest::collection::vec(row(), 0..14).prop_map(|rows| format!("{HEADER}{}", rows.concat()))
}

/// What is in the database, without what two of them never share.
async fn world(app: &TestApp) -> Vec<String> {
    let sql = [
        "SELECT external_id || '|' || name || '|' || currency || '|' || status || '|' || coalesce(email_key, '-') || '|' \
         || coalesce(CAST(main_address AS text), '-') || '|' || coalesce(external_source, '-') FROM client ORDER BY external_id",
        "SELECT external_id || '|' || given_name || '|' || coalesce(email_key, '-') || '|' || coalesce(phone, '-') FROM contact \
         ORDER BY external_id",
        "SELECT c.external_id || '|' || k.external_id || '|' || CAST(l.is_primary AS text) FROM client_contact l \
         JOIN client c ON c.id = l.client_id JOIN contact k ON k.id = l.contact_id ORDER BY 1",
    ];
    let mut all = Vec::new();
    for sql in sql {
        all.extend(app.db.rows(sql).await);
    }
    all
}

async fn over_the_command_line(app: &TestApp, file: &str) -> (i64, i64, i64, i64) {
    let store = app.store().await;
    let run = store.runtime().uuid();
    let workspace = WorkspaceId::from_uuid(app.workspace.parse().unwrap());
    let caller = Arc::new(Caller::job(run, Some(workspace), Cause::Import(run)));
    let options = ImportOptions { csv: Options::default(), source: "csv".to_owned(), file_name: "clients.csv".to_owned() };
    let (_, counts) =
        import_csv(&store, &caller, Cursor::new(file.to_owned().into_bytes()), &options, |_| {}, |_| {}).await.unwrap();
    store.close().await;
    (counts.created, counts.changed, counts.unchanged, counts.wrong)
}

/// Seen to fail with the fields that earlier rows have said counted as differences of later ones.
#[tokio::test]
async fn any_file_gives_the_same_over_http_and_the_former_state_when_it_is_taken_back() {
    let mut runner = TestRunner::deterministic();
    let (here, there) = (working().await, TestApp::spawn().await);
    for _ in 0..12 {
        let file = file().new_tree(&mut runner).unwrap().current();
        let before = world(&here).await;
        assert_eq!(before, world(&there).await);
        let id = staged(&here, &file).await;
        let done = approve(&here, &id).await;
        let counts = ["created", "changed", "unchanged", "wrong"].map(|name| done[name].as_i64().unwrap());
        let expected = over_the_command_line(&there, &file).await;
        assert_eq!((counts[0], counts[1], counts[2], counts[3]), expected, "{file}");
        assert_eq!(done["changed_meanwhile"], 0, "{file}");
        let after = world(&here).await;
        assert_eq!(after, world(&there).await, "{file}");
        let undone = undo(&here, &id).await;
        assert_eq!((undone["kept"].as_i64(), world(&here).await), (Some(0), before), "{file}");
        // and once more, so that the next file finds something
        let again = imported(&here, &file).await;
        assert_eq!((run(&here, &again).await["changed_meanwhile"].as_i64(), world(&here).await), (Some(0), after), "{file}");
    }
}
