//! Looking through all clients of a workspace for those that may be one: each night where something changed, and when somebody asks.
//!
//! Each client is compared with the older ones that share its keys; so each pair comes once. What an earlier search found and this one does
//! not, because somebody changed one of the two, goes; what somebody dismissed stays dismissed. A search that ends in the middle begins anew.

use std::collections::{BTreeMap, HashMap, HashSet};

use async_trait::async_trait;
use kernel::{Caller, DateTime, Error, Permission, Result, TypedId as _, WorkspaceId};
use store::dialect::{Dialect, unindexed};
use store::errors::BUSY;
use store::jobs::schedule::When;
use store::jobs::{Follower, Handlers, Job, JobContext, JobKind as _, JobRow};
use store::query::{Expr, ExprTrait, Order, Query, SelectStatement};
use store::{Change, Conn, Field as _, Json, OnUnique as _, Record as _, UnitOfWork};
use uuid::Uuid;

use super::find::{self, Found};
use super::on_create::{DETECTED, pair};
use super::subject::{KEYS, Subject};
use super::wire::DuplicateSearch;
use super::{DuplicateCandidateRow, DuplicateSearchRow, keep};
use crate::rows::{ClientId, ClientRow};

/// Clients at a time. Debug builds take few, so that tests, which have little data, see several turns.
const BATCH: u64 = if cfg!(debug_assertions) { 4 } else { 500 };

/// One search of a workspace waits at a time.
const UNIQUE: &str = "search_duplicates";

store::job_kind! {
    /// Looks through the clients of a workspace for those that may be one.
    pub struct SearchDuplicates as "search_duplicates" on Maintenance {
        /// Whether somebody asked for it; otherwise only where a client changed since the last one.
        is_asked_for: bool,
    }
}

/// Registers the search.
pub fn handle(handlers: &mut Handlers) {
    handlers.on(run);
    handlers.recurring_in_workspaces("duplicate-search", When::Daily(2, 40), SearchDuplicates { is_asked_for: false });
}

/// Hears of searches that do not come to their end.
#[derive(Clone, Copy, Debug)]
pub struct FollowSearch;

#[async_trait]
impl Follower for FollowSearch {
    fn kind(&self) -> &'static str {
        SearchDuplicates::KIND
    }

    async fn ended(&self, uow: &mut UnitOfWork, job: &JobRow) -> Result<()> {
        // whoever ends the job may be in no workspace
        let workspace = uow.workspace()?;
        let is_running = of_workspace(uow, workspace).await?.is_some_and(|row| row.is_running());
        if !is_running || job.has_another(uow).await? {
            return Ok(());
        }
        // the next night's is due whether a client changed or not
        note(uow, &[("started_at", Expr::value(None::<DateTime>.value()))]).await
    }
}

fn column(name: &'static str) -> Expr {
    Expr::col(("client", name))
}

impl DuplicateSearchRow {
    pub(super) fn is_running(&self) -> bool {
        match (self.started_at, self.finished_at) {
            (Some(started), Some(finished)) => started > finished,
            (started, _) => started.is_some(),
        }
    }
}

async fn of_workspace(conn: &mut Conn, workspace: WorkspaceId) -> Result<Option<DuplicateSearchRow>> {
    let mut select = DuplicateSearchRow::select();
    select.and_where(Expr::col(("duplicate_search", "workspace_id")).eq(workspace.uuid()));
    conn.one(&select).await
}

/// How far the workspace was looked through.
///
/// # Errors
/// `forbidden` without `clients.merge`.
pub async fn get_search(conn: &mut Conn, caller: &Caller) -> Result<DuplicateSearch> {
    caller.require(Permission::ClientsMerge)?;
    let row = of_workspace(conn, caller.workspace()?).await?;
    let none = DuplicateSearch { is_running: false, looked_at: 0, found: 0, started_at: None, finished_at: None };
    Ok(row.as_ref().map_or(none, DuplicateSearch::from))
}

/// Has the workspace looked through. Where that waits for its turn already, nothing more is done.
///
/// # Errors
/// `forbidden` without `clients.merge`.
pub async fn start_search(uow: &mut UnitOfWork) -> Result<DuplicateSearch> {
    uow.caller().require(Permission::ClientsMerge)?;
    if uow.enqueue(Job::of(&SearchDuplicates { is_asked_for: true }).unique(UNIQUE)).await?.is_none() {
        let caller = uow.caller();
        return get_search(uow, &caller).await;
    }
    begin(uow).await.map(|row| DuplicateSearch::from(&row))
}

/// Notes that a search begins.
async fn begin(uow: &mut UnitOfWork) -> Result<DuplicateSearchRow> {
    let (workspace, now) = (uow.workspace()?, uow.now());
    auth::workspaces::lock(uow, workspace).await?;
    let Some(before) = of_workspace(uow, workspace).await? else {
        let row = DuplicateSearchRow {
            id: uow.id(),
            workspace_id: workspace,
            keys: 0,
            looked_at: 0,
            found: 0,
            started_at: Some(now),
            finished_at: None,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        uow.insert(&row, Change::plain()).await?;
        return Ok(row);
    };
    let started_at = std::cmp::max(Some(now), before.finished_at.map(|at| at + chrono::Duration::microseconds(1)));
    let after = DuplicateSearchRow { looked_at: 0, found: 0, started_at, ..before.clone() };
    uow.update(&before, after, Change::plain()).await
}

/// Says how far it is.
async fn note(uow: &mut UnitOfWork, values: &[(&'static str, Expr)]) -> Result<()> {
    let workspace = uow.workspace()?.uuid();
    let mut update = Query::update();
    update.table("duplicate_search").and_where(Expr::col("workspace_id").eq(workspace));
    for (name, value) in values {
        update.value(*name, value.clone());
    }
    uow.execute(&update).await.map(|_| ())
}

/// The next clients in the order of their ids.
fn next(dialect: Dialect, caller: &Caller, after: Option<ClientId>) -> Result<SelectStatement> {
    let mut select = ClientRow::select();
    select
        .and_where(unindexed(dialect, "client", "workspace_id").eq(caller.workspace()?.uuid()))
        .and_where_option(after.map(|after| column("id").gt(after.uuid())))
        .order_by(("client", "id"), Order::Asc)
        .limit(BATCH);
    Ok(select)
}

async fn run(context: JobContext, SearchDuplicates { is_asked_for }: SearchDuplicates) -> Result<()> {
    let caller = context.caller().clone();
    let mut reader = context.store().reader(&caller).await?;
    let last = of_workspace(&mut reader, caller.workspace()?).await?;
    let country = auth::workspaces::defaults(&mut reader, &caller).await?.country;
    let is_due = is_asked_for || has_changed(&mut reader, &caller, last.as_ref()).await?;
    reader.close().await?;
    if !is_due {
        return context.complete(async |_| Ok(())).await;
    }
    let row = context.write(begin).await?;
    make_keys(&context, &caller, row.keys).await?;
    let (mut after, mut looked_at, mut found) = (None, 0, 0);
    loop {
        context.go_on()?;
        let mut reader = context.store().reader(&caller).await?;
        let clients = next(reader.dialect(), &caller, after)?;
        let clients = reader.all::<ClientRow>(&clients).await?;
        let pairs = pairs_of(&mut reader, &caller, &clients, &country).await?;
        reader.close().await?;
        let Some(last) = clients.last().map(|row| row.id) else { break };
        after = Some(last);
        looked_at += i64::try_from(clients.len()).unwrap_or(0);
        found += i64::try_from(pairs.values().map(BTreeMap::len).sum::<usize>()).unwrap_or(0);
        context
            .write(async |uow| {
                settle(uow, &clients, &pairs).await?;
                note(uow, &[("looked_at", Expr::value(looked_at)), ("found", Expr::value(found))]).await
            })
            .await?;
    }
    context
        .complete(async |uow| {
            let now = uow.now();
            note(uow, &[("finished_at", Expr::value(now))]).await
        })
        .await
}

/// Whether a client changed since the last search that came to its end began.
async fn has_changed(conn: &mut Conn, caller: &Caller, last: Option<&DuplicateSearchRow>) -> Result<bool> {
    let Some(last) = last.filter(|last| !last.is_running() && last.keys == KEYS) else { return Ok(true) };
    let mut newer = ClientRow::select();
    newer
        .clear_selects()
        .column(("client", "id"))
        .and_where(column("workspace_id").eq(caller.workspace()?.uuid()))
        .and_where_option(last.started_at.map(|at| column("updated_at").gte(at)))
        .order_by(("client", "updated_at"), Order::Desc)
        .limit(1);
    Ok(conn.row(&newer).await?.is_some())
}

/// Makes the keys of all clients where they are those of an earlier version, or there are none yet.
async fn make_keys(context: &JobContext, caller: &Caller, keys: i64) -> Result<()> {
    if keys == KEYS {
        return Ok(());
    }
    if keys > 0 {
        context.write(async |uow| keep::forget_all(uow).await).await?;
    }
    let mut after = None;
    loop {
        context.go_on()?;
        let last = context
            .write(async |uow| {
                // held, so that nobody changes or purges one before its keys are there
                let rows = next(uow.dialect(), caller, after)?;
                let rows = uow.held_all::<ClientRow>(rows).await?;
                keep::put_all(uow, &rows).await?;
                Ok(rows.last().map(|row| row.id))
            })
            .await?;
        match last {
            Some(last) => after = Some(last),
            None => return context.write(async |uow| note(uow, &[("keys", Expr::value(KEYS))]).await).await,
        }
    }
}

/// The pairs of each of these clients with older ones.
type Pairs = HashMap<Uuid, BTreeMap<Uuid, Found>>;

async fn pairs_of(conn: &mut Conn, caller: &Caller, rows: &[ClientRow], country: &str) -> Result<Pairs> {
    let workspace = caller.workspace()?.uuid();
    let mut all = Pairs::new();
    for row in rows.iter().filter(|row| row.archived_at.is_none() && row.merged_into_id.is_none()) {
        let subject = Subject::of_row(row, country);
        let keys = subject.keys();
        let Some(select) = find::holders(conn.dialect(), workspace, &keys, Some(row.id.uuid())) else { continue };
        let shared = find::pairs(&conn.rows(&select).await?)?;
        let ids = find::worth_a_look(&keys, &shared, &[]);
        if ids.is_empty() {
            continue;
        }
        let mut among = ClientRow::select();
        among.and_where(column("merged_into_id").is_null()).and_where(column("id").is_in(ids));
        let found = find::compare(conn, among, &subject, country).await?;
        if !found.is_empty() {
            all.insert(row.id.uuid(), found.into_iter().map(|found| (found.row.id.uuid(), found)).collect());
        }
    }
    Ok(all)
}

fn known(rows: &[ClientRow]) -> SelectStatement {
    let mut select = DuplicateCandidateRow::select();
    select.and_where(Expr::col(("duplicate_candidate", "other_id")).is_in(rows.iter().map(|row| row.id.uuid())));
    select
}

/// Makes the pairs that are kept of these clients with older ones those that were found.
async fn settle(uow: &mut UnitOfWork, rows: &[ClientRow], pairs: &Pairs) -> Result<()> {
    // clients first, as everybody does; one may have gone since it was read
    let named: Vec<Uuid> = pairs.iter().flat_map(|(one, others)| others.keys().copied().chain([*one])).collect();
    let there = hold(uow, &named).await?;
    let (mut new, mut gone) = (pairs.clone(), Vec::new());
    for row in uow.locked_all::<DuplicateCandidateRow>(known(rows)).await? {
        let again = new.get_mut(&row.other_id.uuid()).and_then(|older| older.remove(&row.client_id.uuid()));
        match again {
            Some(found) => {
                let reasons = Json(found.likeness.reasons);
                let after = DuplicateCandidateRow { score: found.likeness.score, reasons, ..row.clone() };
                uow.update(&row, after, Change::plain()).await?;
            }
            None if row.archived_at.is_none() => gone.push(row),
            None => {}
        }
    }
    uow.delete_all(&gone, |_| Change::plain()).await?;
    let mut found = Vec::new();
    for row in rows.iter().filter(|row| there.contains(&row.id.uuid())) {
        for (older, with) in new.remove(&row.id.uuid()).unwrap_or_default() {
            if there.contains(&older) {
                found.push(pair(uow, row, with.row.id, with.likeness));
            }
        }
    }
    // another search, or whoever makes a client, may have found one meanwhile
    uow.insert_all(&found, |_| Change::plain().event(DETECTED)).await.on_unique(|| Error::new(&BUSY))
}

/// Those of these clients that are there, which stay so until the unit of work ends.
async fn hold(uow: &mut UnitOfWork, ids: &[Uuid]) -> Result<HashSet<Uuid>> {
    let mut there = HashSet::new();
    let mut ids: Vec<Uuid> = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    for some in ids.chunks(500) {
        let mut select = ClientRow::select();
        select.and_where(column("id").is_in(some.iter().copied())).order_by(("client", "id"), Order::Asc);
        there.extend(uow.held_all::<ClientRow>(select).await?.into_iter().map(|row| row.id.uuid()));
    }
    Ok(there)
}
