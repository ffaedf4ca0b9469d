//! Backups that administrators ask for, and what they are told.

use ::backup::archive::{Identities, verify};
use harness::{Answer, Session, TestApp};
use serde_json::json;

/// Waits until the newest backup has come to an end.
async fn ended(app: &TestApp) -> Answer {
    for _ in 0..600 {
        let all = app.get("/v1/admin/backups", &app.admin).await.expect(200);
        if let Some(id) = all.body["data"][0]["id"].as_str()
            && matches!(all.body["data"][0]["state"].as_str(), Some("finished" | "failed"))
        {
            return app.get(&format!("/v1/admin/backups/{id}"), &app.admin).await.expect(200);
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("no backup came to an end");
}

#[tokio::test]
async fn a_backup_that_was_asked_for_is_made_and_told_and_whole() {
    let app = TestApp::spawn_with(|config| config.worker = true).await;
    let client = app.client(&app.admin, "Αφοί Παπά").await;
    app.upload(&app.admin, &[("rel_type", "client"), ("rel_id", &client)], "a.txt", "Σταδίου 1".as_bytes()).await.expect(201);
    let asked = app.post("/v1/admin/backups", &app.admin, &json!({})).await.expect(201);
    assert_eq!(asked.body["state"], "waiting");
    assert_eq!(asked.body["asked_by"], app.admin.user_id.as_str());
    assert_eq!(asked.header("location").unwrap(), format!("/v1/admin/backups/{}", asked.id()));

    let done = ended(&app).await.body;
    assert_eq!((done["state"].as_str(), done["problem"].as_str()), (Some("finished"), None));
    assert_eq!((done["file_count"].as_i64(), done["damaged_count"].as_i64()), (Some(1), Some(0)));
    let name = done["name"].as_str().unwrap();
    let path = app.folder.path().join("backups").join(name);
    assert_eq!(done["bytes"].as_u64(), Some(std::fs::metadata(&path).unwrap().len()));
    let manifest = verify(&path, &Identities::default()).unwrap();
    assert_eq!(manifest.rows(), done["record_count"].as_u64().unwrap());
    let clients = manifest.database.tables.iter().find(|table| table.name == "client").unwrap();
    assert_eq!(clients.rows, 1);
    // nothing of the making is left
    assert_eq!(std::fs::read_dir(app.folder.path().join("backing-up")).unwrap().count(), 0);
    let health = app.get("/health/ready", &Session::nobody()).await.expect(200);
    let backups = health.body["services"].as_array().unwrap().iter().find(|service| service["name"] == "backups").unwrap();
    assert_eq!((&backups["status"], &backups["detail"]), (&json!("healthy"), &json!("the newest is 0 h old")));
    // there is no second place, so nothing was copied
    assert!(done["copied_at"].is_null());
    assert_eq!(app.actions_of(&asked.id()).await, ["create", "update", "update"]);
}

#[tokio::test]
async fn while_one_waits_there_is_no_other_and_only_the_installations_super_admins_ask() {
    let app = TestApp::spawn().await;
    let director = app.member(&app.admin, "super_admin", "director@example.com").await;
    let token = app.token(&app.admin, &["admin.system_backup"]).await;
    for (session, status) in [(&director, 403), (&token, 403), (&Session::nobody(), 401)] {
        app.post("/v1/admin/backups", session, &json!({})).await.expect(status);
        app.get("/v1/admin/backups", session).await.expect(status);
    }
    assert_eq!(app.count("backup_run").await, 0);
    app.post("/v1/admin/backups", &app.admin, &json!({})).await.expect(201);
    app.post("/v1/admin/backups", &app.admin, &json!({})).await.expect_problem(409, "backup_runs");
    assert_eq!((app.count("backup_run").await, app.count("job WHERE kind = 'back_up'").await), (1, 1));
}

/// Seen to fail while a job that waited was called off and nobody told of it: the backup waited for ever.
#[tokio::test]
async fn a_backup_whose_job_is_called_off_or_thrown_away_has_failed_and_can_still_be_made() {
    let app = TestApp::spawn().await;
    for way in ["cancel", "discard"] {
        let asked = app.post("/v1/admin/backups", &app.admin, &json!({})).await.expect(201).id();
        let jobs = app.get("/v1/admin/jobs?kind=back_up&state=waiting", &app.admin).await.expect(200).body;
        let path = format!("/v1/admin/jobs/{}", jobs["data"][0]["id"].as_str().unwrap());
        match way {
            "cancel" => app.act(&format!("{path}/cancel"), &app.admin).await.expect(200),
            _ => app.delete(&path, &app.admin).await.expect(204),
        };
        let run = app.get(&format!("/v1/admin/backups/{asked}"), &app.admin).await.expect(200).body;
        assert_eq!((&run["state"], &run["problem"]), (&json!("failed"), &json!("It was called off.")), "{way}");
        assert!(run["finished_at"].is_string() && run["started_at"].is_null(), "{run}");
        let events = format!("SELECT event FROM journal_entry WHERE record_id = {} ORDER BY number", app.db.uuid(&asked));
        assert_eq!(app.db.rows(&events).await, ["backup.requested", "backup.failed"]);
        if way == "cancel" {
            // a job that was called off can be run again, and its backup waits no longer than that
            app.act(&format!("{path}/retry"), &app.admin).await.expect(200);
            app.delete(&path, &app.admin).await.expect(204);
        }
    }
}

#[tokio::test]
async fn a_backup_that_cannot_be_made_says_why_and_leaves_nothing() {
    let app = TestApp::spawn_with(|config| config.worker = true).await;
    // where the folder of backups should be there is a file
    std::fs::remove_dir_all(app.folder.path().join("backups")).unwrap();
    std::fs::write(app.folder.path().join("backups"), "in the way").unwrap();
    app.post("/v1/admin/backups", &app.admin, &json!({})).await.expect(201);
    let done = ended(&app).await.body;
    assert_eq!(done["state"], "failed");
    assert!(done["problem"].as_str().unwrap().contains("away"), "{done}");
    assert_eq!(std::fs::read_dir(app.folder.path().join("backing-up")).unwrap().count(), 0);
}

/// Moves a moment in the database back by some hours: the server's clock stays, so that nothing recurs.
async fn put_back(app: &TestApp, table: &str, column: &str, hours: i64) {
    use kernel::Clock as _;
    let moment = (app.clock.now() - chrono::Duration::hours(hours)).to_rfc3339_opts(chrono::SecondsFormat::Micros, false);
    let kind = if app.db.engine == harness::Engine::Postgres { "::timestamptz" } else { "" };
    assert_eq!(app.db.execute(&format!("UPDATE {table} SET {column} = '{moment}'{kind}")).await, Ok(1));
}

#[tokio::test]
async fn backups_that_are_too_old_or_not_copied_make_the_installation_degraded() {
    let app = TestApp::spawn_with(|config| {
        config.worker = true;
        config.backups.second = Some(super::storage(&config.backups.scratch.with_file_name("second")));
    })
    .await;
    let second = app.folder.path().join("second");
    let backups = async || {
        let health = app.get("/health/ready", &Session::nobody()).await.expect(200);
        let all = health.body["services"].as_array().unwrap().clone();
        let found = all.into_iter().find(|service| service["name"] == "backups").unwrap();
        (found["status"].as_str().unwrap().to_owned(), found["detail"].as_str().unwrap().to_owned())
    };
    assert_eq!(backups().await, ("healthy".to_owned(), "there is no backup yet".to_owned()));
    put_back(&app, "installation", "set_up_at", 27).await;
    assert_eq!(backups().await, ("degraded".to_owned(), "there is no backup yet".to_owned()));

    std::fs::remove_dir_all(&second).unwrap();
    std::fs::write(&second, "in the way").unwrap();
    app.post("/v1/admin/backups", &app.admin, &json!({})).await.expect(201);
    while app.count("backup_run WHERE problem IS NOT NULL").await == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(backups().await.0, "healthy", "there is still time for the copy");
    put_back(&app, "backup_run", "finished_at", 27).await;
    assert_eq!(backups().await, ("degraded".to_owned(), "the newest is 27 h old, and is not in the second target".to_owned()));
    // the second place is back, and the next attempt has only the copy left to make
    std::fs::remove_file(&second).unwrap();
    std::fs::create_dir(&second).unwrap();
    while app.count("backup_run WHERE copied_at IS NOT NULL").await == 0 {
        app.clock.advance(chrono::Duration::seconds(1));
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let names = |folder: &std::path::Path| -> Vec<String> {
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    };
    assert_eq!(names(&second), names(&app.folder.path().join("backups")));
    assert_eq!(names(&second).len(), 1);
    assert_eq!(backups().await.0, "healthy");
    put_back(&app, "backup_run", "created_at", 27).await;
    assert_eq!(backups().await, ("degraded".to_owned(), "the newest is 27 h old, which is too old".to_owned()));
}

#[tokio::test]
async fn what_a_crash_left_where_backups_are_made_goes_with_the_next_one_when_it_is_a_day_old() {
    let app = TestApp::spawn_with(|config| config.worker = true).await;
    let scratch = app.folder.path().join("backing-up");
    std::fs::create_dir_all(&scratch).unwrap();
    let now = std::time::SystemTime::from(kernel::Clock::now(&app.clock));
    let ago = |hours: u64| now - std::time::Duration::from_hours(hours);
    for (name, hours) in
        [("old.part", 25), ("new.part", 23), ("old.db", 25), ("aside-old", 25), ("aside-new", 23), ("old.txt", 25)]
    {
        let path = scratch.join(name);
        if name.starts_with("aside") {
            std::fs::create_dir(&path).unwrap();
            std::fs::write(path.join("aside.db"), "left").unwrap();
        } else {
            std::fs::write(&path, "left").unwrap();
        }
        std::fs::File::open(&path).unwrap().set_modified(ago(hours)).unwrap();
    }
    app.post("/v1/admin/backups", &app.admin, &json!({})).await.expect(201);
    assert_eq!(ended(&app).await.body["state"], "finished");
    let mut left: Vec<_> = std::fs::read_dir(&scratch).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["aside-new", "new.part", "old.txt"]);
}
