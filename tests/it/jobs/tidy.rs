//! Clean-ups: what lies just inside the condition stays, what lies just outside goes.

use chrono::Duration;
use harness::{Engine, TestApp};
use kernel::Clock as _;
use serde_json::json;
use store::jobs::{IdempotencyCleanup, JobCleanup, JobKind, Noop, PrepareMonths};

use super::{enqueue, until, working};

/// Runs a clean-up of the installation.
async fn run<K: JobKind>(app: &TestApp, job: K) {
    let id = enqueue(app, &[job], |job| job).await[0];
    until(app, id, "done").await;
}

/// A moment before now, as it stands in SQL.
fn before(app: &TestApp, age: Duration) -> String {
    let moment = (app.clock.now() - age).to_rfc3339_opts(chrono::SecondsFormat::Micros, false);
    match app.db.engine {
        Engine::Sqlite => format!("'{moment}'"),
        Engine::Postgres => format!("'{moment}'::timestamptz"),
    }
}

const MARGIN: Duration = Duration::minutes(1);

/// Seen to fail with six days instead of seven, and with eight.
#[tokio::test]
async fn answers_kept_for_idempotency_keys_go_after_seven_days() {
    let app = working(|_| {}).await;
    for (key, age) in [("inside", Duration::days(7) - MARGIN), ("outside", Duration::days(7) + MARGIN)] {
        app.post_once("/v1/tags", &app.admin, key, &json!({ "name": key })).await.expect(201);
        let sql = format!("UPDATE idempotency_record SET created_at = {} WHERE key = '{key}'", before(&app, age));
        assert_eq!(app.db.execute(&sql).await, Ok(1));
    }
    run(&app, IdempotencyCleanup {}).await;
    assert_eq!(app.db.rows("SELECT key FROM idempotency_record").await, ["inside"]);
}

/// Seen to fail with each of the two a day longer and a day shorter.
#[tokio::test]
async fn mails_go_after_ninety_days_and_what_failed_ones_bring_after_seven_and_what_waits_stays() {
    let app = working(|_| {}).await;
    let (days, waits) = (Duration::days, "waiting");
    // its state, how long ago it was written and last tried, and whether it stays, with what it brings
    let cases = [
        ("sent", days(90) - MARGIN, days(90), Some(true)),
        ("sent", days(90) + MARGIN, days(90), None),
        ("failed", days(7), days(7) - MARGIN, Some(true)),
        ("failed", days(8), days(7) + MARGIN, Some(false)),
        (waits, days(900), days(900), Some(true)),
    ];
    let mut expected = Vec::new();
    for (number, (state, written, tried, stays)) in cases.into_iter().enumerate() {
        let email = format!("m{number}@example.com");
        app.post("/v1/invitations", &app.admin, &json!({ "email": email, "role": "viewer" })).await.expect(201);
        // nothing is done for it any more
        crate::mail::until(&app, &email, "sent").await;
        let (written, tried) = (before(&app, written), before(&app, tried));
        let sql = format!(
            "UPDATE mail_message SET state = '{state}', body = 'secret', created_at = {written}, updated_at = {tried} \
             WHERE to_address = '{email}'"
        );
        assert_eq!(app.db.execute(&sql).await, Ok(1));
        expected.extend(stays.map(|brings| format!("{email} {}", if brings { "secret" } else { "" })));
    }
    run(&app, mail::MailCleanup {}).await;
    assert_eq!(app.db.rows("SELECT to_address || ' ' || body FROM mail_message ORDER BY 1").await, expected);
}

#[tokio::test]
async fn jobs_go_a_day_after_they_were_done_and_a_week_after_they_died_and_what_waits_stays() {
    let app = working(|_| {}).await;
    let cases = [
        ("done", Duration::days(1) - MARGIN, true),
        ("done", Duration::days(1) + MARGIN, false),
        ("cancelled", Duration::days(1) - MARGIN, true),
        ("cancelled", Duration::days(1) + MARGIN, false),
        ("dead", Duration::days(7) - MARGIN, true),
        ("dead", Duration::days(7) + MARGIN, false),
        ("waiting", Duration::days(900), true),
    ];
    let mut stay = Vec::new();
    for (state, age, stays) in cases {
        let id = enqueue(&app, &[Noop {}], |job| job.after(Duration::days(9))).await[0];
        let ended = if state == "waiting" { "NULL".to_owned() } else { before(&app, age) };
        let key = app.db.uuid(&id.to_string());
        let sql = format!(
            "UPDATE job SET state = '{state}', finished_at = {ended}, created_at = {} WHERE id = {key}",
            before(&app, age)
        );
        assert_eq!(app.db.execute(&sql).await, Ok(1));
        if stays {
            stay.push(id.to_string().replace('-', ""));
        }
    }
    run(&app, JobCleanup {}).await;
    let shown = if app.db.engine == Engine::Sqlite { "lower(hex(id))" } else { "replace(id::text, '-', '')" };
    let mut left = app.db.rows(&format!("SELECT {shown} FROM job WHERE kind = 'noop'")).await;
    left.sort();
    stay.sort();
    assert_eq!(left, stay);
}

#[tokio::test]
async fn sessions_go_a_week_after_nobody_can_go_on_with_them_and_their_refresh_tokens_with_them() {
    let app = working(|_| {}).await;
    let user = app.db.uuid(&app.admin.user_id);
    let cases = [
        ("expired inside", "expires_at", Duration::days(7) - MARGIN),
        ("expired outside", "expires_at", Duration::days(7) + MARGIN),
        ("revoked inside", "revoked_at", Duration::days(7) - MARGIN),
        ("revoked outside", "revoked_at", Duration::days(7) + MARGIN),
    ];
    for (name, column, age) in cases {
        app.sign_in("admin@example.com").await;
        let newest = format!("SELECT id FROM session WHERE user_id = {user} ORDER BY created_at DESC LIMIT 1");
        let moment = before(&app, age);
        let sql = format!("UPDATE session SET kind = '{name}', {column} = {moment} WHERE id = ({newest})");
        assert_eq!(app.db.execute(&sql).await, Ok(1));
    }
    // one that can be gone on with stays with its used tokens
    let body = json!({ "refresh_token": app.admin.refresh_token });
    app.post("/v1/auth/refresh", &harness::Session::nobody(), &body).await.expect(200);
    let tokens = app.count("refresh_token").await;
    run(&app, auth::SessionCleanup {}).await;
    let left = app.db.rows("SELECT kind FROM session ORDER BY kind").await;
    assert_eq!(left, ["app", "expired inside", "revoked inside"]);
    assert_eq!(app.count("refresh_token").await, tokens - 2);
}

#[tokio::test]
async fn how_often_a_token_was_used_goes_after_thirty_days() {
    let app = working(|_| {}).await;
    app.token(&app.admin, &["clients.view_all"]).await;
    let midnight = app.clock.now().date_naive().and_time(chrono::NaiveTime::MIN).and_utc();
    for (uses, days) in [(1, 29), (2, 30)] {
        let age = app.clock.now() - midnight + Duration::days(days);
        let sql = format!("INSERT INTO api_token_usage SELECT workspace_id, id, {}, {uses} FROM api_token", before(&app, age));
        assert_eq!(app.db.execute(&sql).await, Ok(1));
    }
    run(&app, auth::SessionCleanup {}).await;
    assert_eq!(app.db.rows("SELECT CAST(uses AS text) FROM api_token_usage").await, ["1"]);
}

#[tokio::test]
async fn the_coming_months_are_made_by_a_job() {
    let app = working(|_| {}).await;
    run(&app, PrepareMonths {}).await;
}

/// What stands in `operations.md` for what exists.
#[tokio::test]
async fn everything_that_is_to_recur_does() {
    let app = TestApp::spawn().await;
    let store = app.store().await;
    let (auth, files) = (app.auth(store.clone()).await, app.files(store.clone()));
    let backups = crate::backup::backups_of(&app, &store, |_| {});
    let handlers = harness::handlers(&auth, &files, &backups);
    let mut names: Vec<String> = handlers.recurs().map(|(name, when)| format!("{name} {when}")).collect();
    names.sort();
    assert_eq!(
        names,
        [
            "backup-cleanup Sun 04:00",
            "database-backup daily 02:00",
            "duplicate-search daily 02:40",
            "idempotency-cleanup daily 03:10",
            "import-cleanup daily 03:30",
            "job-cleanup every 60 min",
            "mail-cleanup daily 03:20",
            "prepare-months daily 00:30",
            "session-cleanup daily 03:00",
            "temp-file-cleanup daily 03:30",
        ]
    );
}
