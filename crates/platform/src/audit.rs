//! The audit trail: a view of the journal. What the reader may not see elsewhere is masked here too.

use std::collections::HashMap;

use kernel::{Actor, Caller, DateTime, Page, Permission, Result, TypedId as _};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use store::dialect::{Dialect, unindexed};
use store::journal::JournalEntry;
use store::list::{ListQuery, Listed as _};
use store::query::{Expr, ExprTrait, Query, SelectStatement, UnionType};
use store::{Action, Conn};
use utoipa::ToSchema;
use uuid::Uuid;

pub use store::journal::JOURNAL_LIST as AUDIT_LIST;

/// Who did something.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AuditActor {
    /// `user`, `contact`, `token`, `job` or `anonymous`.
    pub kind: String,
    /// Which one.
    pub id: Option<Uuid>,
    /// The staff account behind it.
    pub user_id: Option<Uuid>,
}

/// One change of one record.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AuditEntry {
    /// Its id.
    pub id: Uuid,
    /// Rises with each entry; gaps are possible.
    pub number: i64,
    /// When.
    pub at: DateTime,
    /// Who.
    pub actor: AuditActor,
    /// Why: `request`, `job`, `import` or `command`.
    pub cause: String,
    /// Which job or import.
    pub cause_id: Option<Uuid>,
    /// Which request.
    pub request_id: Option<String>,
    /// From which address.
    pub ip: Option<String>,
    /// With which program.
    pub user_agent: Option<String>,
    /// The type of the record.
    pub record_type: String,
    /// The record.
    pub record_id: Option<Uuid>,
    /// The type of the record in whose trail it also stands.
    pub subject_type: Option<String>,
    /// The record in whose trail it also stands.
    pub subject_id: Option<Uuid>,
    /// What was done.
    pub action: Action,
    /// The live event that it is, such as `client.updated`.
    pub event: String,
    /// The fields that changed, each `{"from": …, "to": …}`, `{"secret": true}`, `{"masked": true}` or `{"erased": true}`.
    #[schema(value_type = Object)]
    pub changes: Map<String, Value>,
}

/// What one must be allowed, all of it, in order to see the values of a record type's fields. What is not here every member may see.
const SEEN_WITH: [(&str, &[Permission]); 35] = [
    ("installation_settings", &[Permission::AdminManageSettings]),
    ("client", &[Permission::ClientsViewAll]),
    ("client_contact", &[Permission::ClientsViewAll, Permission::ContactsView]),
    ("note", &[Permission::ClientsViewAll]),
    ("client_admin", &[Permission::ClientsViewAll]),
    ("client_group_member", &[Permission::ClientsViewAll]),
    ("client_merge", &[Permission::ClientsViewAll]),
    ("duplicate_candidate", &[Permission::ClientsViewAll]),
    ("client_relationship", &[Permission::ClientsViewAll]),
    // it may be of a client, of a contact or of both
    ("interaction", &[Permission::ClientsViewAll, Permission::ContactsView]),
    ("tagging", &[Permission::ClientsViewAll]),
    // a file or folder may be on a client, on a contact or on nothing
    ("file", &[Permission::ClientsViewAll, Permission::ContactsView, Permission::FilesView]),
    ("folder", &[Permission::ClientsViewAll, Permission::ContactsView, Permission::FilesView]),
    // whoever does not see all clients does not see all contacts
    ("contact", &[Permission::ClientsViewAll, Permission::ContactsView]),
    // as the contact
    ("portal_account", &[Permission::ClientsViewAll, Permission::ContactsView]),
    ("portal_access", &[Permission::ClientsViewAll, Permission::ContactsView]),
    ("user_account", &[Permission::AdminManageUsers]),
    ("session", &[Permission::AdminManageUsers]),
    ("membership", &[Permission::AdminManageUsers]),
    ("invitation", &[Permission::AdminManageUsers]),
    ("role", &[Permission::AdminManageUsers]),
    ("second_factor", &[Permission::AdminManageUsers]),
    ("team", &[Permission::AdminManageUsers]),
    ("team_member", &[Permission::AdminManageUsers]),
    ("role_override", &[Permission::AdminManageUsers]),
    ("api_token", &[Permission::AdminManageTokens]),
    // what somebody looks for is theirs
    ("saved_view", &[Permission::ClientsViewAll, Permission::ContactsView, Permission::AdminManageSettings]),
    ("saved_view_default", &[Permission::ClientsViewAll, Permission::ContactsView, Permission::AdminManageSettings]),
    ("job", &[Permission::AdminManageSettings]),
    ("backup_run", &[Permission::AdminSystemBackup]),
    ("mail_message", &[Permission::AdminManageSettings]),
    ("mail_template", &[Permission::AdminManageSettings]),
    ("mail_suppression", &[Permission::AdminManageSettings]),
    ("import_run", &[Permission::AdminImport]),
    ("import_issue", &[Permission::AdminImport]),
];

/// The condition that an act is the caller's own. A token has done what was done with it: what else its maker did may be more than it
/// was given.
fn own(caller: &Caller) -> Result<(&'static str, Uuid)> {
    match caller.actor {
        Actor::Token { token, .. } => Ok(("actor_id", token)),
        _ => Ok(("user_id", caller.user()?.uuid())),
    }
}

fn is_own(caller: &Caller, entry: &JournalEntry) -> bool {
    match own(caller) {
        Ok(("actor_id", token)) => entry.actor_id == Some(token),
        Ok((_, user)) => entry.user_id == Some(user),
        Err(_) => false,
    }
}

fn view(caller: &Caller, entry: JournalEntry) -> AuditEntry {
    let needed = SEEN_WITH.iter().find(|(record_type, _)| *record_type == entry.record_type);
    let lacking = needed.is_some_and(|(_, needed)| needed.iter().any(|permission| !caller.can(*permission)));
    let masked = lacking && !is_own(caller, &entry);
    let mut changes = entry.changes;
    if masked {
        changes.values_mut().for_each(|change| *change = json!({ "masked": true }));
    }
    AuditEntry {
        id: entry.id,
        number: entry.number,
        at: entry.at,
        actor: AuditActor { kind: entry.actor_kind, id: entry.actor_id, user_id: entry.user_id },
        cause: entry.cause_kind,
        cause_id: entry.cause_id,
        request_id: entry.request_id,
        ip: entry.ip.filter(|_| !masked),
        user_agent: entry.user_agent.filter(|_| !masked),
        record_type: entry.record_type,
        record_id: entry.record_id,
        subject_type: entry.subject_type,
        subject_id: entry.subject_id,
        action: entry.action,
        event: entry.event,
        changes,
    }
}

fn column(name: &'static str) -> Expr {
    Expr::col(("journal_entry", name))
}

async fn page(conn: &mut Conn, caller: &Caller, base: SelectStatement, query: &ListQuery) -> Result<Page<AuditEntry>> {
    let page = store::list::page::<JournalEntry>(conn, caller, base, &AUDIT_LIST, query).await?;
    Ok(page.map(|entry| view(caller, entry)))
}

fn of_workspace(caller: &Caller) -> Result<SelectStatement> {
    let mut select = JournalEntry::select();
    select.and_where(column("workspace_id").eq(caller.workspace()?.uuid()));
    Ok(select)
}

/// Everything that happened in the workspace.
///
/// # Errors
/// `forbidden` without `admin.view_audit_log`.
pub async fn list(conn: &mut Conn, caller: &Caller, query: &ListQuery) -> Result<Page<AuditEntry>> {
    caller.require(Permission::AdminViewAuditLog)?;
    page(conn, caller, of_workspace(caller)?, query).await
}

/// What happened to one record, and to what hangs on it. The domain of the record has seen to it that the caller may see the record.
///
/// # Errors
/// `forbidden` without `admin.view_audit_log`.
pub async fn of_record(conn: &mut Conn, caller: &Caller, record_id: Uuid, query: &ListQuery) -> Result<Page<AuditEntry>> {
    of_records(conn, caller, record_id, Vec::new(), query).await
}

/// As [`of_record`], with what happened to others before they became part of it.
///
/// # Errors
/// As [`of_record`].
pub async fn of_records(
    conn: &mut Conn,
    caller: &Caller,
    record_id: Uuid,
    parts: Vec<Uuid>,
    query: &ListQuery,
) -> Result<Page<AuditEntry>> {
    caller.require(Permission::AdminViewAuditLog)?;
    let ids = |of: &'static str| {
        let mut ids = Query::select();
        let records = std::iter::once(record_id).chain(parts.iter().copied());
        ids.column("id").from("journal_entry").and_where(Expr::col(of).is_in(records));
        ids
    };
    // one range of an index each; as one condition with "or" it is read as all of the workspace's entries, one by one
    let mut of_it = ids("record_id");
    of_it.union(UnionType::All, ids("subject_id"));
    let mut select = of_workspace(caller)?;
    select.and_where(column("id").in_subquery(of_it));
    page(conn, caller, select, &query.within(record_id)).await
}

/// The entries of a record in which a field of it changed. The domain of the record has seen to it that the caller may see the record with
/// that field, so the trail's own right is not asked, and what else changed is not told.
///
/// # Errors
/// What the database says.
pub async fn of_field(
    conn: &mut Conn,
    caller: &Caller,
    record_id: Uuid,
    field: &'static str,
    query: &ListQuery,
) -> Result<Page<AuditEntry>> {
    let mut of_it = Query::select();
    // the entries of one record are few, and both engines read a JSON value as text; the journal writes names of fields and ids alone as
    // plain values, so no value can be taken for the name
    of_it
        .column("id")
        .from("journal_entry")
        .and_where(Expr::col("record_id").eq(record_id))
        .and_where(Expr::col("changes").cast_as("text").like(format!("%\"{field}\":%")));
    let mut select = of_workspace(caller)?;
    // found by the record first; otherwise the order lets all of the workspace's entries be read
    select.and_where(column("id").in_subquery(of_it));
    let page = store::list::page::<JournalEntry>(conn, caller, select, &AUDIT_LIST, &query.within(record_id)).await?;
    let all_seeing = Caller { permissions: kernel::PermissionSet::all(), ..caller.clone() };
    Ok(page.map(|entry| {
        let mut entry = view(&all_seeing, entry);
        entry.changes.retain(|name, _| name == field);
        (entry.ip, entry.user_agent) = (None, None);
        entry
    }))
}

/// When a record was changed, and what hangs on it but for records of the types `besides`: `id` is the entry's place in a stream of all that
/// happened, `at` and `record_id` what it is. Whoever does not read the audit trail sees their own changes. The domain of the record has seen
/// to it that the caller may see the record.
///
/// # Errors
/// What stands against asking.
pub fn moments_of<const N: usize>(
    dialect: Dialect,
    caller: &Caller,
    record: Uuid,
    besides: [&'static str; N],
) -> Result<[SelectStatement; 2]> {
    let workspace = caller.workspace()?.uuid();
    let own = if caller.can(Permission::AdminViewAuditLog) { None } else { Some(own(caller)?) };
    Ok(["record_id", "subject_id"].map(|of| {
        let mut select = Query::select();
        select
            .expr_as(column("id"), "id")
            .expr_as(column("at"), "at")
            .expr_as(column("id"), "record_id")
            .from("journal_entry")
            .and_where(column(of).eq(record))
            // in the order of the record's own entries: of the workspace's, which have the same order, all might be read
            .and_where(unindexed(dialect, "journal_entry", "workspace_id").eq(workspace))
            .and_where(column("record_type").is_not_in(besides));
        if let Some((name, id)) = own {
            select.and_where(column(name).eq(id));
        }
        select
    }))
}

/// These entries of the caller's workspace, masked as everywhere.
///
/// # Errors
/// What the database says.
pub async fn all_of(conn: &mut Conn, caller: &Caller, ids: Vec<Uuid>) -> Result<HashMap<Uuid, AuditEntry>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let mut select = JournalEntry::select();
    let workspace = unindexed(conn.dialect(), "journal_entry", "workspace_id");
    select.and_where(workspace.eq(caller.workspace()?.uuid())).and_where(column("id").is_in(ids));
    let mut found = HashMap::new();
    for row in conn.rows(&select).await? {
        let entry = JournalEntry::read(&row, 0)?;
        found.insert(entry.id, view(caller, entry));
    }
    Ok(found)
}

/// All that the journal holds of a record and of what hangs on it, the oldest first and nothing masked: for whoever exports what is known of
/// a person, which the domain of the record has made sure of.
///
/// # Errors
/// `forbidden` without `privacy.export_person`.
pub async fn whole_of(conn: &mut Conn, caller: &Caller, record_id: Uuid) -> Result<Vec<AuditEntry>> {
    caller.require(Permission::PrivacyExportPerson)?;
    let all_seeing = Caller { permissions: kernel::PermissionSet::all(), ..caller.clone() };
    let mut entries = Vec::new();
    for of in ["record_id", "subject_id"] {
        // found by the record first, and sorted below: otherwise all of the workspace's entries might be read for it
        let mut of_it = Query::select();
        of_it.column("id").from("journal_entry").and_where(Expr::col(of).eq(record_id));
        let mut select = of_workspace(caller)?;
        select.and_where(column("id").in_subquery(of_it));
        for row in conn.rows(&select).await? {
            entries.push(view(&all_seeing, JournalEntry::read(&row, 0)?));
        }
    }
    entries.sort_by_key(|entry| entry.id);
    entries.dedup_by_key(|entry| entry.id);
    Ok(entries)
}

/// What the caller did, in any workspace; of a token, what was done with it.
///
/// # Errors
/// `unauthenticated` for anybody without an account.
pub async fn mine(conn: &mut Conn, caller: &Caller, query: &ListQuery) -> Result<Page<AuditEntry>> {
    let (name, id) = own(caller)?;
    let mut select = JournalEntry::select();
    select.and_where(column(name).eq(id));
    page(conn, caller, select, query).await
}
