//! What our server is compared with: handlers of plain actix-web and sqlx on the same database, with as many workers and
//! connections, and the same statements in the same transactions. They ask nobody who they are, check nothing, sign nothing
//! and write no journal. Where a choice was open, the faster one was taken: columns are read by their number, the statements
//! are made once, and what ours derives from a new client is handed in ready.

mod client;
pub(crate) mod files;
mod postgres;
mod sqlite;

use std::net::SocketAddr;

use actix_web::error::ErrorInternalServerError;
use actix_web::{App, HttpServer};
use serde::Serialize;
use uuid::Uuid;

use crate::Result;
use crate::database::is_postgres;
use client::Client;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The database
    #[arg(long)]
    url: String,
    /// Where it listens; without it, where `start` says in PELATIS_LISTEN
    #[arg(long)]
    listen: Option<SocketAddr>,
    /// The role that it works as on PostgreSQL; empty for that of the URL
    #[arg(long, default_value = "pelatis_app")]
    role: String,
    /// Threads that answer
    #[arg(long, default_value_t = 2)]
    workers: usize,
    /// Connections of the pool; on SQLite the readers beside the one writer
    #[arg(long, default_value_t = 16)]
    connections: u32,
}

/// The records of a page, and one more that tells whether there is another page.
const LIMIT: usize = 25;

/// Who the transactions are for, and the statements.
#[derive(Clone, Copy)]
struct Fixed {
    workspace: Uuid,
    user: Uuid,
    get: &'static str,
    list: &'static str,
    insert: &'static str,
}

impl Fixed {
    fn new(workspace: Uuid, user: Uuid, numbered: bool) -> Self {
        let columns: Vec<String> = Client::COLUMNS.iter().map(|column| format!("\"client\".\"{column}\"")).collect();
        let columns = columns.join(", ");
        // SQLite looks up each numbered parameter by walking all of them
        let places: Vec<String> =
            (1..=Client::COLUMNS.len()).map(|place| if numbered { format!("${place}") } else { "?".to_owned() }).collect();
        let [first, second] = if numbered { ["$1", "$2"] } else { ["?", "?"] };
        let select = format!("SELECT {columns} FROM \"client\" WHERE \"client\".\"workspace_id\" = {first}");
        Self {
            workspace,
            user,
            get: kept(format!("{select} AND \"client\".\"id\" = {second}")),
            list: kept(format!(
                "{select} AND \"client\".\"archived_at\" IS NULL \
                 ORDER BY \"client\".\"created_at\" DESC, \"client\".\"id\" DESC LIMIT {second}"
            )),
            insert: kept(format!(
                "INSERT INTO \"client\" ({}) VALUES ({})",
                Client::COLUMNS.iter().map(|column| format!("\"{column}\"")).collect::<Vec<_>>().join(", "),
                places.join(", ")
            )),
        }
    }
}

/// A text for as long as the process runs.
fn kept(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

/// A page as ours answers it, but for the cursor.
#[derive(Serialize)]
struct Page {
    data: Vec<Client>,
    page: PageInfo,
}

#[derive(Serialize)]
struct PageInfo {
    next_cursor: Option<String>,
    has_more: bool,
}

impl Page {
    fn of(mut data: Vec<Client>) -> Self {
        let has_more = data.len() > LIMIT;
        data.truncate(LIMIT);
        Self { data, page: PageInfo { next_cursor: None, has_more } }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is handed to map_err")]
fn failed(error: sqlx::Error) -> actix_web::Error {
    ErrorInternalServerError(error.to_string())
}

/// Serves until it is ended.
pub(crate) fn serve(options: Options) -> Result<()> {
    let address = match options.listen {
        Some(address) => address,
        None => std::env::var("PELATIS_LISTEN").map_err(|_| "where is it to listen?")?.parse()?,
    };
    actix_web::rt::System::new().block_on(async move {
        if is_postgres(&options.url) {
            let state = postgres::State::open(&options.url, &options.role, options.connections).await?;
            let app = move || App::new().configure(|config| postgres::routes(config, state.clone()));
            HttpServer::new(app).workers(options.workers).bind(address)?.run().await?;
        } else {
            let state = sqlite::State::open(&options.url, options.connections).await?;
            let app = move || App::new().configure(|config| sqlite::routes(config, state.clone()));
            HttpServer::new(app).workers(options.workers).bind(address)?.run().await?;
        }
        Ok(())
    })
}
