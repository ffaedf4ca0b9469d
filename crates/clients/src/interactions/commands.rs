//! Writing down what was said or done.

use std::collections::HashSet;

use chrono::Datelike as _;
use kernel::error::Faults;
use kernel::{DateTime, Error, Kind, Patch, Permission, Result, TypedId as _, UserId};
use store::query::ExprTrait;
use store::{Action, Change, Json, UnitOfWork};
use uuid::Uuid;

use super::wire::{CreateInteraction, Interaction, InteractionPatch, Participant};
use super::{InteractionId, InteractionRow, InteractionType, column, participants, shown, visible_to};
use crate::attachable::{CLIENT, CONTACT};
use crate::errors::ARCHIVED;
use crate::rows::ContactId;
use crate::{clients, contacts};

/// Writes down what was said or done.
///
/// # Errors
/// `forbidden` without `clients.edit` where it is of a client, or `contacts.edit` where it is of a contact alone; `validation_failed` when it
/// is of nobody, when a client, contact or member that it names is not there or is put away, or when what is to follow is told in part.
pub async fn create(uow: &mut UnitOfWork, input: CreateInteraction) -> Result<Interaction> {
    let caller = uow.caller();
    caller.scope(Permission::ClientsViewAll, Permission::ClientsViewOwn)?;
    require_edit(uow, input.client_id.is_some() || input.contact_id.is_none())?;
    let now = uow.now();
    let mut faults = Faults::new();
    if input.client_id.is_none() && input.contact_id.is_none() {
        faults.add("/client_id", "required", "must be of a client, of a contact, or of both");
    }
    if let Some(client) = input.client_id {
        faults.keep(is_there(clients::find_editable(uow, client).await.map(|_| ()), "/client_id", "client"))?;
    }
    if let Some(contact) = input.contact_id {
        faults.keep(is_there(contacts::find_editable(uow, contact).await.map(|_| ()), "/contact_id", "contact"))?;
    }
    let (id, occurred_at) = (uow.id(), input.occurred_at.unwrap_or(now));
    let row = InteractionRow {
        id,
        workspace_id: uow.workspace()?,
        client_id: input.client_id,
        contact_id: input.contact_id,
        r#type: input.r#type.unwrap_or(InteractionType::Conversation),
        channel: input.channel,
        direction: input.direction,
        subject: input.subject,
        note: input.note,
        occurred_at,
        place: place(occurred_at, id),
        duration: input.duration,
        participants: Json(input.participants.unwrap_or_default()),
        follow_up_at: input.follow_up_at,
        follow_up_by: input.follow_up_by.or(input.follow_up_at.and(caller.actor.user())),
        followed_up_at: None,
        due_at: input.follow_up_at,
        author_id: caller.actor.user(),
        archived_at: None,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    check(uow, None, &row, &mut faults).await?;
    faults.into_result()?;
    let event = if row.client_id.is_some() { "client.interaction_added" } else { OF_CONTACT };
    uow.insert(&row, about(&row).event(event)).await?;
    if let (Some(_), Some(contact)) = (row.client_id, row.contact_id) {
        // an entry stands in one trail; that of the contact is told that there was something
        let change = Change::plain().about(CONTACT, contact).event(OF_CONTACT);
        uow.record(Action::Create, "interaction", Some(row.id.uuid()), change);
    }
    participants::write(uow, None, &row).await?;
    Ok(shown(&caller, row))
}

const OF_CONTACT: &str = "contact.interaction_added";

fn require_edit(uow: &UnitOfWork, of_client: bool) -> Result<()> {
    uow.caller().require(if of_client { Permission::ClientsEdit } else { Permission::ContactsEdit })
}

/// What is not there, or is put away, is told with everything else that is wrong.
fn is_there(found: Result<()>, pointer: &'static str, what: &str) -> Result<()> {
    found.map_err(|error| match error.kind() {
        Kind::NotFound => Error::invalid_field(pointer, "not_found", format!("there is no such {what}")),
        _ if *error.code() == ARCHIVED => Error::invalid_field(pointer, "archived", "is archived; restore it first"),
        _ => error,
    })
}

/// Interactions stand in the trail of their client, or of their contact where they have no client.
pub(super) fn about(row: &InteractionRow) -> Change {
    match (row.client_id, row.contact_id) {
        (Some(client), _) => Change::plain().about(CLIENT, client),
        (None, Some(contact)) => Change::plain().about(CONTACT, contact),
        (None, None) => Change::plain(),
    }
}

/// Looks at what is new in a row: who took part, and what is to follow.
async fn check(uow: &mut UnitOfWork, before: Option<&InteractionRow>, row: &InteractionRow, faults: &mut Faults) -> Result<()> {
    let moments =
        [("/occurred_at", Some(row.occurred_at)), ("/follow_up_at", row.follow_up_at), ("/followed_up_at", row.followed_up_at)];
    for (pointer, moment) in moments {
        if moment.is_some_and(|moment| !(1970..=9998).contains(&moment.year())) {
            faults.add(pointer, "out_of_range", "must be from 1970 to 9998");
        }
    }
    if row.follow_up_at.is_none() {
        if row.follow_up_by.is_some() {
            faults.add("/follow_up_by", "incomplete", "needs follow_up_at");
        }
        if row.followed_up_at.is_some() {
            faults.add("/followed_up_at", "incomplete", "needs follow_up_at");
        }
    }
    let (mut members, mut named) = (Vec::new(), Vec::new());
    let known_by = before.and_then(|before| before.follow_up_by);
    if let Some(user) = row.follow_up_by.filter(|user| Some(*user) != known_by) {
        members.push(("/follow_up_by".to_owned(), user));
    }
    if before.is_none_or(|before| before.participants != row.participants) {
        let known: HashSet<_> = before.iter().flat_map(|before| before.participants.0.iter().map(whom)).collect();
        for (place, participant) in row.participants.0.iter().enumerate() {
            let told = whom(participant);
            if told.iter().flatten().count() + usize::from(participant.name.is_some()) != 1 {
                faults.add(
                    format!("/participants/{place}"),
                    "ambiguous",
                    "must have a contact_id, a user_id or a name, and only one",
                );
            } else if !known.contains(&told) {
                members.extend(participant.user_id.map(|user| (format!("/participants/{place}/user_id"), user)));
                named.extend(participant.contact_id.map(|contact| (format!("/participants/{place}/contact_id"), contact)));
            }
        }
    }
    check_members(uow, members, faults).await?;
    check_contacts(uow, named, faults).await
}

fn whom(participant: &Participant) -> [Option<Uuid>; 2] {
    [participant.contact_id.map(ContactId::uuid), participant.user_id.map(UserId::uuid)]
}

async fn check_members(uow: &mut UnitOfWork, users: Vec<(String, UserId)>, faults: &mut Faults) -> Result<()> {
    let workspace = uow.workspace()?;
    let mut members = HashSet::new();
    for (pointer, user) in users {
        if members.contains(&user) || auth::users::is_member(uow, workspace, user).await? {
            members.insert(user);
        } else {
            faults.add(pointer, "not_a_member", "must be a member of the workspace");
        }
    }
    Ok(())
}

async fn check_contacts(uow: &mut UnitOfWork, contacts: Vec<(String, ContactId)>, faults: &mut Faults) -> Result<()> {
    if contacts.is_empty() {
        return Ok(());
    }
    let caller = uow.caller();
    let there = match caller.can(Permission::ContactsView) {
        true => contacts::briefs(uow, &caller, contacts.iter().map(|(_, contact)| *contact)).await?,
        false => Default::default(),
    };
    for (pointer, contact) in contacts {
        if !there.contains_key(&contact) {
            faults.add(pointer, "not_found", "there is no such contact");
        }
    }
    Ok(())
}

/// An interaction that the caller may change, with its client or contact locked, as everybody locks them first.
async fn open(uow: &mut UnitOfWork, id: InteractionId, seen: Option<i64>) -> Result<InteractionRow> {
    let caller = uow.caller();
    // of whom it is never changes, so it can be read before anything is locked
    let row = super::get_row(uow, &caller, id).await?;
    require_edit(uow, row.client_id.is_some())?;
    match (row.client_id, row.contact_id) {
        (Some(client), _) => clients::find_editable(uow, client).await.map(|_| ())?,
        (None, Some(contact)) => contacts::find_editable(uow, contact).await.map(|_| ())?,
        (None, None) => {}
    }
    let mut select = visible_to(&caller)?;
    select.and_where(column("id").eq(id.uuid()));
    let row = uow.locked::<InteractionRow>(select).await?.ok_or_else(Error::not_found)?;
    auth::check_seen(seen, row.version)?;
    Ok(row)
}

/// Where an interaction stands among all that happened: a UUID of version 7 of its moment, with what makes its id its own.
fn place(at: DateTime, id: InteractionId) -> Uuid {
    let [.., a, b, c, d, e, f, g, h, i, j] = *id.uuid().as_bytes();
    let millis = u64::try_from(at.timestamp_millis()).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &[a, b, c, d, e, f, g, h, i, j]).into_uuid()
}

/// What is due: what is to follow, unless it was done or the interaction is put away.
fn due(row: &InteractionRow) -> Option<DateTime> {
    row.follow_up_at.filter(|_| row.followed_up_at.is_none() && row.archived_at.is_none())
}

/// Changes an interaction. What changes nothing writes nothing.
///
/// # Errors
/// `forbidden` as [`create`]; `not_found`; `stale`; `archived` when it, its client or its contact is; `validation_failed` as when it was written
/// down.
pub async fn update(uow: &mut UnitOfWork, id: InteractionId, seen: Option<i64>, patch: InteractionPatch) -> Result<Interaction> {
    let before = open(uow, id, seen).await?;
    if before.archived_at.is_some() {
        return Err(Error::new(&ARCHIVED).with_detail("Restore it first."));
    }
    let mut after = before.clone();
    after.r#type = patch.r#type.unwrap_or(after.r#type);
    after.channel = patch.channel.unwrap_or(after.channel);
    patch.direction.apply(&mut after.direction);
    patch.subject.apply(&mut after.subject);
    patch.note.apply(&mut after.note);
    after.occurred_at = patch.occurred_at.unwrap_or(after.occurred_at);
    after.place = place(after.occurred_at, after.id);
    patch.duration.apply(&mut after.duration);
    patch.participants.apply_or_default(&mut after.participants.0);
    if !uow.caller().can(Permission::ContactsView) {
        // all of them are all that the caller sees; the others stay
        let unseen = before.participants.0.iter().filter(|participant| participant.contact_id.is_some());
        let unseen = unseen.filter(|participant| !after.participants.0.contains(participant)).cloned();
        after.participants.0 = unseen.chain(after.participants.0.clone()).collect();
    }
    match patch.follow_up_at {
        Patch::Absent => {}
        // with it goes who was to see to it, unless the patch says otherwise, which is then told
        Patch::Null => (after.follow_up_at, after.follow_up_by, after.followed_up_at) = (None, None, None),
        Patch::Value(at) if after.follow_up_at == Some(at) => {}
        // something else is to follow, which nobody has seen to yet
        Patch::Value(at) => {
            let by = after.follow_up_by.or(uow.caller().actor.user());
            (after.follow_up_at, after.follow_up_by, after.followed_up_at) = (Some(at), by, None);
        }
    }
    patch.follow_up_by.apply(&mut after.follow_up_by);
    patch.followed_up_at.apply(&mut after.followed_up_at);
    after.due_at = due(&after);
    let mut faults = Faults::new();
    check(uow, Some(&before), &after, &mut faults).await?;
    faults.into_result()?;
    let after = uow.update(&before, after, about(&before)).await?;
    participants::write(uow, Some(&before), &after).await?;
    Ok(shown(&uow.caller(), after))
}

/// Puts an interaction away. One that is away stays so.
///
/// # Errors
/// `forbidden` as [`create`]; `not_found`; `stale`; `archived` when its client or contact is.
pub async fn archive(uow: &mut UnitOfWork, id: InteractionId, seen: Option<i64>) -> Result<()> {
    set_archived(uow, id, seen, true).await.map(|_| ())
}

/// Brings an interaction back. One that is there stays so.
///
/// # Errors
/// As [`archive`].
pub async fn restore(uow: &mut UnitOfWork, id: InteractionId, seen: Option<i64>) -> Result<Interaction> {
    set_archived(uow, id, seen, false).await
}

async fn set_archived(uow: &mut UnitOfWork, id: InteractionId, seen: Option<i64>, archived: bool) -> Result<Interaction> {
    let before = open(uow, id, seen).await?;
    if before.archived_at.is_some() == archived {
        return Ok(shown(&uow.caller(), before));
    }
    let (action, archived_at) = if archived { (Action::Archive, Some(uow.now())) } else { (Action::Restore, None) };
    let mut after = InteractionRow { archived_at, ..before.clone() };
    after.due_at = due(&after);
    let after = uow.update(&before, after, about(&before).action(action)).await?;
    Ok(shown(&uow.caller(), after))
}
