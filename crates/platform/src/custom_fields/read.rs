//! Reading custom fields, and finding out which of them a list is asked of.

use std::borrow::Cow;

use kernel::{Caller, Error, Page, Permission, Result, TypedId as _};
use store::list::{ListField, ListQuery, ListSpec};
use store::query::{Expr, ExprTrait, SelectStatement};
use store::{Conn, Record as _};

use super::holder::FieldHolders;
use super::{CustomField, CustomFieldId, CustomFieldRow, FieldState, FieldType, Fields};

/// How custom fields can be listed.
pub static CUSTOM_FIELD_LIST: ListSpec = ListSpec {
    name: "custom_fields",
    table: "custom_field",
    fields: &[
        ListField::text("record_type"),
        ListField::text("key"),
        ListField::word("field_type", FieldType::TEXTS),
        ListField::word("state", FieldState::TEXTS),
        ListField::integer("position").sorted(),
        ListField::time("created_at").sorted(),
    ],
    default_sort: &["position"],
    archived: true,
    ..ListSpec::EMPTY
};

pub(super) fn column(name: &'static str) -> Expr {
    Expr::col(("custom_field", name))
}

/// Whoever sees records of a type sees its fields, and so does whoever manages them.
fn visible_to(caller: &Caller, holders: FieldHolders) -> Result<SelectStatement> {
    let mut select = CustomFieldRow::select();
    select.and_where(column("workspace_id").eq(caller.workspace()?.uuid()));
    if caller.require(Permission::AdminManageCustomFields).is_err() {
        let seen: Vec<&str> = holders.seen(caller).collect();
        if seen.is_empty() {
            caller.require(Permission::AdminManageCustomFields)?;
        }
        select.and_where(column("record_type").is_in(seen));
    }
    Ok(select)
}

/// Custom fields of the record types that the caller sees.
///
/// # Errors
/// `forbidden` for whoever sees none of them and does not manage custom fields.
pub async fn list(conn: &mut Conn, caller: &Caller, holders: FieldHolders, query: &ListQuery) -> Result<Page<CustomField>> {
    let page = store::list::page::<CustomFieldRow>(conn, caller, visible_to(caller, holders)?, &CUSTOM_FIELD_LIST, query).await?;
    Ok(page.map(CustomField::from))
}

/// One of them.
///
/// # Errors
/// As [`list`]; `not_found`.
pub async fn get(conn: &mut Conn, caller: &Caller, holders: FieldHolders, id: CustomFieldId) -> Result<CustomField> {
    let mut select = visible_to(caller, holders)?;
    select.and_where(column("id").eq(id.uuid()));
    conn.one::<CustomFieldRow>(&select).await?.map(CustomField::from).ok_or_else(Error::not_found)
}

/// A list's query with the custom fields found out that it asks of.
///
/// # Errors
/// `validation_failed` with everything that is wrong with it; what the database says.
pub async fn resolve<'q>(
    conn: &mut Conn,
    caller: &Caller,
    spec: &'static ListSpec,
    query: &'q ListQuery,
) -> Result<Cow<'q, ListQuery>> {
    if !query.asks_of_custom_fields() {
        return Ok(Cow::Borrowed(query));
    }
    let fields = Fields::of(conn, caller.workspace()?, spec.table).await?;
    query.resolve(&fields).map(Cow::Owned)
}

/// Fails where a custom field that a list is sorted by is going: for what reads a list to its end in several transactions, which would take
/// its last record with a value for the last one of all.
///
/// # Errors
/// `not_found`; what the database says.
pub async fn check_still_there(conn: &mut Conn, query: &ListQuery) -> Result<()> {
    let sorted: Vec<uuid::Uuid> = query.sorted_by_custom_fields().collect();
    if sorted.is_empty() {
        return Ok(());
    }
    let mut select = CustomFieldRow::select();
    select.and_where(column("id").is_in(sorted.iter().copied())).and_where(column("state").eq(FieldState::Ready.as_str()));
    let there = conn.all::<CustomFieldRow>(&select).await?.len();
    if there == sorted.len() { Ok(()) } else { Err(Error::not_found().with_detail("A custom field of the sort was purged.")) }
}
