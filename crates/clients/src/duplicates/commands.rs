//! Asking which clients may be one, and saying that two are not.

use std::collections::HashMap;

use kernel::{Caller, Error, Page, Permission, Result, TypedId as _};
use store::list::{CustomFilter, ListField, ListQuery, ListSpec};
use store::query::{Expr, ExprTrait, Query, SelectStatement};
use store::{Action, Change, Conn, Record as _, UnitOfWork};
use uuid::Uuid;

use super::find;
use super::subject::{Subject, Written};
use super::wire::{CheckDuplicates, ClientDuplicate, ClientDuplicates, DuplicateCandidate};
use super::{DuplicateCandidateId, DuplicateCandidateRow};
use crate::clients::{self, ClientBrief};
use crate::rows::{ClientId, ClientKind};

/// How pairs can be listed.
pub static CANDIDATE_LIST: ListSpec = ListSpec {
    name: "client_duplicates",
    table: "duplicate_candidate",
    fields: &[
        ListField::integer("score").sorted().indexed(),
        ListField::time("created_at").sorted().indexed(),
        ListField::uuid("dismissed_by").nullable(),
    ],
    filters: &[CustomFilter::of_record("client_id", pairs_of)],
    default_sort: &["-score"],
    archived: true,
    ..ListSpec::EMPTY
};

fn column(name: &'static str) -> Expr {
    Expr::col(("duplicate_candidate", name))
}

/// The pairs of which a client is one.
fn pairs_of(client: store::query::Value) -> SelectStatement {
    let mut ids = Query::select();
    ids.expr_as(Expr::col("id"), "found")
        .from("duplicate_candidate")
        .and_where(Expr::col("client_id").eq(client.clone()).or(Expr::col("other_id").eq(client)));
    ids
}

/// Pairs of which the caller sees both clients, and both are in use.
fn visible_to(caller: &Caller) -> Result<SelectStatement> {
    caller.require(Permission::ClientsMerge)?;
    let sees = |side: &'static str| -> Result<_> {
        // each looked up by its id: all that are seen may be very many
        let mut seen = clients::visible_to(caller)?;
        seen.clear_selects().expr(Expr::value(1)).and_where(Expr::col(("client", "id")).eq(column(side)));
        seen.and_where(Expr::col(("client", "archived_at")).is_null());
        Ok(Expr::exists(seen))
    };
    let mut select = DuplicateCandidateRow::select();
    select
        .and_where(column("workspace_id").eq(caller.workspace()?.uuid()))
        .and_where(sees("client_id")?)
        .and_where(sees("other_id")?);
    Ok(select)
}

async fn dress(conn: &mut Conn, caller: &Caller, rows: Vec<DuplicateCandidateRow>) -> Result<Vec<DuplicateCandidate>> {
    let briefs: HashMap<ClientId, ClientBrief> =
        clients::briefs(conn, caller, rows.iter().flat_map(|row| [row.client_id, row.other_id])).await?;
    let pairs = rows.into_iter().filter_map(|row| {
        Some(DuplicateCandidate {
            id: row.id,
            client: briefs.get(&row.client_id)?.clone(),
            other: briefs.get(&row.other_id)?.clone(),
            score: row.score,
            reasons: row.reasons.0,
            archived_at: row.archived_at,
            dismissed_by: row.dismissed_by,
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        })
    });
    Ok(pairs.collect())
}

/// Pairs of clients that may be one.
///
/// # Errors
/// `forbidden` without `clients.merge`, or for whoever sees no clients.
pub async fn list(conn: &mut Conn, caller: &Caller, query: &ListQuery) -> Result<Page<DuplicateCandidate>> {
    let page = store::list::page::<DuplicateCandidateRow>(conn, caller, visible_to(caller)?, &CANDIDATE_LIST, query).await?;
    Ok(Page { data: dress(conn, caller, page.data).await?, page: page.page })
}

/// One pair.
///
/// # Errors
/// As [`list`]; `not_found`.
pub async fn get(conn: &mut Conn, caller: &Caller, id: DuplicateCandidateId) -> Result<DuplicateCandidate> {
    let mut select = visible_to(caller)?;
    select.and_where(column("id").eq(id.uuid()));
    let row = conn.one::<DuplicateCandidateRow>(&select).await?;
    dress(conn, caller, row.into_iter().collect()).await?.pop().ok_or_else(Error::not_found)
}

async fn find_locked(uow: &mut UnitOfWork, id: DuplicateCandidateId, seen: Option<i64>) -> Result<DuplicateCandidateRow> {
    let mut select = visible_to(&uow.caller())?;
    select.and_where(column("id").eq(id.uuid()));
    let row = uow.locked::<DuplicateCandidateRow>(select).await?.ok_or_else(Error::not_found)?;
    auth::check_seen(seen, row.version)?;
    Ok(row)
}

/// Says that two clients are two. The pair is not found again.
///
/// # Errors
/// As [`get`]; `stale`.
pub async fn dismiss(uow: &mut UnitOfWork, id: DuplicateCandidateId, seen: Option<i64>) -> Result<()> {
    let before = find_locked(uow, id, seen).await?;
    if before.archived_at.is_none() {
        let dismissed_by = uow.caller().actor.user();
        let after = DuplicateCandidateRow { archived_at: Some(uow.now()), dismissed_by, ..before.clone() };
        uow.update(&before, after, about(&before, Action::Archive)).await?;
    }
    Ok(())
}

/// Takes back that two clients are two.
///
/// # Errors
/// As [`get`]; `stale`.
pub async fn restore(uow: &mut UnitOfWork, id: DuplicateCandidateId, seen: Option<i64>) -> Result<DuplicateCandidate> {
    let before = find_locked(uow, id, seen).await?;
    let mut row = before.clone();
    if before.archived_at.is_some() {
        let after = DuplicateCandidateRow { archived_at: None, dismissed_by: None, ..before.clone() };
        row = uow.update(&before, after, about(&before, Action::Restore)).await?;
    }
    let caller = uow.caller();
    dress(uow, &caller, vec![row]).await?.pop().ok_or_else(Error::not_found)
}

fn about(row: &DuplicateCandidateRow, action: Action) -> Change {
    Change::of(action).about("client", row.client_id)
}

/// The clients that one may be the same as, but for those that somebody said it is not.
///
/// # Errors
/// `forbidden` for whoever sees no clients; `not_found`; `client_merged`.
pub async fn of_client(conn: &mut Conn, caller: &Caller, id: ClientId) -> Result<ClientDuplicates> {
    let row = clients::get_row(conn, caller, id).await?;
    let country = auth::workspaces::defaults(conn, caller).await?.country;
    let mut dismissed = DuplicateCandidateRow::select();
    dismissed
        .clear_selects()
        .columns([("duplicate_candidate", "client_id"), ("duplicate_candidate", "other_id")])
        .and_where(column("archived_at").is_not_null())
        .and_where(column("id").in_subquery(pairs_of(id.uuid().into())));
    let mut but = vec![id.uuid()];
    for pair in conn.rows(&dismissed).await? {
        but.extend([pair.get::<Uuid>(0)?, pair.get(1)?]);
    }
    let found = find::find(conn, caller, &Subject::of_row(&row, &country), &but, &country).await?;
    Ok(ClientDuplicates { data: found.into_iter().map(ClientDuplicate::from).collect() })
}

/// The clients that one that is about to be made may be the same as.
///
/// # Errors
/// `forbidden` for whoever sees no clients; `validation_failed` where nothing says who it is.
pub async fn check(conn: &mut Conn, caller: &Caller, input: &CheckDuplicates) -> Result<ClientDuplicates> {
    clients::visible_to(caller)?;
    let country = auth::workspaces::defaults(conn, caller).await?.country;
    let subject = Subject::of(&Written {
        kind: input.kind.unwrap_or(ClientKind::Company),
        name: input.name.as_deref().unwrap_or_default(),
        legal_name: input.legal_name.as_deref(),
        tax_number: input.tax_number.as_deref(),
        website: input.website.as_deref(),
        emails: input.emails.as_deref().unwrap_or_default(),
        phone: input.phone.as_deref(),
        phones: input.phones.as_deref().unwrap_or_default(),
        country: input.country.as_deref().unwrap_or(&country),
    });
    if subject.keys().is_empty() {
        let detail = "needs a name, a tax number, a website, an e-mail address or a phone";
        return Err(Error::invalid_field("", "says_nothing", detail));
    }
    let found = find::find(conn, caller, &subject, &[], &country).await?;
    Ok(ClientDuplicates { data: found.into_iter().map(ClientDuplicate::from).collect() })
}
