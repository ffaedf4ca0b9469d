//! Custom fields, made, changed and put away.

use kernel::error::Faults;
use kernel::{Error, FieldError, Patch, Permission, Result, TypedId as _};
use store::list::VALUES;
use store::query::{Expr, ExprTrait, Order, Query};
use store::{Change, Json, OnUnique as _, Record as _, UnitOfWork};

use super::holder::FieldHolders;
use super::read::column;
use super::{
    CreateCustomField, CustomField, CustomFieldId, CustomFieldPatch, CustomFieldRow, FieldOption, FieldState, FieldType, fill,
};
use crate::errors::{CUSTOM_FIELD_KEY_TAKEN, CUSTOM_FIELD_OPTION_IN_USE};
use crate::saved_views::{self, ViewQuery};

/// Fields that a record type has at most, archived ones with them.
const MOST: usize = 100;

/// Makes a field. Records that are there are told that they have no value of it: the first of them at once, and where there are more, by
/// a job.
///
/// # Errors
/// `forbidden` without `admin.manage_custom_fields`; `validation_failed`, also where the record type has a hundred; `custom_field_key_taken`.
pub async fn create(uow: &mut UnitOfWork, holders: FieldHolders, input: CreateCustomField) -> Result<CustomField> {
    let caller = uow.caller();
    caller.require(Permission::AdminManageCustomFields)?;
    let mut faults = Faults::new();
    let holder = holders.find(&input.record_type);
    if holder.is_none() {
        let known: Vec<&str> = holders.types().collect();
        faults.add("/record_type", "unknown_value", format!("must be one of {}", known.join(", ")));
    }
    let (id, now, workspace) = (uow.id(), uow.now(), uow.workspace()?);
    let row = CustomFieldRow {
        id,
        workspace_id: workspace,
        record_type: input.record_type,
        key: input.key,
        label: input.label.trim().to_owned(),
        description: input.description,
        field_type: input.field_type,
        is_required: input.is_required.unwrap_or(false),
        is_unique: input.is_unique.unwrap_or(false),
        default_value: input.default.filter(|default| !default.is_null()).map(Json),
        options: Json(trimmed(input.options.unwrap_or_default())),
        target: input.target,
        position: 0,
        state: FieldState::Preparing,
        archived_at: None,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    check(&row, &mut faults);
    faults.into_result()?;
    // whoever is making records holds the workspace: they end first, and those who come after them see the field
    auth::workspaces::lock_with_custom_fields(uow, workspace).await?;
    let mut others = of_type(uow, &row).await?;
    if others.len() >= MOST {
        return Err(Error::invalid_field("", "too_many", format!("a record type has at most {MOST} custom fields")));
    }
    let taken = || {
        let detail = "The key belongs to another field of the record type, perhaps an archived one.";
        let field = FieldError::new("/key", "taken", "belongs to another field");
        Error::new(&CUSTOM_FIELD_KEY_TAKEN).with_detail(detail).with_field(field)
    };
    if others.iter().any(|other| other.key == row.key) {
        return Err(taken());
    }
    let row = CustomFieldRow { position: i64::try_from(others.len()).map_err(Error::internal)?, ..row };
    uow.insert(&row, Change::plain()).await.on_unique(taken)?;
    let at = place(input.position, others.len());
    others.insert(at, row);
    arrange(uow, &others).await?;
    if let Some(holder) = holder {
        fill::begin(uow, id, holder.list().table).await?;
    }
    read(uow, id).await
}

fn trimmed(options: Vec<FieldOption>) -> Vec<FieldOption> {
    options.into_iter().map(|option| FieldOption { label: option.label.trim().to_owned(), ..option }).collect()
}

/// What a definition says that does not go together.
fn check(row: &CustomFieldRow, faults: &mut Faults) {
    row.shape().check(faults);
    match (row.field_type, row.target) {
        (FieldType::Reference, None) => faults.add("/target", "required", "says what a reference names"),
        (FieldType::Reference, Some(_)) | (_, None) => {}
        (_, Some(_)) => faults.add("/target", "not_allowed", "is of references alone"),
    }
    if row.is_unique && !row.field_type.is_single() {
        faults.add("/is_unique", "not_allowed", "a multi_select cannot be unique");
    }
    if row.is_unique && row.default_value.is_some() {
        faults.add("/default", "not_allowed", "what every new record gets is not unique");
    }
    if row.field_type == FieldType::Reference && row.default_value.is_some() {
        faults.add("/default", "not_allowed", "a reference has no default");
    }
}

/// All fields of the same record type, in their order.
async fn of_type(uow: &mut UnitOfWork, row: &CustomFieldRow) -> Result<Vec<CustomFieldRow>> {
    let mut select = CustomFieldRow::select();
    select
        .and_where(column("workspace_id").eq(row.workspace_id.uuid()))
        .and_where(column("record_type").eq(row.record_type.as_str()))
        .order_by(("custom_field", "position"), Order::Asc)
        .order_by(("custom_field", "id"), Order::Asc);
    uow.all(&select).await
}

/// Gives each its place in this order.
pub(super) async fn arrange(uow: &mut UnitOfWork, rows: &[CustomFieldRow]) -> Result<()> {
    for (position, before) in (0..).zip(rows) {
        let after = CustomFieldRow { position, ..before.clone() };
        uow.update(before, after, Change::plain()).await?;
    }
    Ok(())
}

fn place(position: Option<i64>, most: usize) -> usize {
    position.and_then(|position| usize::try_from(position).ok()).unwrap_or(most).min(most)
}

async fn read(uow: &mut UnitOfWork, id: CustomFieldId) -> Result<CustomField> {
    let mut select = CustomFieldRow::select();
    select.and_where(column("id").eq(id.uuid()));
    uow.one::<CustomFieldRow>(&select).await?.map(CustomField::from).ok_or_else(Error::not_found)
}

/// A field, locked until the transaction ends, at the version that the caller has seen. One that is about to go is there no more.
pub(super) async fn find_locked(uow: &mut UnitOfWork, id: CustomFieldId, seen: Option<i64>) -> Result<CustomFieldRow> {
    let caller = uow.caller();
    caller.require(Permission::AdminManageCustomFields)?;
    let workspace = caller.workspace()?;
    auth::workspaces::lock(uow, workspace).await?;
    let mut select = CustomFieldRow::select();
    select
        .and_where(column("workspace_id").eq(workspace.uuid()))
        .and_where(column("id").eq(id.uuid()))
        .and_where(column("state").ne(FieldState::Purging.as_str()));
    let row = uow.locked::<CustomFieldRow>(select).await?.ok_or_else(Error::not_found)?;
    auth::check_seen(seen, row.version)?;
    Ok(row)
}

/// Changes a field.
///
/// # Errors
/// `forbidden` without `admin.manage_custom_fields`; `not_found`; `stale`; `validation_failed`; `custom_field_option_in_use`.
pub async fn update(
    uow: &mut UnitOfWork,
    holders: FieldHolders,
    id: CustomFieldId,
    seen: Option<i64>,
    patch: CustomFieldPatch,
) -> Result<CustomField> {
    let before = find_locked(uow, id, seen).await?;
    let mut after = before.clone();
    if let Some(label) = patch.label {
        label.trim().clone_into(&mut after.label);
    }
    patch.description.apply(&mut after.description);
    after.is_required = patch.is_required.unwrap_or(after.is_required);
    match patch.default {
        Patch::Absent => {}
        Patch::Null => after.default_value = None,
        Patch::Value(default) => after.default_value = Some(Json(default)),
    }
    if let Some(options) = patch.options {
        after.options = Json(trimmed(options));
    }
    let mut faults = Faults::new();
    check(&after, &mut faults);
    faults.into_result()?;
    check_options_in_use(uow, holders, &before, &after).await?;
    let after = uow.update(&before, after, Change::plain()).await?;
    if let Some(position) = patch.position {
        let mut rows = of_type(uow, &after).await?;
        rows.retain(|row| row.id != id);
        rows.insert(place(Some(position), rows.len()), after);
        arrange(uow, &rows).await?;
    }
    read(uow, id).await
}

/// Refuses to take away an option that records have, or that views ask for that are shared.
async fn check_options_in_use(
    uow: &mut UnitOfWork,
    holders: FieldHolders,
    before: &CustomFieldRow,
    after: &CustomFieldRow,
) -> Result<()> {
    let stays = |option: &&FieldOption| !after.options.0.iter().any(|other| other.key == option.key);
    let gone: Vec<&str> = before.options.0.iter().filter(stays).map(|option| option.key.as_str()).collect();
    let mut in_use = Vec::new();
    let list = holders.of(&before.record_type)?.list().name;
    for key in &gone {
        let mut holds = Query::select();
        holds
            .column("record_id")
            .from(VALUES)
            .and_where(Expr::col("field_id").eq(before.id.uuid()))
            .and_where(Expr::col("text_key").eq(*key))
            .limit(1);
        if uow.row(&holds).await?.is_some() {
            in_use.push(*key);
        }
    }
    let asks = |query: &ViewQuery| gone.iter().any(|key| query.asks_for_option(&before.key, key));
    let views = if gone.is_empty() { Vec::new() } else { saved_views::shared_that(uow, list, asks).await? };
    if in_use.is_empty() && views.is_empty() {
        if !gone.is_empty() {
            saved_views::keep_asking(uow, list, |query| query.without_options(&before.key, &gone)).await?;
        }
        return Ok(());
    }
    let mut said = Vec::new();
    if !in_use.is_empty() {
        said.push(format!("records have {}", in_use.join(", ")));
    }
    if !views.is_empty() {
        said.push(format!("views that are shared ask for it: {}", views.join(", ")));
    }
    let message = said.join("; ");
    Err(Error::new(&CUSTOM_FIELD_OPTION_IN_USE).with_field(FieldError::new("/options", "in_use", message)))
}

/// Puts a field away: records keep their values, which can still be filtered and sorted by, and are given no more. One that is away stays so.
///
/// # Errors
/// `forbidden` without `admin.manage_custom_fields`; `not_found`; `stale`.
pub async fn archive(uow: &mut UnitOfWork, id: CustomFieldId, seen: Option<i64>) -> Result<()> {
    let before = find_locked(uow, id, seen).await?;
    if before.archived_at.is_none() {
        let after = CustomFieldRow { archived_at: Some(uow.now()), ..before.clone() };
        uow.update(&before, after, Change::of(store::Action::Archive)).await?;
    }
    Ok(())
}

/// Brings a field back. One that is there stays so.
///
/// # Errors
/// `forbidden` without `admin.manage_custom_fields`; `not_found`; `stale`.
pub async fn restore(uow: &mut UnitOfWork, id: CustomFieldId, seen: Option<i64>) -> Result<CustomField> {
    let before = find_locked(uow, id, seen).await?;
    if before.archived_at.is_none() {
        return Ok(before.into());
    }
    let after = CustomFieldRow { archived_at: None, ..before.clone() };
    uow.update(&before, after, Change::of(store::Action::Restore)).await.map(CustomField::from)
}
