//! Exports on their way out: read batch by batch, written as a table meanwhile, and sent as fast as the other side takes it.
//!
//! A task of its own reads and writes, one piece ahead of the sending. It notices a download that is broken off, and the journal is told how
//! far it came.

use std::sync::Arc;

use actix_web::http::{Method, header};
use actix_web::{HttpResponse, rt};
use chrono::Duration;
use kernel::{Actor, Caller, Cause, DateTime, Error, Result};
use platform::export::{Export, ExportQuery, Table, note_begin, note_end};
use store::UnitOfWork;
use store::list::Whole;
use tokio::task::spawn_blocking;

use utoipa::ToSchema;

use crate::context::Context;
use crate::outflow::{Cut, Outflow, outflow};
use crate::problem::ApiResult;

/// Records as a table.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "it names exports in the document")]
pub(crate) struct ExportedTable(Vec<u8>);

/// How long it is believed that somebody may do what they might.
const BELIEVED: Duration = Duration::seconds(30);

/// Answers with all records of a list as a table.
///
/// # Errors
/// `validation_failed` with everything that is wrong with the query; `forbidden`.
pub(crate) async fn send<E: Export>(context: &Context) -> ApiResult {
    begin::<E>(context).await.map_err(|error| context.fail(error))
}

async fn begin<E: Export>(context: &Context) -> Result<HttpResponse> {
    let mut query = ExportQuery::<E>::parse(context.pairs()?)?;
    context.read_as(context.caller(), async |conn, caller| query.resolve(conn, caller).await).await?;
    let mut list = Whole::new(query.list.clone());
    // what is refused is refused before anything is sent
    let first = context.read_as(context.caller(), async |conn, caller| E::batch(conn, caller, &mut list).await).await?;
    let today = context.state.store.runtime().now().date_naive();
    let name = format!("attachment; filename=\"{}-{today}.{}\"", E::list().name, query.form.as_str());
    let mut response = HttpResponse::Ok();
    response.content_type(query.form.mime_type()).insert_header((header::CONTENT_DISPOSITION, name));
    if query.form == platform::table::TableForm::Xlsx {
        // it is compressed already
        response.insert_header((header::CONTENT_ENCODING, "identity"));
    }
    let (outflow, body) = outflow();
    if context.method() != Method::HEAD {
        let noted = async |uow: &mut UnitOfWork| {
            note_begin(uow, &query);
            Ok(())
        };
        context.state.store.write(context.caller(), noted).await?;
        let (caller, known_at) = (context.caller().clone(), context.state.store.runtime().now());
        let making = Making { context: context.clone(), caller, known_at, query, list, outflow, rows: 0 };
        // it goes on a little longer than its answer where that is broken off
        rt::spawn(context.state.answering.until(making.run(first)));
    }
    Ok(response.streaming(body))
}

/// An export that is being made.
struct Making<E: Export> {
    context: Context,
    /// Who asks, with what they may do.
    caller: Arc<Caller>,
    /// Since when that is known.
    known_at: DateTime,
    query: ExportQuery<E>,
    list: Whole,
    outflow: Outflow,
    /// Records that were handed over.
    rows: u64,
}

impl<E: Export> Making<E> {
    async fn run(mut self, first: Vec<E::Record>) {
        let made = match self.rows_of(first).await {
            Ok(table) => self.end(table).await,
            Err(cut) => Err(cut),
        };
        let Err(cut) = made else { return };
        if let Cut::Failed(error) = cut {
            tracing::warn!(?error, "an export was cut off");
            self.outflow.fail(error).await;
        }
        if let Err(error) = self.note(false).await {
            tracing::warn!(?error, "how far an export came was not journaled");
        }
    }

    /// Sends all rows.
    async fn rows_of(&mut self, first: Vec<E::Record>) -> Result<Table<E>, Cut> {
        let (mut table, mut records) = (self.query.begin()?, first);
        loop {
            let count = records.len() as u64;
            let write = move || table.write(&records).map(|piece| (table, piece));
            let (written, piece) = spawn_blocking(write).await.map_err(Error::internal)??;
            table = written;
            self.outflow.give(piece).await?;
            self.rows += count;
            if self.list.is_over() {
                return Ok(table);
            }
            self.look_again().await?;
            let Self { context, caller, list, .. } = self;
            records = context.read_as(caller, async |conn, caller| E::batch(conn, caller, list).await).await?;
        }
    }

    /// Whoever reads slowly reads for long, and may be let go meanwhile.
    async fn look_again(&mut self) -> Result<()> {
        let (state, now) = (&self.context.state, self.context.state.store.runtime().now());
        if now - self.known_at < BELIEVED {
            return Ok(());
        }
        let (user, workspace) = (self.caller.user()?, self.caller.workspace()?);
        let token = match self.caller.actor {
            Actor::Token { token, .. } => Some(token),
            _ => None,
        };
        let by_now = state.auth.caller_later(user, token, workspace, Cause::Request).await?;
        self.caller = Arc::new(Caller { actor: self.caller.actor, origin: self.caller.origin.clone(), ..by_now });
        self.known_at = now;
        Ok(())
    }

    /// The journal has it before the last piece is sent.
    async fn end(&mut self, table: Table<E>) -> Result<(), Cut> {
        let rest = table.finish()?;
        if self.outflow.is_closed() {
            return Err(Cut::BrokenOff);
        }
        self.note(true).await?;
        // whoever goes away now has been told all but the end
        let _ = self.outflow.give(rest).await;
        Ok(())
    }

    async fn note(&self, is_whole: bool) -> Result<()> {
        let noted = async |uow: &mut UnitOfWork| {
            note_end(uow, &self.query, self.rows, is_whole);
            Ok(())
        };
        self.context.state.store.write(self.context.caller(), noted).await
    }
}
