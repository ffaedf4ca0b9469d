//! The drill: seed, back up under writes, lose everything, bring it back, compare.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::Instant;

use harness::{Database, Engine};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::faults::program::{Program, send};

/// Every table with all its rows as text, but those in which a server that runs writes by itself.
pub(super) async fn everything(db: &Database) -> BTreeMap<String, Vec<String>> {
    let tables = match db.engine {
        Engine::Sqlite => {
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
             AND name NOT LIKE '%\\_search%' ESCAPE '\\'"
        }
        Engine::Postgres => {
            "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') \
             AND NOT relispartition"
        }
    };
    let mut all = BTreeMap::new();
    for table in db.rows(tables).await {
        if ["job", "job_worker", "job_schedule", "seaql_migrations", "idempotency_record", "backup_run"].contains(&table.as_str())
        {
            continue;
        }
        let rows = match db.engine {
            Engine::Sqlite => {
                let columns = db.rows(&format!("SELECT 'quote(' || name || ')' FROM pragma_table_info('{table}')")).await;
                format!("SELECT {} FROM {table}", columns.join(" || '|' || "))
            }
            Engine::Postgres => format!("SELECT t::text FROM {table} t"),
        };
        let mut rows = db.rows(&rows).await;
        rows.sort();
        all.insert(table, rows);
    }
    all
}

pub(super) async fn upload(program: &Program, client: &str, name: &str, content: &[u8]) -> Value {
    let form = reqwest::multipart::Form::new()
        .text("rel_type", "client")
        .text("rel_id", client.to_owned())
        .part("file", reqwest::multipart::Part::bytes(content.to_vec()).file_name(name.to_owned()));
    let request = program.request(reqwest::Method::POST, "/v1/files").multipart(form);
    send(request).await.unwrap().expect(201).body
}

/// Seen to fail without the files, without the sequence of the journal, with a table left out, and with the epoch as it was.
#[tokio::test]
async fn what_was_backed_up_under_writes_comes_back_whole_after_everything_was_lost() {
    let folder = TempDir::new().unwrap();
    let db = Database::fresh(&folder).await;
    let settings = [("PELATIS_UPLOADS_PER_MINUTE", "1000"), ("PELATIS_BACKUP_NIGHTLY", "false")];
    let mut program = Program::on(&db, &settings).await;
    let (mut seeded, mut contents) = (Vec::new(), Vec::new());
    for number in 0..60 {
        let body = json!({ "kind": "company", "name": format!("Αφοί Παπά {number} \\N \t\n|") });
        seeded.push(program.post("/v1/clients", &body).await.expect(201).id());
    }
    let field = json!({ "record_type": "client", "key": "seats", "label": "Seats", "field_type": "number" });
    program.post("/v1/custom-fields", &field).await.expect(201);
    let full = json!({ "kind": "company", "name": "Full", "custom_fields": { "seats": 12 } });
    program.post("/v1/clients", &full).await.expect(201);
    // views that only their owner, and only a team, may see
    let me = program.get("/v1/me").await.expect(200).body["user"]["id"].clone();
    let team = program.post("/v1/teams", &json!({ "name": "North" })).await.expect(201).id();
    program.post(&format!("/v1/teams/{team}/members"), &json!({ "user_id": me })).await.expect(201);
    for (sharing, team) in [("private", None), ("team", Some(&team))] {
        let view = json!({ "list": "clients", "name": sharing, "sharing": sharing, "team_id": team });
        program.post("/v1/saved-views", &view).await.expect(201);
    }
    for (number, client) in seeded.iter().take(12).enumerate() {
        let content = format!("Σταδίου {number}\n").repeat(1 + number * 9000);
        let file = upload(&program, client, &format!("{number}.txt"), content.as_bytes()).await;
        contents.push((file["id"].as_str().unwrap().to_owned(), content));
    }

    let at_first = everything(&db).await;

    // what is answered while the backup is made may or may not be in it, but all of one moment
    let (over, answered) = (Cell::new(false), Cell::new(0_usize));
    let writing = async {
        while !over.get() {
            let client = program.post("/v1/clients", &json!({ "kind": "company", "name": "Meanwhile" })).await.expect(201).id();
            let note = json!({ "body": format!("of {client}") });
            program.post(&format!("/v1/clients/{client}/notes"), &note).await.expect(201);
            answered.set(answered.get() + 1);
        }
    };
    let archive = folder.path().join("archive.tar.zst");
    let backing_up = async {
        while answered.get() < 5 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        let before = answered.get();
        let began = Instant::now();
        let done = program.command(&["backup", "--to", archive.to_str().unwrap()]);
        let done = tokio::task::spawn_blocking(move || done.wait_with_output().unwrap()).await.unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        println!("backed up in {:.2} minutes", began.elapsed().as_secs_f64() / 60.0);
        over.set(true);
        before
    };
    let (before, ()) = futures::join!(backing_up, writing);
    assert!(answered.get() > before, "nothing was written meanwhile");
    program.kill();

    // everything is lost but the secret, which is kept apart
    std::fs::remove_dir_all(program.folder().join("data/files")).unwrap();
    let elsewhere = TempDir::new().unwrap();
    let empty = Database::bare(&elsewhere).await;
    program.moved_to(&empty);
    let began = Instant::now();
    let (well, said) = program.run(&["restore", archive.to_str().unwrap()]);
    assert!(well, "{said}");
    println!("brought back in {:.2} minutes: {said}", began.elapsed().as_secs_f64() / 60.0);

    // what is back is a state that there was: no row differs from what was lost, and each transaction is whole
    let (lost, back) = (everything(&db).await, everything(&empty).await);
    assert_eq!(lost.keys().collect::<Vec<_>>(), back.keys().collect::<Vec<_>>());
    for (table, rows) in &back {
        // the installation is in another epoch now, so that what follows comes after all that was
        let strange: Vec<&String> =
            rows.iter().filter(|row| table != "installation" && lost[table].binary_search(row).is_err()).collect();
        assert!(strange.len() <= usize::from(table == "session"), "{table} has what never was: {strange:?}");
    }
    // and of what was there when it began nothing is missing, whoever may see it
    for (table, rows) in &at_first {
        let missing: Vec<&String> = rows.iter().filter(|row| back[table].binary_search(row).is_err()).collect();
        assert!(missing.is_empty() || ["installation", "session"].contains(&table.as_str()), "{table} lacks {missing:?}");
    }
    assert_eq!(back["saved_view"].len(), 2);
    let count = async |rest: &str| empty.count(rest).await;
    let meanwhile = count("client WHERE name = 'Meanwhile'").await;
    assert!(meanwhile >= before as i64, "{meanwhile} of at least {before}");
    assert!(count("note").await >= meanwhile - 1 && count("note").await <= meanwhile);
    assert_eq!(count("client").await, meanwhile + 61);
    assert_eq!(count("journal_entry WHERE record_type = 'client' AND action = 'create'").await, meanwhile + 61);
    let epoch = |db: &Database| {
        let db = db.clone();
        async move { db.count("installation WHERE journal_epoch = 1").await }
    };
    assert_eq!((epoch(&db).await, epoch(&empty).await), (0, 1));

    program.start();
    program.token = program.sign_in("admin@example.com").await;
    for (id, content) in &contents {
        let file = program.get(&format!("/v1/files/{id}/content")).await.expect(200);
        assert_eq!(&file.text, content);
    }
    // it goes on where it was: what is new is found, and stands in the trail after what was
    let new = program.post("/v1/clients", &json!({ "kind": "company", "name": "Afterwards" })).await.expect(201).id();
    let found = program.get("/v1/clients?q=afterwards").await.expect(200);
    assert_eq!(found.body["data"][0]["id"], new.as_str());
    let old = program.get("/v1/clients?q=Παπά&limit=100").await.expect(200);
    assert_eq!(old.body["data"].as_array().unwrap().len(), 60);
    let trail = program.get("/v1/audit?limit=2").await.expect(200);
    assert_eq!(trail.body["data"][0]["record_id"], new.as_str());
    let numbers = empty.scalar("SELECT CAST(COUNT(*) - COUNT(DISTINCT number) AS text) FROM journal_entry").await;
    assert_eq!(numbers.as_deref(), Some("0"), "the journal's numbers begin anew");
    // and no second time
    program.kill();
    let (well, said) = program.run(&["restore", archive.to_str().unwrap()]);
    assert!(!well && said.contains("place_not_empty"), "{said}");
}
