//! A payload holds ids, numbers and declared words. The types see to it when a kind is declared; this reads what comes of them.

use kernel::TypedId;
use serde_json::{Value, json};
use store::jobs::{Job, JobKind, Queue};
use uuid::Uuid;

use super::{enqueue, in_main};

store::job_kind! {
    /// Has a field of everything that a payload can hold.
    pub(crate) struct Everything as "test_everything" on Ai {
        id: Uuid,
        workspace: kernel::WorkspaceId,
        user: Option<kernel::UserId>,
        several: Vec<Uuid>,
        number: i64,
        is_so: bool,
        at: kernel::DateTime,
        day: chrono::NaiveDate,
        word: Queue,
    }
}

/// Whether a value is an id, a number, a moment or a word of letters that we chose.
fn is_harmless(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
        Value::Array(list) => list.iter().all(is_harmless),
        Value::Object(members) => members.values().all(is_harmless),
        Value::String(text) => {
            let is_word = text.len() <= 40 && text.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_');
            is_word
                || text.parse::<Uuid>().is_ok()
                || text.parse::<kernel::DateTime>().is_ok()
                || text.parse::<chrono::NaiveDate>().is_ok()
        }
    }
}

#[test]
fn addresses_texts_and_secrets_are_not_harmless() {
    for text in ["nikos@example.com", "Αφοί Παπά", "plt_9Jx2aQ4mXw", "hello there", "+30 210 1234567"] {
        assert!(!is_harmless(&json!({ "x": [text] })), "{text}");
    }
}

/// Everything that the suite's kinds put into rows, and every kind that recurs, is read back from the database.
#[tokio::test]
async fn every_payload_holds_ids_numbers_and_words_and_comes_back_as_it_was() {
    let app = harness::TestApp::spawn().await;
    let everything = Everything {
        id: Uuid::nil(),
        workspace: app.workspace.parse().unwrap(),
        user: Some(app.admin.user_id.parse().unwrap()),
        several: vec![Uuid::nil()],
        number: -5,
        is_so: true,
        at: "2026-11-25T12:00:00.000001Z".parse().unwrap(),
        day: "2026-11-25".parse().unwrap(),
        word: Queue::Ai,
    };
    enqueue(&app, std::slice::from_ref(&everything), |job| job).await;
    let store = app.store().await;
    store
        .write(&in_main(&app), async |uow| {
            for job in [
                Job::of(&store::jobs::Noop {}),
                Job::of(&store::jobs::PrepareMonths {}),
                Job::of(&store::jobs::IdempotencyCleanup {}),
                Job::of(&store::jobs::JobCleanup {}),
                Job::of(&auth::SessionCleanup {}),
                Job::of(&::files::FileCleanup {}),
                Job::of(&::backup::NightlyBackup {}),
                Job::of(&::backup::BackupCleanup {}),
                Job::of(&::backup::BackUp { backup: kernel::TypedId::from_uuid(Uuid::nil()) }),
                Job::of(&platform::imports::jobs::StageImport { run: TypedId::from_uuid(Uuid::nil()), round: 1 }),
                Job::of(&platform::imports::jobs::WriteImport { run: TypedId::from_uuid(Uuid::nil()) }),
                Job::of(&platform::imports::jobs::UndoImport { run: TypedId::from_uuid(Uuid::nil()) }),
                Job::of(&files::imports::ImportCleanup {}),
                Job::of(&auth::SendReset { user: Some(app.admin.user_id.parse().unwrap()) }),
                Job::of(&auth::SendLockOut { user: None, at: uow.now() }),
                Job::of(&mail::SendMail { mail: uow.id() }),
                Job::of(&mail::MailCleanup {}),
            ] {
                uow.enqueue(job).await?;
            }
            Ok(())
        })
        .await
        .unwrap();
    let payloads = app.db.rows("SELECT CAST(payload AS text) FROM job").await;
    assert_eq!(payloads.len(), 18);
    for payload in &payloads {
        assert!(is_harmless(&serde_json::from_str(payload).unwrap()), "{payload}");
    }
    let sql = format!("SELECT CAST(payload AS text) FROM job WHERE kind = '{}'", Everything::KIND);
    let back: Everything = serde_json::from_str(&app.db.scalar(&sql).await.unwrap()).unwrap();
    assert_eq!(back, everything);
}
