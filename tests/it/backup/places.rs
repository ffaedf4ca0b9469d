//! Where a backup may be brought back to, and where not.

use ::backup::archive::Identities;
use ::backup::{check, restore};
use harness::{Database, Engine, TestApp};
use tempfile::TempDir;

#[tokio::test]
async fn a_place_that_holds_something_is_left_as_it_is() {
    let app = TestApp::spawn().await;
    app.client(&app.admin, "Kept").await;
    let archive = super::archive_of(&app, |_| {}).await;
    let other = TestApp::spawn().await;
    let client = other.client(&other.admin, "In the way").await;
    let to = super::elsewhere(&app, &other.db, other.folder.path());
    for error in [
        check(&archive, &Identities::default(), &to).await.unwrap_err(),
        restore(&archive, &Identities::default(), &to, |_| {}).await.unwrap_err(),
    ] {
        assert_eq!(error.code().code, "place_not_empty");
    }
    assert_eq!(other.db.rows("SELECT name FROM client").await, ["In the way"]);
    other.get(&format!("/v1/clients/{client}"), &other.admin).await.expect(200);
}

#[tokio::test]
async fn a_server_that_nobody_has_set_up_yet_must_be_stopped_first() {
    let app = TestApp::spawn().await;
    let archive = super::archive_of(&app, |_| {}).await;
    let folder = TempDir::new().unwrap();
    let database = Database::fresh(&folder).await;
    let to = super::elsewhere(&app, &database, folder.path());
    let shared = store::shared::Shared::in_process(kernel::Runtime::system());
    let running = store::Store::open(&database.config, app.secret(), shared, kernel::Runtime::system()).await.unwrap();
    let error = check(&archive, &Identities::default(), &to).await.unwrap_err();
    assert_eq!((error.code().code, error.detail()), ("place_not_empty", Some("A server is connected to the database. Stop it.")));
    running.close().await;
    check(&archive, &Identities::default(), &to).await.unwrap();
}

#[tokio::test]
async fn an_archive_of_another_engine_secret_or_schema_is_refused_before_anything_is_touched() {
    let app = TestApp::spawn().await;
    let archive = super::archive_of(&app, |_| {}).await;
    let folder = TempDir::new().unwrap();
    let database = Database::bare(&folder).await;
    let to = super::elsewhere(&app, &database, folder.path());
    let refused = async |to: &::backup::Destination, words: &str| {
        let error = restore(&archive, &Identities::default(), to, |_| {}).await.unwrap_err();
        assert_eq!(error.code().code, "backup_not_for_here");
        assert!(error.detail().unwrap().contains(words), "{error:?}");
    };
    let mut another = to.clone();
    another.secret = store::Secret::new([9; 32]);
    refused(&another, "another secret").await;
    let mut another = to.clone();
    another.database.url = match app.db.engine {
        Engine::Sqlite => "postgres://nobody@127.0.0.1:1/none".to_owned(),
        Engine::Postgres => format!("sqlite:{}", folder.path().join("x.db").display()),
    };
    refused(&another, "the database here is").await;
    let mut another = to.clone();
    another.files.storage = super::storage(&folder.path().join("files"));
    // files are in a storage that is not configured here
    let client = app.client(&app.admin, "With a file").await;
    app.upload(&app.admin, &[("rel_type", "client"), ("rel_id", &client)], "a.txt", b"text").await.expect(201);
    let archive = super::archive_of(&app, |_| {}).await;
    another.files.storage =
        ::files::StorageUrl::parse(&format!("file:{}/files?name=elsewhere", folder.path().display())).unwrap();
    let error = restore(&archive, &Identities::default(), &another, |_| {}).await.unwrap_err();
    assert_eq!(error.code().code, "storage_unavailable");
    assert_eq!(store::snapshot::place(&database.config).await.unwrap(), store::snapshot::Place::Bare);
}
