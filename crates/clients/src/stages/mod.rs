//! Acquisition stages: how far a client has come, in the order and the words of the workspace. A client has the key of one. Which ones it had
//! before, the journal knows.

mod history;
mod provided;

use kernel::error::Faults;
use kernel::{Caller, DateTime, Error, FieldError, Permission, Result, TypedId as _};
use serde::{Deserialize, Serialize};
use store::list::is_among;
use store::query::{Expr, ExprTrait, Order, Query, SelectStatement};
use store::{Change, Conn, OnUnique as _, Record as _, UnitOfWork};
use utoipa::ToSchema;
use validator::Validate;

use crate::clients::CLIENT_LIST;
use crate::errors::{STAGE_IN_USE, STAGE_KEY_TAKEN};

pub use history::{STAGE_HISTORY, StageChange, history};
pub use provided::provide;

kernel::typed_id! {
    /// Names an acquisition stage.
    pub AcquisitionStageId
}
store::id_fields!(AcquisitionStageId);

/// Stages that a workspace has at most.
const MOST: usize = 50;

store::record! {
    pub(crate) struct AcquisitionStageRow in "acquisition_stage" of workspace {
        id: AcquisitionStageId;
        key: String,
        name: String,
        position: i64,
    }
}

/// How far a client has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AcquisitionStage {
    /// Its id.
    pub id: AcquisitionStageId,
    /// What clients have as their `acquisition_stage`. It stays as it is.
    pub key: String,
    /// What it is called.
    pub name: String,
    /// Its place, from 0.
    pub position: i64,
    /// When it was made.
    pub created_at: DateTime,
    /// When it last changed.
    pub updated_at: DateTime,
    /// Counts its changes; the ETag is made from it.
    #[serde(skip)]
    pub version: i64,
}

impl From<AcquisitionStageRow> for AcquisitionStage {
    fn from(row: AcquisitionStageRow) -> Self {
        Self {
            id: row.id,
            key: row.key,
            name: row.name,
            position: row.position,
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}

/// The stages of a workspace.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AcquisitionStages {
    /// They, in their order.
    pub data: Vec<AcquisitionStage>,
}

/// The body of `POST /v1/acquisition-stages`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct CreateAcquisitionStage {
    /// What clients will have as their `acquisition_stage`: lower-case letters, digits and underscores.
    #[schema(min_length = 1, max_length = 60, pattern = "^[a-z][a-z0-9_]*$")]
    pub key: String,
    /// 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    #[validate(custom(function = kernel::shape::filled), length(max = 100))]
    pub name: String,
    /// Its place, from 0; the last unless given.
    #[schema(nullable = false, minimum = 0, maximum = 49)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<i64>,
}

/// The body of `PATCH /v1/acquisition-stages/{acquisition_stage_id}`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct AcquisitionStagePatch {
    /// 1 to 100 characters.
    #[schema(nullable = false, min_length = 1, max_length = 100)]
    #[validate(custom(function = kernel::shape::filled), length(max = 100))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its place, from 0: the others make room.
    #[schema(nullable = false, minimum = 0, maximum = 49)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<i64>,
}

fn column(name: &'static str) -> Expr {
    Expr::col(("acquisition_stage", name))
}

fn of_workspace(caller: &Caller) -> Result<SelectStatement> {
    let mut select = AcquisitionStageRow::select();
    select
        .and_where(column("workspace_id").eq(caller.workspace()?.uuid()))
        .order_by(("acquisition_stage", "position"), Order::Asc)
        .order_by(("acquisition_stage", "id"), Order::Asc);
    Ok(select)
}

/// Whoever sees clients sees how far they have come, and so does whoever manages it.
const VIEW: [Permission; 3] = [Permission::ClientsViewAll, Permission::ClientsViewOwn, Permission::AdminManageSettings];

/// The stages of the workspace, in their order.
///
/// # Errors
/// `forbidden` for whoever sees no clients and does not manage settings.
pub async fn list(conn: &mut Conn, caller: &Caller) -> Result<AcquisitionStages> {
    caller.require_any(&VIEW)?;
    let rows = conn.all::<AcquisitionStageRow>(&of_workspace(caller)?).await?;
    Ok(AcquisitionStages { data: rows.into_iter().map(AcquisitionStage::from).collect() })
}

/// One stage.
///
/// # Errors
/// As [`list`]; `not_found`.
pub async fn get(conn: &mut Conn, caller: &Caller, id: AcquisitionStageId) -> Result<AcquisitionStage> {
    caller.require_any(&VIEW)?;
    let mut select = of_workspace(caller)?;
    select.and_where(column("id").eq(id.uuid()));
    conn.one::<AcquisitionStageRow>(&select).await?.map(AcquisitionStage::from).ok_or_else(Error::not_found)
}

/// The keys of the workspace's stages, in their order.
pub(crate) async fn keys(conn: &mut Conn, caller: &Caller) -> Result<Vec<String>> {
    let rows = conn.all::<AcquisitionStageRow>(&of_workspace(caller)?).await?;
    Ok(rows.into_iter().map(|row| row.key).collect())
}

/// A select of the stage with a key: a number that stands for it, and its id.
pub(crate) fn found_as(caller: &Caller, key: &str, number: i64) -> Result<SelectStatement> {
    let mut select = of_workspace(caller)?;
    select.clear_selects().clear_order_by().expr(Expr::value(number)).column(("acquisition_stage", "id"));
    select.and_where(column("key").eq(key));
    Ok(select)
}

/// Finds keys that are none of the workspace's stages: each with the place of its record.
pub(crate) async fn check<'a>(
    conn: &mut Conn,
    caller: &Caller,
    stages: impl Iterator<Item = (&'a str, String)>,
    faults: &mut Faults,
) -> Result<()> {
    let mut known: Option<Vec<String>> = None;
    for (stage, at) in stages {
        let known = match &mut known {
            Some(known) => known,
            // read once, and only where somebody has one
            none => none.insert(keys(conn, caller).await?),
        };
        check_among(stage, known, &at, faults);
    }
    Ok(())
}

/// Whether a key is one of these.
pub(crate) fn check_among(stage: &str, known: &[String], at: &str, faults: &mut Faults) {
    if !known.iter().any(|key| key == stage) {
        faults.add(format!("{at}/acquisition_stage"), "unknown_value", format!("must be one of {}", known.join(", ")));
    }
}

/// The rows of the workspace, which is locked: who changes their order is alone.
async fn locked(uow: &mut UnitOfWork) -> Result<Vec<AcquisitionStageRow>> {
    let caller = uow.caller();
    caller.require(Permission::AdminManageSettings)?;
    auth::workspaces::lock(uow, caller.workspace()?).await?;
    uow.all(&of_workspace(&caller)?).await
}

/// Gives each its place in this order.
async fn arrange(uow: &mut UnitOfWork, rows: &[AcquisitionStageRow]) -> Result<()> {
    for (position, before) in (0..).zip(rows) {
        let after = AcquisitionStageRow { position, ..before.clone() };
        uow.update(before, after, Change::plain()).await?;
    }
    Ok(())
}

fn place(position: Option<i64>, most: usize) -> usize {
    position.and_then(|position| usize::try_from(position).ok()).unwrap_or(most).min(most)
}

/// Makes a stage.
///
/// # Errors
/// `forbidden` without `admin.manage_settings`; `stage_key_taken`; `validation_failed` where there are fifty.
pub async fn create(uow: &mut UnitOfWork, input: CreateAcquisitionStage) -> Result<AcquisitionStage> {
    let mut rows = locked(uow).await?;
    if rows.len() >= MOST {
        return Err(Error::invalid_field("", "too_many", "a workspace has at most 50 stages"));
    }
    let (id, now) = (uow.id(), uow.now());
    let row = AcquisitionStageRow {
        id,
        workspace_id: uow.workspace()?,
        key: input.key,
        name: input.name.trim().to_owned(),
        position: i64::try_from(rows.len()).map_err(Error::internal)?,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    let taken = || Error::new(&STAGE_KEY_TAKEN).with_field(FieldError::new("/key", "taken", "belongs to another stage"));
    uow.insert(&row, Change::plain()).await.on_unique(taken)?;
    rows.insert(place(input.position, rows.len()), row);
    arrange(uow, &rows).await?;
    let caller = uow.caller();
    get(uow, &caller, id).await
}

/// Changes a stage's name or place.
///
/// # Errors
/// `forbidden` without `admin.manage_settings`; `not_found`; `stale`.
pub async fn update(
    uow: &mut UnitOfWork,
    id: AcquisitionStageId,
    seen: Option<i64>,
    patch: AcquisitionStagePatch,
) -> Result<AcquisitionStage> {
    let mut rows = locked(uow).await?;
    let at = rows.iter().position(|row| row.id == id).ok_or_else(Error::not_found)?;
    let before = rows.remove(at);
    auth::check_seen(seen, before.version)?;
    let name = patch.name.map_or_else(|| before.name.clone(), |name| name.trim().to_owned());
    let after = uow.update(&before, AcquisitionStageRow { name, ..before.clone() }, Change::plain()).await?;
    let to = patch.position.map_or(at, |position| place(Some(position), rows.len()));
    rows.insert(to, after);
    arrange(uow, &rows).await?;
    let caller = uow.caller();
    get(uow, &caller, id).await
}

/// Deletes a stage that no client has.
///
/// # Errors
/// `forbidden` without `admin.manage_settings`; `not_found`; `stale`; `stage_in_use`.
pub async fn delete(uow: &mut UnitOfWork, id: AcquisitionStageId, seen: Option<i64>) -> Result<()> {
    let mut rows = locked(uow).await?;
    let at = rows.iter().position(|row| row.id == id).ok_or_else(Error::not_found)?;
    let row = rows.remove(at);
    auth::check_seen(seen, row.version)?;
    let mut has_it = Query::select();
    has_it
        .column("id")
        .from("client")
        .and_where(Expr::col("workspace_id").eq(row.workspace_id.uuid()))
        .and_where(is_among(uow.dialect(), &CLIENT_LIST, "acquisition_stage", &[row.key.as_str().into()]))
        .limit(1);
    if uow.row(&has_it).await?.is_some() {
        let detail = "Clients are in it, some of them perhaps archived. Give them another first.";
        return Err(Error::new(&STAGE_IN_USE).with_detail(detail));
    }
    uow.delete(&row, Change::plain()).await?;
    arrange(uow, &rows).await
}
