//! On SQLite: one writer, and readers beside it which need no transaction, as ours.

use std::str::FromStr as _;
use std::time::Duration;

use actix_web::web::{Data, Json, Path, ServiceConfig, get, post};
use actix_web::{HttpResponse, Result as Answer};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, FromRow as _, SqlitePool};
use uuid::Uuid;

use super::client::{Client, NewClient};
use super::{Fixed, LIMIT, Page, failed};

#[derive(Clone)]
pub(super) struct State {
    writer: SqlitePool,
    readers: SqlitePool,
    fixed: Fixed,
}

impl State {
    pub async fn open(url: &str, connections: u32) -> sqlx::Result<Self> {
        let options = SqliteConnectOptions::from_str(url)?
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5))
            .statement_cache_capacity(200)
            .disable_statement_logging();
        let pool = |connections| {
            SqlitePoolOptions::new()
                .max_connections(connections)
                .min_connections(1)
                .acquire_timeout(Duration::from_secs(10))
                .test_before_acquire(false)
                .idle_timeout(None)
                .max_lifetime(None)
        };
        let writer = pool(1).connect_with(options.clone()).await?;
        let readers = pool(connections.min(store::sqlite_readers())).connect_with(options.pragma("query_only", "ON")).await?;
        let workspace: Uuid =
            sqlx::query_scalar("SELECT id FROM workspace ORDER BY created_at LIMIT 1").fetch_one(&readers).await?;
        let user: Uuid =
            sqlx::query_scalar("SELECT id FROM user_account ORDER BY created_at LIMIT 1").fetch_one(&readers).await?;
        Ok(Self { writer, readers, fixed: Fixed::new(workspace, user, false) })
    }

    #[expect(clippy::disallowed_methods, reason = "it is what ours is compared with")]
    async fn begin(&self) -> Answer<sqlx::Transaction<'static, sqlx::Sqlite>> {
        self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(failed)
    }
}

pub(super) fn routes(config: &mut ServiceConfig, state: State) {
    config
        .app_data(Data::new(state))
        .route("/health/live", get().to(HttpResponse::Ok))
        .route("/client/{id}", get().to(one))
        .route("/clients", get().to(list))
        .route("/client", post().to(create));
}

async fn one(state: Data<State>, id: Path<Uuid>) -> Answer<HttpResponse> {
    let found: Option<Client> = sqlx::query_as(state.fixed.get)
        .bind(state.fixed.workspace)
        .bind(*id)
        .fetch_optional(&state.readers)
        .await
        .map_err(failed)?;
    Ok(found.map_or_else(|| HttpResponse::NotFound().finish(), |client| HttpResponse::Ok().json(client)))
}

async fn list(state: Data<State>) -> Answer<HttpResponse> {
    let mut reader = state.readers.acquire().await.map_err(failed)?;
    // read once all rows are there: SQLite's thread hands them over one by one, and every wait for the next one costs
    let rows = sqlx::query(state.fixed.list)
        .bind(state.fixed.workspace)
        .bind(LIMIT as i64 + 1)
        .fetch_all(&mut *reader)
        .await
        .map_err(failed)?;
    let found = rows.iter().map(Client::from_row).collect::<sqlx::Result<Vec<Client>>>().map_err(failed)?;
    Ok(HttpResponse::Ok().json(Page::of(found)))
}

async fn create(state: Data<State>, input: Json<NewClient>) -> Answer<HttpResponse> {
    let client = input.into_inner().into_client(state.fixed.workspace, state.fixed.user);
    let mut transaction = state.begin().await?;
    client.insert_sqlite(state.fixed.insert).execute(&mut *transaction).await.map_err(failed)?;
    transaction.commit().await.map_err(failed)?;
    Ok(HttpResponse::Created().json(client))
}
