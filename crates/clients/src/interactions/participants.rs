//! Which contacts took part in which interactions: what the column of participants says, so that an index finds it. It follows from that column,
//! so the journal does not keep it; and what refers to a contact goes with the contact.

use std::collections::BTreeSet;

use kernel::{Error, Result, TypedId as _};
use store::query::{Expr, ExprTrait, Query, SelectStatement};
use store::{OnUnique as _, UnitOfWork};
use uuid::Uuid;

use super::InteractionRow;
use crate::rows::ContactId;

fn of(row: &InteractionRow) -> BTreeSet<ContactId> {
    row.participants.0.iter().filter_map(|participant| participant.contact_id).collect()
}

/// Writes who takes part now and did not before, and takes out who does no more.
pub(super) async fn write(uow: &mut UnitOfWork, before: Option<&InteractionRow>, after: &InteractionRow) -> Result<()> {
    let (had, has) = (before.map(of).unwrap_or_default(), of(after));
    let gone: Vec<Uuid> = had.difference(&has).map(|contact| contact.uuid()).collect();
    if !gone.is_empty() {
        let mut delete = Query::delete();
        delete
            .from_table("interaction_participant")
            .and_where(Expr::col("interaction_id").eq(after.id.uuid()))
            .and_where(Expr::col("contact_id").is_in(gone));
        uow.execute(&delete).await?;
    }
    let new: Vec<Uuid> = has.difference(&had).map(|contact| contact.uuid()).collect();
    if new.is_empty() {
        return Ok(());
    }
    let mut insert = Query::insert();
    insert.into_table("interaction_participant").columns(["workspace_id", "interaction_id", "contact_id"]);
    for contact in new {
        insert.values_panic([after.workspace_id.uuid(), after.id.uuid(), contact].map(Expr::value));
    }
    // a contact that is purged meanwhile is found missing when it all runs again
    uow.execute(&insert).await.on_in_use(|| Error::new(&store::errors::BUSY)).map(|_| ())
}

/// The ids of the interactions in which one of these contacts took part.
pub(super) fn interactions_with(contacts: &[Uuid]) -> SelectStatement {
    let mut ids = Query::select();
    ids.column("interaction_id")
        .from("interaction_participant")
        .and_where(Expr::col("contact_id").is_in(contacts.iter().copied()));
    ids
}
