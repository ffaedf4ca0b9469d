//! Clients change hands: many at once, when somebody leaves or goes on holiday.

use kernel::error::Faults;
use kernel::{Permission, Result, TypedId as _, UserId};
use serde::{Deserialize, Serialize};
use store::query::{Expr, ExprTrait, Order};
use store::{Change, UnitOfWork};
use utoipa::ToSchema;
use validator::Validate;

use super::{list, update};
use crate::rows::{ClientId, ClientRow};

/// Clients that change hands at a time: each is a change of its own in the journal.
const AT_A_TIME: u64 = 1000;

/// The body of `POST /v1/clients/transfer`: either all clients of somebody, or these.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct TransferClients {
    /// Whose clients, up to 1,000 at a time; those that are archived stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_user_id: Option<UserId>,
    /// Which clients, at most 1,000.
    #[schema(nullable = false, min_items = 1, max_items = 1000)]
    #[validate(length(min = 1, max = 1000))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_ids: Option<Vec<ClientId>>,
    /// Whom they go to, a member of the workspace.
    pub to_user_id: UserId,
}

/// What became of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TransferredClients {
    /// Clients that changed hands.
    pub transferred: u64,
    /// Whether there are more, for the same call once more.
    pub has_more: bool,
}

/// Gives clients to somebody else. Those that are theirs already stay as they are.
///
/// # Errors
/// `forbidden` without `clients.edit`; `validation_failed` when the new owner is no member, when neither or both of the ways to say which clients
/// are used, and with each client that is not there or archived.
pub async fn transfer(uow: &mut UnitOfWork, input: &TransferClients) -> Result<TransferredClients> {
    uow.caller().require(Permission::ClientsEdit)?;
    let mut faults = Faults::new();
    if input.from_user_id.is_some() == input.client_ids.is_some() {
        faults.add("/from_user_id", "ambiguous", "either from_user_id or client_ids must be given");
    }
    if input.from_user_id == Some(input.to_user_id) {
        faults.add("/to_user_id", "same_user", "must be somebody else");
    }
    update::check_member(uow, input.to_user_id, "/to_user_id", &mut faults).await?;
    let (mut rows, has_more) = match (&input.client_ids, input.from_user_id) {
        (Some(ids), None) => (named(uow, ids, &mut faults).await?, false),
        (None, Some(user)) => owned_by(uow, user).await?,
        _ => (Vec::new(), false),
    };
    faults.into_result()?;
    rows.retain(|row| row.owner_id != Some(input.to_user_id));
    for row in &rows {
        let after = ClientRow { owner_id: Some(input.to_user_id), ..row.clone() };
        uow.update(row, after, Change::plain()).await?;
    }
    Ok(TransferredClients { transferred: rows.len() as u64, has_more })
}

/// These clients, locked, each of which must be there.
async fn named(uow: &mut UnitOfWork, ids: &[ClientId], faults: &mut Faults) -> Result<Vec<ClientRow>> {
    let uuids: Vec<uuid::Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows = list::find_all_locked(uow, &uuids).await?;
    for (place, id) in ids.iter().enumerate() {
        let pointer = || format!("/client_ids/{place}");
        match rows.iter().find(|row| row.id == *id) {
            None => faults.add(pointer(), "not_found", "there is no such client"),
            Some(row) if row.archived_at.is_some() => faults.add(pointer(), "archived", "is archived; restore it first"),
            Some(_) => {}
        }
    }
    Ok(rows)
}

/// The first clients of somebody that the caller may see and that are not archived, locked, and whether there are more.
async fn owned_by(uow: &mut UnitOfWork, user: UserId) -> Result<(Vec<ClientRow>, bool)> {
    let mut ids = list::visible_to(&uow.caller())?;
    ids.clear_selects()
        .column(("client", "id"))
        .and_where(Expr::col(("client", "owner_id")).eq(user.uuid()))
        .and_where(Expr::col(("client", "archived_at")).is_null())
        .order_by(("client", "id"), Order::Asc)
        .limit(AT_A_TIME + 1);
    let mut ids = uow.rows(&ids).await?.iter().map(|row| row.get(0)).collect::<Result<Vec<uuid::Uuid>>>()?;
    let most = usize::try_from(AT_A_TIME).unwrap_or(usize::MAX);
    let has_more = ids.len() > most;
    ids.truncate(most);
    let rows = list::find_all_locked(uow, &ids).await?;
    // as they are now that nobody else changes them
    Ok((rows.into_iter().filter(|row| row.owner_id == Some(user) && row.archived_at.is_none()).collect(), has_more))
}
