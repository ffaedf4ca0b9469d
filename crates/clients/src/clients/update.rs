//! Changing clients.

use kernel::error::Faults;
use kernel::{Error, Kind, Patch, Permission, Result, TypedId as _, UserId};
use platform::brands::BrandId;
use store::query::{Expr, ExprTrait, Query};
use store::{Change, Json, UnitOfWork};

use super::wire::{Client, ClientPatch};
use super::{create, list};
use crate::custom::{self, Laid};
use crate::errors::{ARCHIVED, PARENT_CYCLE};
use crate::phones::{self, Given, Numbers};
use crate::rows::{ClientId, ClientRole, ClientRow};
use crate::shape::{Address, AddressPatch};
use crate::{duplicates, relationships, stages};

/// How high a tree of clients may grow.
const MOST_ANCESTORS: usize = 100;

pub(super) fn check_roles(roles: &[ClientRole], at: &str, faults: &mut Faults) {
    for (place, role) in roles.iter().enumerate() {
        if roles.iter().take(place).any(|earlier| earlier == role) {
            faults.add(format!("{at}/roles/{place}"), "repeated", "is named twice");
        }
    }
}

/// A client speaks under a brand of its own workspace, which is in use.
pub(super) async fn check_brand(uow: &mut UnitOfWork, brand: BrandId, at: &str, faults: &mut Faults) -> Result<()> {
    let caller = uow.caller();
    if !platform::brands::is_in_use(uow, &caller, brand).await? {
        faults.add(format!("{at}/brand_id"), "not_found", "must be a brand of the workspace that is in use");
    }
    Ok(())
}

pub(super) async fn check_owner(uow: &mut UnitOfWork, owner: UserId, at: &str, faults: &mut Faults) -> Result<()> {
    check_member(uow, owner, &format!("{at}/owner_id"), faults).await
}

pub(super) async fn check_member(uow: &mut UnitOfWork, user: UserId, pointer: &str, faults: &mut Faults) -> Result<()> {
    let workspace = uow.workspace()?;
    if !auth::users::is_member(uow, workspace, user).await? {
        faults.add(pointer, "not_a_member", "must be a member of the workspace");
    }
    Ok(())
}

/// Changes a client. What changes nothing writes nothing.
///
/// # Errors
/// `forbidden` without `clients.edit`; `not_found`; `stale`; `archived`; `parent_cycle`;
/// `relationship_needs_role`; `validation_failed` as when it was made.
pub async fn update(uow: &mut UnitOfWork, id: ClientId, seen: Option<i64>, patch: ClientPatch) -> Result<Client> {
    uow.caller().require(Permission::ClientsEdit)?;
    let before = list::find_locked(uow, id, seen).await?;
    update_row(uow, &before, patch).await.map(Client::from)
}

/// Changes a client that the caller may edit.
pub(crate) async fn update_row(uow: &mut UnitOfWork, before: &ClientRow, patch: ClientPatch) -> Result<ClientRow> {
    if before.archived_at.is_some() {
        return Err(Error::new(&ARCHIVED).with_detail("Restore it first."));
    }
    let mut faults = Faults::new();
    check_roles(patch.roles.value().map(Vec::as_slice).unwrap_or_default(), "", &mut faults);
    if let Patch::Value(owner) = patch.owner_id
        && before.owner_id != Some(owner)
    {
        check_owner(uow, owner, "", &mut faults).await?;
    }
    if let Patch::Value(brand) = patch.brand_id
        && before.brand_id != Some(brand)
    {
        check_brand(uow, brand, "", &mut faults).await?;
    }
    if let Patch::Value(parent) = patch.parent_id
        && before.parent_id != Some(parent)
    {
        faults.keep(check_parent(uow, before, parent).await)?;
    }
    let caller = uow.caller();
    // the one that it has stays, whatever became of it
    let stage = patch.acquisition_stage.value().filter(|stage| before.acquisition_stage.as_ref() != Some(*stage));
    let stage = stage.map(|stage| (stage.as_str(), String::new()));
    stages::check(uow, &caller, stage.into_iter(), &mut faults).await?;
    let defaults = auth::workspaces::defaults(uow, &caller).await?;
    let laid = custom::lay(uow, "client", &before.custom_fields.0, &patch.custom_fields, &mut faults).await?;
    let (after, numbers) = apply(before, &patch, laid.as_ref(), &defaults.country)?;
    if !phones::come_as_they_are(&caller) {
        let given = Given { phone: !patch.phone.is_absent(), phones: !patch.phones.is_absent() };
        numbers.check(given, "", &mut faults);
    }
    faults.into_result()?;
    if !patch.roles.is_absent() {
        relationships::check_roles(uow, before, patch.roles.value().map(Vec::as_slice).unwrap_or_default()).await?;
    }
    if let Some(laid) = &laid {
        laid.check_unique(uow, before.id.uuid(), &before.custom_fields.0).await?;
    }
    let after = uow.update(before, after, Change::plain()).await?;
    duplicates::settle(uow, before, &after).await?;
    if let Some(laid) = &laid {
        laid.put(uow, before.id.uuid(), &before.custom_fields.0).await?;
    }
    Ok(after)
}

/// The client as the patch makes it, and its phones as they were read.
fn apply(before: &ClientRow, patch: &ClientPatch, laid: Option<&Laid>, country: &str) -> Result<(ClientRow, Numbers)> {
    let (mut after, patch) = (before.clone(), patch.clone());
    after.kind = patch.kind.unwrap_or(after.kind);
    if let Some(name) = patch.name {
        after.name = name.trim().to_owned();
    }
    patch.legal_name.apply(&mut after.legal_name);
    patch.tax_number.apply(&mut after.tax_number);
    patch.website.apply(&mut after.website);
    patch.phone.apply(&mut after.phone);
    patch.emails.apply_or_default(&mut after.emails.0);
    patch.phones.apply_or_default(&mut after.phones.0);
    apply_address(patch.main_address, &mut after.main_address);
    apply_address(patch.billing_address, &mut after.billing_address);
    apply_address(patch.shipping_address, &mut after.shipping_address);
    patch.sector.apply(&mut after.sector);
    patch.size.apply(&mut after.size);
    patch.product.apply(&mut after.product);
    if let Some(currency) = patch.currency {
        after.currency = currency.parse().map_err(Error::internal)?;
    }
    after.locale = patch.locale.unwrap_or(after.locale);
    patch.brand_id.apply(&mut after.brand_id);
    after.status = patch.status.unwrap_or(after.status);
    patch.roles.apply_or_default(&mut after.roles.0);
    patch.parent_id.apply(&mut after.parent_id);
    patch.owner_id.apply(&mut after.owner_id);
    patch.acquisition_stage.apply(&mut after.acquisition_stage);
    patch.source.apply(&mut after.source);
    patch.lead_category.apply(&mut after.lead_category);
    if let Some(laid) = laid {
        after.custom_fields = Json(laid.values.clone());
    }
    let numbers = create::fill_derived(&mut after, country);
    Ok((after, numbers))
}

fn apply_address(patch: Patch<AddressPatch>, target: &mut Option<Json<Address>>) {
    let mut address = target.take().map(|json| json.0);
    AddressPatch::apply(patch, &mut address);
    *target = address.map(Json);
}

/// The parent must be visible, and must not have the client among its ancestors. Whoever moves a client holds the lock of the
/// workspace's tree, so that two moves cannot close a circle together.
async fn check_parent(uow: &mut UnitOfWork, client: &ClientRow, parent: ClientId) -> Result<()> {
    auth::workspaces::lock(uow, client.workspace_id).await?;
    let missing = |error: Error| match error.kind() {
        Kind::NotFound => Error::invalid_field("/parent_id", "not_found", "there is no such client"),
        _ => error,
    };
    let caller = uow.caller();
    let mut above = Some(list::get_row(uow, &caller, parent).await.map_err(missing)?.id);
    for _ in 0..MOST_ANCESTORS {
        let Some(id) = above else { return Ok(()) };
        if id == client.id {
            return Err(Error::new(&PARENT_CYCLE));
        }
        above = parent_of(uow, client, id).await?;
    }
    Err(Error::new(&PARENT_CYCLE).with_detail("The tree would be too high."))
}

/// Whether a client, of whose tree the caller holds the lock, has itself among its ancestors.
pub(crate) async fn stands_above_itself(uow: &mut UnitOfWork, client: &ClientRow) -> Result<bool> {
    let mut above = client.parent_id;
    for _ in 0..MOST_ANCESTORS {
        let Some(id) = above else { return Ok(false) };
        if id == client.id {
            return Ok(true);
        }
        above = parent_of(uow, client, id).await?;
    }
    Ok(true)
}

/// What stands above a client, whether the caller may see it or not.
async fn parent_of(uow: &mut UnitOfWork, client: &ClientRow, id: ClientId) -> Result<Option<ClientId>> {
    let mut select = Query::select();
    select
        .column("parent_id")
        .from("client")
        .and_where(Expr::col("workspace_id").eq(client.workspace_id.uuid()))
        .and_where(Expr::col("id").eq(id.uuid()));
    Ok(uow.row(&select).await?.map(|row| row.get(0)).transpose()?.flatten())
}
