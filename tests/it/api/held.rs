//! What holds up whoever writes.

use harness::{Engine, TestApp};
use sqlx::Connection as _;

/// What keeps everybody from writing a client.
pub(super) enum Held {
    Sqlite(sqlx::SqliteConnection),
    Postgres(sqlx::PgConnection),
}

impl Held {
    pub(super) async fn up(app: &TestApp) -> Self {
        match app.db.engine {
            Engine::Sqlite => {
                let mut writer = sqlx::SqliteConnection::connect(&app.db.config.url).await.unwrap();
                sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut writer).await.unwrap();
                Self::Sqlite(writer)
            }
            Engine::Postgres => {
                let mut owner = sqlx::PgConnection::connect(app.db.config.owner_url.as_ref().unwrap()).await.unwrap();
                sqlx::raw_sql("BEGIN; LOCK TABLE client IN SHARE MODE").execute(&mut owner).await.unwrap();
                Self::Postgres(owner)
            }
        }
    }

    /// Returns once so many wait for a lock, which PostgreSQL shows; SQLite tells nobody who waits, so there it is when all have had the
    /// time.
    pub(super) async fn until_so_many_wait(&self, app: &TestApp, many: i64) {
        let waiting = "pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
        match self {
            Self::Sqlite(_) => tokio::time::sleep(std::time::Duration::from_millis(500)).await,
            Self::Postgres(_) => {
                while app.count(waiting).await < many {
                    tokio::time::sleep(std::time::Duration::from_millis(10)).await;
                }
            }
        }
    }

    /// Lets go.
    pub(super) async fn down(self) {
        match self {
            Self::Sqlite(writer) => writer.close().await.unwrap(),
            Self::Postgres(owner) => owner.close().await.unwrap(),
        }
    }
}
