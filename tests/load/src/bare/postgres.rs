//! On PostgreSQL: three round trips a request, as ours.

use std::str::FromStr as _;
use std::time::Duration;

use actix_web::web::{Data, Json, Path, ServiceConfig, get, post};
use actix_web::{HttpResponse, Result as Answer};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};
use uuid::Uuid;

use super::client::{Client, NewClient};
use super::{Fixed, LIMIT, Page, failed, kept};

#[derive(Clone)]
pub(super) struct State {
    pool: PgPool,
    fixed: Fixed,
    begin_read: &'static str,
    begin_write: &'static str,
}

impl State {
    pub async fn open(url: &str, role: &str, connections: u32) -> sqlx::Result<Self> {
        let mut owner = PgConnection::connect(url).await?;
        let workspace: Uuid =
            sqlx::query_scalar("SELECT id FROM workspace ORDER BY created_at LIMIT 1").fetch_one(&mut owner).await?;
        let user: Uuid =
            sqlx::query_scalar("SELECT id FROM user_account ORDER BY created_at LIMIT 1").fetch_one(&mut owner).await?;
        owner.close().await?;
        let mut options = PgConnectOptions::from_str(url)?
            .options([("statement_timeout", "30s")])
            .statement_cache_capacity(200)
            .disable_statement_logging();
        if !role.is_empty() {
            options = options.options([("role", role)]);
        }
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(Duration::from_secs(10))
            .test_before_acquire(false)
            .connect_with(options)
            .await?;
        let caller = format!(
            "SELECT set_config('pelatis.workspace', '{workspace}', true), set_config('pelatis.account', '{user}', true), \
             set_config('pelatis.kind', 'user', true), set_config('pelatis.manages', 'accounts tokens views', true)"
        );
        Ok(Self {
            pool,
            fixed: Fixed::new(workspace, user, true),
            begin_read: kept(format!("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {caller}")),
            begin_write: kept(format!("BEGIN; {caller}")),
        })
    }

    #[expect(clippy::disallowed_methods, reason = "it is what ours is compared with")]
    async fn begin(&self, statement: &'static str) -> Answer<sqlx::Transaction<'static, sqlx::Postgres>> {
        self.pool.begin_with(statement).await.map_err(failed)
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
    let mut transaction = state.begin(state.begin_read).await?;
    let found: Option<Client> = sqlx::query_as(state.fixed.get)
        .bind(state.fixed.workspace)
        .bind(*id)
        .fetch_optional(&mut *transaction)
        .await
        .map_err(failed)?;
    transaction.commit().await.map_err(failed)?;
    Ok(found.map_or_else(|| HttpResponse::NotFound().finish(), |client| HttpResponse::Ok().json(client)))
}

async fn list(state: Data<State>) -> Answer<HttpResponse> {
    let mut transaction = state.begin(state.begin_read).await?;
    let found: Vec<Client> = sqlx::query_as(state.fixed.list)
        .bind(state.fixed.workspace)
        .bind(LIMIT as i64 + 1)
        .fetch_all(&mut *transaction)
        .await
        .map_err(failed)?;
    transaction.commit().await.map_err(failed)?;
    Ok(HttpResponse::Ok().json(Page::of(found)))
}

async fn create(state: Data<State>, input: Json<NewClient>) -> Answer<HttpResponse> {
    let client = input.into_inner().into_client(state.fixed.workspace, state.fixed.user);
    let mut transaction = state.begin(state.begin_write).await?;
    client.insert_postgres(state.fixed.insert).execute(&mut *transaction).await.map_err(failed)?;
    transaction.commit().await.map_err(failed)?;
    Ok(HttpResponse::Created().json(client))
}
