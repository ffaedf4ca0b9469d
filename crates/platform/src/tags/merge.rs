//! Two tags become one.

use std::collections::BTreeMap;

use kernel::{Error, Permission, Result, TypedId as _};
use serde::{Deserialize, Serialize};
use store::query::{Expr, ExprTrait, Query};
use store::{Action, Change, OnUnique as _, Row, UnitOfWork};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use super::{Tag, TagId, TagRow, visible_to};

/// The event of records that carried both tags, and carry one. They are the entry's `records`.
pub const RECORDS_HAD_BOTH: &str = "tag.records_had_both";

/// Records that one entry of the journal names.
const IN_AN_ENTRY: usize = 1000;

/// The body of `POST /v1/tags/{tag_id}/merge`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct MergeTag {
    /// The tag that stays.
    pub into: TagId,
}

/// Records by their type.
pub(super) type Carriers = BTreeMap<String, Vec<Uuid>>;

fn by_type(rows: &[Row]) -> Result<Carriers> {
    let mut carriers = Carriers::new();
    for row in rows {
        carriers.entry(row.get(0)?).or_default().push(row.get(1)?);
    }
    carriers.values_mut().for_each(|ids| ids.sort_unstable());
    Ok(carriers)
}

pub(super) fn count(carriers: &Carriers) -> usize {
    carriers.values().map(Vec::len).sum()
}

/// Puts a tag in the place of another on every record that carries that one, and deletes it. A record that carries both carries one then.
///
/// It is two statements, however many records there are. The journal names them all: what was moved and what had both, so that it can be
/// told what carried which tag before.
///
/// # Errors
/// `forbidden` without `admin.manage_tags`; `not_found`; `stale`; `validation_failed` where there is no tag to merge it into, or it is the
/// same one.
pub async fn merge(uow: &mut UnitOfWork, id: TagId, seen: Option<i64>, input: MergeTag) -> Result<Tag> {
    let caller = uow.caller();
    caller.require(Permission::AdminManageTags)?;
    let mut select = visible_to(&caller)?;
    select.and_where(Expr::col(("tag", "id")).is_in([id.uuid(), input.into.uuid()]));
    // nobody puts one of them on a record meanwhile: for that the database looks at the tag, and waits
    let mut found = uow.locked_all::<TagRow>(select).await?;
    let place = found.iter().position(|row| row.id == id).ok_or_else(Error::not_found)?;
    let old = found.swap_remove(place);
    auth::check_seen(seen, old.version)?;
    if input.into == id {
        return Err(Error::invalid_field("/into", "same_tag", "must be another tag"));
    }
    let kept = found.pop().ok_or_else(|| Error::invalid_field("/into", "not_found", "there is no such tag"))?;

    let (moved, had_both) = (move_all(uow, &old, &kept).await?, take_off_all(uow, &old).await?);
    for (event, carriers) in [("tag.records_moved", &moved), (RECORDS_HAD_BOTH, &had_both)] {
        let change = || Change::plain().event(event).about("tag", kept.id).detail("into", kept.id.to_string());
        tell(uow, &old, Action::Merge, carriers, change);
    }
    let change = Change::of(Action::Merge).about("tag", kept.id).detail("into", kept.id.to_string());
    uow.delete(&old, change.detail("moved", count(&moved)).detail("had_both", count(&had_both))).await?;
    Ok(kept.into())
}

/// Names what carried a tag in the journal.
pub(super) fn tell(uow: &mut UnitOfWork, tag: &TagRow, action: Action, carriers: &Carriers, change: impl Fn() -> Change) {
    for (rel_type, ids) in carriers {
        for some in ids.chunks(IN_AN_ENTRY) {
            let ids: Vec<String> = some.iter().map(Uuid::to_string).collect();
            uow.record(action, "tag", Some(tag.id.uuid()), change().detail("rel_type", rel_type.as_str()).detail("records", ids));
        }
    }
}

/// The records that carry the old tag alone carry the other one.
async fn move_all(uow: &mut UnitOfWork, old: &TagRow, kept: &TagRow) -> Result<Carriers> {
    let mut has_it = Query::select();
    has_it.column("rel_id").from("tagging").and_where(Expr::col("tag_id").eq(kept.id.uuid()));
    let mut update = Query::update();
    update
        .table("tagging")
        .value("tag_id", kept.id.uuid())
        .value("version", Expr::col("version").add(1))
        .value("updated_at", uow.now())
        .and_where(Expr::col("tag_id").eq(old.id.uuid()))
        .and_where(Expr::col("rel_id").not_in_subquery(has_it))
        .returning(Query::returning().columns(["rel_type", "rel_id"]));
    by_type(&uow.execute_returning(&update).await.on_unique(|| Error::new(&store::errors::BUSY))?)
}

/// The records that still carry the old tag carry it no more.
pub(super) async fn take_off_all(uow: &mut UnitOfWork, old: &TagRow) -> Result<Carriers> {
    let mut delete = Query::delete();
    delete
        .from_table("tagging")
        .and_where(Expr::col("tag_id").eq(old.id.uuid()))
        .returning(Query::returning().columns(["rel_type", "rel_id"]));
    by_type(&uow.execute_returning(&delete).await?)
}
