//! Bringing single clients back out of a backup, into an installation that goes on.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use harness::{Answer, Database, Engine};
use image::ImageFormat;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::drill::{everything, upload};
use crate::faults::program::{Program, send};
use crate::files::samples::picture;

async fn ask(program: &Program, method: Method, path: &str, body: &Value) -> Answer {
    send(program.request(method, path).json(body)).await.unwrap()
}

async fn purge(program: &Program, path: &str) {
    ask(program, Method::DELETE, path, &json!({})).await.expect(204);
    program.post(&format!("{path}/purge"), &json!({})).await.expect(204);
}

async fn client(program: &Program, body: Value) -> String {
    let mut client = json!({ "kind": "company" });
    client.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
    program.post("/v1/clients", &client).await.expect(201).id()
}

fn backed_up(program: &Program) -> PathBuf {
    let archive = program.folder().join("archive.tar.zst");
    let (well, said) = program.run(&["backup", "--to", archive.to_str().unwrap()]);
    assert!(well, "{said}");
    archive
}

/// The words that bring clients back: on PostgreSQL through a database that is made for it.
async fn restoring(db: &Database, folder: &TempDir, archive: &std::path::Path, clients: &[&str]) -> Vec<String> {
    let mut words = vec!["restore".to_owned(), archive.display().to_string()];
    for client in clients {
        words.extend(["--only".to_owned(), format!("clients/{client}")]);
    }
    if db.engine == Engine::Postgres {
        let bare = Database::bare(folder).await;
        let name = bare.admin_url().rsplit_once('/').unwrap().1.to_owned();
        words.extend(["--through".to_owned(), name]);
    }
    words
}

fn run(program: &Program, words: &[String]) -> (bool, String) {
    program.run(&words.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Without what says when it last changed.
fn timeless(mut value: Value) -> Value {
    match &mut value {
        Value::Object(members) => {
            for name in ["updated_at", "thumbnail"] {
                members.remove(name);
            }
            members.values_mut().for_each(|member| *member = timeless(member.take()));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = timeless(item.take())),
        _ => {}
    }
    value
}

/// All that the API tells of a client.
async fn told(program: &Program, client: &str) -> Vec<Value> {
    let mut all = Vec::new();
    for path in [
        format!("/v1/clients/{client}?include=contacts,parent,tags,owner"),
        format!("/v1/clients/{client}/notes?archived=true&sort=created_at"),
        format!("/v1/clients/{client}/contacts"),
        format!("/v1/clients/{client}/files?sort=filename"),
        format!("/v1/folders?rel_type=client&rel_id={client}&sort=name"),
    ] {
        all.push(timeless(program.get(&path).await.expect(200).body));
    }
    all
}

/// Seen to fail without the notes, the tags, the folders, the links and the thumbnail, with the version of the backup, and with the key of
/// the backup.
#[tokio::test]
async fn a_lost_client_comes_back_with_all_that_hung_on_it_and_nothing_else_changes() {
    let folder = TempDir::new().unwrap();
    let db = Database::fresh(&folder).await;
    let program = Program::on(&db, &[("PELATIS_UPLOADS_PER_MINUTE", "1000"), ("PELATIS_BACKUP_NIGHTLY", "false")]).await;
    let above = client(&program, json!({ "name": "Όμιλος" })).await;
    let lost = client(
        &program,
        json!({ "name": "Χαμένη ΑΕ", "parent_id": above, "emails": [{ "kind": "work", "address": "lost@example.com" }] }),
    )
    .await;
    let other = client(&program, json!({ "name": "Other" })).await;
    let erased = client(&program, json!({ "kind": "person", "name": "Erased" })).await;
    let at = format!("/v1/clients/{lost}");
    for (given, family) in [("Άννα", "Παπά"), ("Νίκος", "Ράπτης")] {
        let contact = program.post("/v1/contacts", &json!({ "given_name": given, "family_name": family })).await.expect(201).id();
        program.post(&format!("{at}/contacts"), &json!({ "contact_id": contact, "role": "CEO" })).await.expect(201);
    }
    let note = program.post(&format!("{at}/notes"), &json!({ "body": "Kept" })).await.expect(201).id();
    program.post(&format!("{at}/notes"), &json!({ "body": "Kept too" })).await.expect(201);
    ask(&program, Method::DELETE, &format!("{at}/notes/{note}"), &json!({})).await.expect(204);
    let tag = program.post("/v1/tags", &json!({ "name": "vip", "colour": "#ff0000" })).await.expect(201).id();
    program.post(&format!("{at}/tags"), &json!({ "tag_id": tag })).await.expect(200);
    let on = json!({ "name": "Papers", "rel_type": "client", "rel_id": lost });
    let papers = program.post("/v1/folders", &on).await.expect(201).id();
    program.post("/v1/folders", &json!({ "name": "Old", "parent_id": papers })).await.expect(201);
    let text = upload(&program, &lost, "contract.txt", "Συμβόλαιο".as_bytes()).await;
    let image = upload(&program, &lost, "roof.png", &picture(ImageFormat::Png, 300, 200)).await;
    let file = |file: &Value| file["id"].as_str().unwrap().to_owned();
    let (text, image) = (file(&text), file(&image));
    ask(&program, Method::PATCH, &format!("/v1/files/{text}"), &json!({ "folder_id": papers })).await.expect(200);
    let was = told(&program, &lost).await;
    let etag = program.get(&at).await.expect(200).header("etag").unwrap().to_owned();

    let keys = db.rows("SELECT storage_key FROM file").await;

    let archive = backed_up(&program);
    ask(&program, Method::PATCH, &format!("/v1/clients/{other}"), &json!({ "name": "Other, later" })).await.expect(200);
    purge(&program, &at).await;
    program.get(&at).await.expect(404);
    let meant = json!({ "name": "Erased", "reason": "asked" });
    program.post(&format!("/v1/clients/{erased}/erase"), &meant).await.expect(200);
    program.get(&format!("/v1/files/{text}/content")).await.expect(404);

    let before = everything(&db).await;
    let (well, said) = run(&program, &restoring(&db, &folder, &archive, &[&lost]).await);
    assert!(well, "{said}");
    assert!(said.contains(&format!("Χαμένη ΑΕ (clients/{lost}) is back as of")), "{said}");
    assert!(said.contains("2 notes, 2 files, 1 tags, 2 contacts."), "{said}");

    assert_eq!(told(&program, &lost).await, was);
    assert_eq!(program.get(&format!("/v1/files/{text}/content")).await.expect(200).text, "Συμβόλαιο");
    assert_eq!(program.content(&image).await, picture(ImageFormat::Png, 300, 200));
    // the objects of old may yet be removed
    assert!(db.rows("SELECT storage_key FROM file").await.iter().all(|key| !keys.contains(key)));
    let until = Instant::now() + Duration::from_secs(60);
    while program.get(&format!("/v1/files/{image}/thumbnail")).await.status != 200 {
        assert!(Instant::now() < until, "there is no thumbnail");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let found = program.get("/v1/clients?q=χαμενη").await.expect(200);
    assert_eq!(found.body["data"][0]["id"], lost.as_str());

    // who still holds what it was before must not write over what it is now
    let stale = program.request(Method::PATCH, &at).header("if-match", &etag).json(&json!({ "name": "Stale" }));
    send(stale).await.unwrap().expect_problem(412, "stale");
    ask(&program, Method::PATCH, &at, &json!({ "name": "Χαμένη και ευρεθείσα ΑΕ" })).await.expect(200);
    let trail = program.get(&format!("{at}/audit?limit=50")).await.expect(200);
    let actions: Vec<&str> =
        trail.body["data"].as_array().unwrap().iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    assert!(actions.contains(&"restore") && actions[0] == "update", "{actions:?}");

    // nothing of what there was is another now, and the clean-ups find nothing that is too much
    let after = everything(&db).await;
    for (table, rows) in &before {
        if ["file_removal", "session", "journal_entry"].contains(&table.as_str()) {
            continue;
        }
        let gone: Vec<&String> = rows.iter().filter(|row| after[table].binary_search(row).is_err()).collect();
        assert!(gone.is_empty(), "{table} no longer has {gone:?}");
    }
    assert_eq!(after["client"].len(), before["client"].len() + 1);
    // all of it or nothing: a second time it is refused before anything is read
    let (well, said) = run(&program, &restoring(&db, &folder, &archive, &[&lost]).await);
    assert!(!well && said.contains("already_exists"), "{said}");
    // who was erased stays so
    let (well, said) = run(&program, &restoring(&db, &folder, &archive, &[&erased]).await);
    assert!(!well && said.contains("person_erased"), "{said}");
}

#[tokio::test]
async fn what_a_lost_client_belonged_to_and_is_gone_is_named_and_the_rest_comes_back() {
    let folder = TempDir::new().unwrap();
    let db = Database::fresh(&folder).await;
    let program = Program::on(&db, &[("PELATIS_BACKUP_NIGHTLY", "false")]).await;
    let above = client(&program, json!({ "name": "Above" })).await;
    let lost = client(&program, json!({ "name": "Lost", "parent_id": above })).await;
    let second = client(&program, json!({ "name": "Lost too", "external_source": "old", "external_id": "7" })).await;
    let at = format!("/v1/clients/{lost}");
    let mut contacts = Vec::new();
    for name in ["Stays", "Goes"] {
        let contact = program.post("/v1/contacts", &json!({ "given_name": name, "family_name": "Παπά" })).await.expect(201).id();
        let link = json!({ "contact_id": contact, "is_primary": name == "Goes" });
        program.post(&format!("{at}/contacts"), &link).await.expect(201);
        contacts.push(contact);
    }
    let mut tags = Vec::new();
    for name in ["made anew", "deleted"] {
        let tag = program.post("/v1/tags", &json!({ "name": name })).await.expect(201).id();
        program.post(&format!("{at}/tags"), &json!({ "tag_id": tag })).await.expect(200);
        tags.push(tag);
    }
    let archive = backed_up(&program);
    purge(&program, &at).await;
    purge(&program, &format!("/v1/clients/{second}")).await;
    purge(&program, &format!("/v1/clients/{above}")).await;
    purge(&program, &format!("/v1/contacts/{}", contacts[1])).await;
    for tag in &tags {
        ask(&program, Method::DELETE, &format!("/v1/tags/{tag}"), &json!({})).await.expect(204);
    }
    program.post("/v1/tags", &json!({ "name": "MADE ANEW" })).await.expect(201);
    let taken = client(&program, json!({ "name": "In its place", "external_source": "old", "external_id": "7" })).await;

    // the first is back although the second cannot come
    let (well, said) = run(&program, &restoring(&db, &folder, &archive, &[&lost, &second]).await);
    assert!(!well && said.contains("Another client has its external_source and external_id now."), "{said}");
    assert!(said.contains("1 tags, 1 contacts."), "{said}");
    assert!(said.contains("These contacts are not there any more: Goes Παπά"), "{said}");
    assert!(said.contains("These tags are not there any more: deleted"), "{said}");
    assert!(said.contains("The client above it is not there any more."), "{said}");
    let back = program.get(&format!("{at}?include=tags")).await.expect(200).body;
    assert_eq!(back["parent_id"], Value::Null);
    assert_eq!(back["tags"][0]["name"], "MADE ANEW");
    let linked = program.get(&format!("{at}/contacts")).await.expect(200).body;
    assert_eq!((&linked["data"][0]["contact"]["id"], &linked["data"][0]["is_primary"]), (&json!(contacts[0]), &json!(true)));
    program.get(&format!("/v1/clients/{second}")).await.expect(404);
    program.get(&format!("/v1/clients/{taken}")).await.expect(200);
}

#[tokio::test]
async fn a_client_named_before_the_one_above_it_comes_back_under_it() {
    let folder = TempDir::new().unwrap();
    let db = Database::fresh(&folder).await;
    let program = Program::on(&db, &[("PELATIS_BACKUP_NIGHTLY", "false")]).await;
    let above = client(&program, json!({ "name": "Above" })).await;
    let middle = client(&program, json!({ "name": "Middle", "parent_id": above })).await;
    let below = client(&program, json!({ "name": "Below", "parent_id": middle })).await;
    let archive = backed_up(&program);
    for lost in [&below, &middle, &above] {
        purge(&program, &format!("/v1/clients/{lost}")).await;
    }
    let (well, said) = run(&program, &restoring(&db, &folder, &archive, &[&below, &middle, &above]).await);
    assert!(well && !said.contains("not there any more"), "{said}");
    for (child, parent) in [(&below, &middle), (&middle, &above)] {
        assert_eq!(program.get(&format!("/v1/clients/{child}")).await.expect(200).body["parent_id"], parent.as_str());
    }
}

#[tokio::test]
async fn a_restoration_that_is_broken_off_leaves_nothing_lying_about() {
    let folder = TempDir::new().unwrap();
    let db = Database::fresh(&folder).await;
    let program = Program::on(&db, &[("PELATIS_BACKUP_NIGHTLY", "false")]).await;
    let lost = client(&program, json!({ "name": "Lost" })).await;
    let archive = backed_up(&program);
    purge(&program, &format!("/v1/clients/{lost}")).await;
    let words = restoring(&db, &folder, &archive, &[&lost]).await;
    let restoring = program.command(&words.iter().map(String::as_str).collect::<Vec<_>>());
    let scratch = program.folder().join("data/backing-up");
    let lies_there = || std::fs::read_dir(&scratch).is_ok_and(|mut all| all.next().is_some());
    let until = Instant::now() + Duration::from_secs(60);
    while !lies_there() {
        assert!(Instant::now() < until, "nothing is laid aside");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(std::process::Command::new("kill").arg(restoring.id().to_string()).status().unwrap().success());
    let done = tokio::task::spawn_blocking(move || restoring.wait_with_output().unwrap()).await.unwrap();
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(!done.status.success() && said.contains("it was broken off"), "{said}");
    assert!(!lies_there());
    program.get(&format!("/v1/clients/{lost}")).await.expect(404);
}

#[tokio::test]
async fn what_cannot_come_back_alone_is_refused_and_changes_nothing() {
    let folder = TempDir::new().unwrap();
    let db = Database::fresh(&folder).await;
    let program = Program::on(&db, &[("PELATIS_BACKUP_NIGHTLY", "false")]).await;
    let there = client(&program, json!({ "name": "There" })).await;
    let archive = backed_up(&program);
    let later = client(&program, json!({ "name": "Later" })).await;
    purge(&program, &format!("/v1/clients/{later}")).await;
    let before = everything(&db).await;

    let (well, said) = run(&program, &restoring(&db, &folder, &archive, &[&there]).await);
    assert!(!well && said.contains("The client is there."), "{said}");
    let (well, said) = run(&program, &restoring(&db, &folder, &archive, &[&later]).await);
    assert!(!well && said.contains(&format!("The backup has no client {later} in this workspace.")), "{said}");
    let name = archive.to_str().unwrap();
    for wrong in ["clients", "clients/", "clients/x", "contacts/01890a5d-ac96-774b-bcce-b302099a8057"] {
        let (well, said) = program.run(&["restore", name, "--only", wrong]);
        assert!(!well && said.contains("--only"), "{said}");
    }
    let lost = format!("clients/{later}");
    let (well, said) = program.run(&["restore", name, "--only", &lost, "--check"]);
    assert!(!well && said.contains("cannot be used with"), "{said}");
    match db.engine {
        Engine::Postgres => {
            let (well, said) = program.run(&["restore", name, "--only", &lost]);
            assert!(!well && said.contains("name it with --through"), "{said}");
            let others = Database::bare(&folder).await;
            others.execute("CREATE TABLE theirs (id int)").await.unwrap();
            let named = others.admin_url().rsplit_once('/').unwrap().1;
            let (well, said) = program.run(&["restore", name, "--only", &lost, "--through", named]);
            assert!(!well && said.contains("The database holds tables of something else."), "{said}");
            let here = db.admin_url().rsplit_once('/').unwrap().1;
            let (well, said) = program.run(&["restore", name, "--only", &lost, "--through", here]);
            assert!(!well && said.contains("place_not_empty"), "{said}");
        }
        Engine::Sqlite => {
            let (well, said) = program.run(&["restore", name, "--only", &lost, "--through", "x"]);
            assert!(!well && said.contains("a database is named only on PostgreSQL"), "{said}");
        }
    }
    assert_eq!(everything(&db).await, before);
    // and nothing is left lying about
    let scratch = program.folder().join("data/backing-up");
    let left: Vec<_> = std::fs::read_dir(&scratch).map(|all| all.collect()).unwrap_or_default();
    assert!(left.is_empty(), "{left:?}");
}
