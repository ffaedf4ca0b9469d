//! Taking back what rows of an import have written, the last row first.
//!
//! A client that the import made is deleted for ever, as if it had been purged: archived it would still hold its external id, and the
//! corrected file could not be imported. A row is taken back whole or not at all.

use std::collections::HashMap;

use kernel::{Error, Result, TypedId as _};
use platform::imports::{ImportIssue, ImportRunId, RowOutcome, StagedRow, Trail, UndoneRow, trails};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use store::query::{Expr, ExprTrait as _, Query};
use store::{Action, Change, UnitOfWork};
use uuid::Uuid;

use super::plan::CONTACT;
use crate::rows::{ClientContactRow, ClientId, ClientRow, ContactId, ContactRow};
use crate::{clients, contacts, links};

pub(super) async fn undo(uow: &mut UnitOfWork, run: ImportRunId, rows: &[StagedRow]) -> Result<Vec<UndoneRow>> {
    let of_clients: Vec<Uuid> = rows.iter().filter_map(|row| row.record_id).collect();
    let of_contacts: Vec<Uuid> = rows.iter().filter_map(|row| row.further.get(CONTACT).copied()).collect();
    let records: Vec<Uuid> = of_clients.iter().chain(&of_contacts).copied().collect();
    let trails = trails(uow, run, &records).await?;
    let mut undone = Vec::with_capacity(rows.len());
    for row in rows {
        let kept = undo_row(uow, run, row, &trails).await?;
        let kept = kept.map(|(code, reason)| ImportIssue {
            line: row.line,
            column: None,
            code: code.to_owned(),
            reason: reason.to_owned(),
        });
        undone.push(UndoneRow { line: row.line, kept });
    }
    Ok(undone)
}

/// Why a row is kept.
type Kept = (&'static str, &'static str);

const NEWER: Kept = ("changed_since", "was changed after the import; it was left as it is");
const USED: Kept = ("used_since", "has something newer on it; it was left as it is");
const ERASED: Kept = ("erased", "had personal values that were erased since; they cannot be brought back");
const UNSEEN: Kept = ("not_visible", "is there no longer, or may not be seen by who takes the import back");

/// What a row has written, as it is now.
struct Written {
    client: Option<ClientRow>,
    contact: Option<ContactRow>,
    link: Option<ClientContactRow>,
}

async fn undo_row(
    uow: &mut UnitOfWork,
    run: ImportRunId,
    row: &StagedRow,
    trails: &HashMap<Uuid, Trail>,
) -> Result<Option<Kept>> {
    let nothing = Trail::default();
    let trail = |id: Option<Uuid>| id.and_then(|id| trails.get(&id)).unwrap_or(&nothing);
    let contact_id = row.further.get(CONTACT).copied();
    let (of_client, of_contact) = (trail(row.record_id), trail(contact_id));
    let makes_client = row.outcome == RowOutcome::New;
    // another row of the import made the client: with that one it goes
    let touches_client = makes_client || (of_client.wrote && !of_client.made);
    let now = find(uow, row.record_id, contact_id).await?;
    let link = match &now.link {
        Some(link) => platform::imports::trails(uow, run, &[link.id.uuid()]).await?.remove(&link.id.uuid()).unwrap_or_default(),
        None => Trail::default(),
    };
    if touches_client && let Some(kept) = kept_client(uow, &now, of_client, makes_client, contact_id).await? {
        return Ok(Some(kept));
    }
    if of_contact.wrote
        && let Some(kept) = kept_contact(uow, &now, of_contact).await?
    {
        return Ok(Some(kept));
    }
    if link.made && link.is_newer {
        return Ok(Some(NEWER));
    }
    if let Some(row) = now.link.filter(|_| link.made) {
        links::remove(uow, &row).await?;
    }
    if let Some(contact) = now.contact.filter(|_| of_contact.wrote) {
        if of_contact.made {
            contacts::forget(uow, &contact, Change::of(Action::Revert)).await?;
        } else {
            revert_contact(uow, &contact, &of_contact.former).await?;
        }
    }
    if let Some(client) = now.client.filter(|_| touches_client) {
        if makes_client {
            clients::forget(uow, &client, Change::of(Action::Revert)).await?;
        } else {
            revert_client(uow, &client, &of_client.former).await?;
        }
    }
    Ok(None)
}

async fn find(uow: &mut UnitOfWork, client: Option<Uuid>, contact: Option<Uuid>) -> Result<Written> {
    let caller = uow.caller();
    let (mut found, mut linked) = (Written { client: None, contact: None, link: None }, None);
    if let Some(id) = client {
        found.client = visible(clients::find_locked(uow, ClientId::from_uuid(id), None).await)?;
    }
    if let Some(id) = contact {
        found.contact = visible(contacts::find_locked(uow, ContactId::from_uuid(id), None).await)?;
    }
    if let Some((client, contact)) = found.client.as_ref().zip(found.contact.as_ref()) {
        let of_client = links::rows_of(uow, &caller, vec![client.id.uuid()]).await?.remove(&client.id).unwrap_or_default();
        linked = of_client.into_iter().find(|link| link.contact_id == contact.id);
    }
    found.link = linked;
    Ok(found)
}

fn visible<T>(found: Result<T>) -> Result<Option<T>> {
    match found {
        Ok(row) => Ok(Some(row)),
        Err(error) if error.kind() == kernel::Kind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

async fn kept_client(
    uow: &mut UnitOfWork,
    now: &Written,
    trail: &Trail,
    is_made: bool,
    contact: Option<Uuid>,
) -> Result<Option<Kept>> {
    let Some(client) = &now.client else {
        // one that is gone is taken back already, unless it only cannot be seen
        return Ok(if trail.is_newer || !is_made { Some(UNSEEN) } else { None });
    };
    if trail.is_newer {
        return Ok(Some(NEWER));
    }
    if trail.is_erased {
        return Ok(Some(ERASED));
    }
    if !is_made {
        return Ok(None);
    }
    // contacts of other rows went before it, unless they were kept
    let further = Expr::col("client_id").eq(client.id.uuid()).and(match contact {
        Some(contact) => Expr::col("contact_id").ne(contact),
        None => Expr::value(true),
    });
    let is_used = trail.has_newer
        || is_there(uow, "client_contact", further).await?
        || is_there(uow, "client", Expr::col("parent_id").eq(client.id.uuid())).await?;
    Ok(is_used.then_some(USED))
}

async fn kept_contact(uow: &mut UnitOfWork, now: &Written, trail: &Trail) -> Result<Option<Kept>> {
    let Some(contact) = &now.contact else {
        return Ok(if trail.is_newer || !trail.made { Some(UNSEEN) } else { None });
    };
    if trail.is_newer {
        return Ok(Some(NEWER));
    }
    if trail.is_erased {
        return Ok(Some(ERASED));
    }
    if !trail.made {
        return Ok(None);
    }
    let mut elsewhere = Expr::col("contact_id").eq(contact.id.uuid());
    if let Some(link) = &now.link {
        elsewhere = elsewhere.and(Expr::col("id").ne(link.id.uuid()));
    }
    Ok((trail.has_newer || is_there(uow, "client_contact", elsewhere).await?).then_some(USED))
}

async fn is_there(uow: &mut UnitOfWork, table: &'static str, condition: store::query::SimpleExpr) -> Result<bool> {
    let mut select = Query::select();
    select.column("id").from(table).and_where(condition).limit(1);
    Ok(uow.row(&select).await?.is_some())
}

/// A value of the journal, as the field of a record that it was.
fn value<T: DeserializeOwned>(value: &Value) -> Result<T> {
    serde_json::from_value(value.clone()).map_err(Error::internal)
}

/// Gives fields their former values. What an import never changes is not among them.
macro_rules! put_back {
    ($row:ident, $former:ident, $($field:ident),+ $(,)?) => {
        for (name, former) in $former {
            match name.as_str() {
                $(stringify!($field) => $row.$field = value(former)?,)+
                _ => return Err(Error::internal(format!("an import changed {name}, which cannot be put back"))),
            }
        }
    };
}

async fn revert_client(uow: &mut UnitOfWork, before: &ClientRow, former: &Map<String, Value>) -> Result<()> {
    let mut after = before.clone();
    put_back!(
        after,
        former,
        kind,
        name,
        legal_name,
        tax_number,
        website,
        phone,
        emails,
        phones,
        main_address,
        billing_address,
        shipping_address,
        sector,
        size,
        currency,
        locale,
        status,
        roles,
        parent_id,
        owner_id,
        acquisition_stage,
        source,
        lead_category,
    );
    clients::fill_derived(&mut after);
    uow.update(before, after, Change::of(Action::Revert)).await.map(|_| ())
}

async fn revert_contact(uow: &mut UnitOfWork, before: &ContactRow, former: &Map<String, Value>) -> Result<()> {
    let mut after = before.clone();
    put_back!(after, former, given_name, family_name, phone, emails, phones, position, locale);
    contacts::fill_derived(&mut after);
    uow.update(before, after, Change::of(Action::Revert)).await.map(|_| ())
}
