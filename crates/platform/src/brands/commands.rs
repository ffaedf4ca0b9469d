//! Making and changing brands. Whatever may change which one is the default holds the workspace's lock from its beginning on, so that two
//! who do cannot leave it with none; that there are never two, an index sees to.

use kernel::{Error, FieldError, Permission, Result, TypedId as _, text};
use store::query::{Expr, ExprTrait, SelectStatement};
use store::{Action, Change, OnUnique as _, UnitOfWork};

use super::wire::{Brand, BrandPatch, CreateBrand};
use super::{BrandId, BrandRow, visible_to};
use crate::errors::{BRAND_ARCHIVED, BRAND_IS_DEFAULT, BRAND_NAME_TAKEN, BRAND_NOT_ARCHIVED};

fn name_taken() -> Error {
    Error::new(&BRAND_NAME_TAKEN).with_field(FieldError::new("/name", "taken", "belongs to another brand"))
}

/// Takes the lock under which it is decided which brand is the default.
///
/// # Errors
/// `forbidden` without `admin.manage_brands`.
pub async fn hold(uow: &mut UnitOfWork) -> Result<()> {
    uow.caller().require(Permission::AdminManageBrands)?;
    let workspace = uow.workspace()?;
    auth::workspaces::lock(uow, workspace).await
}

async fn in_use(uow: &mut UnitOfWork) -> Result<SelectStatement> {
    let mut select = visible_to(&uow.caller())?;
    select.and_where(Expr::col(("brand", "archived_at")).is_null());
    Ok(select)
}

/// The default, locked.
async fn default(uow: &mut UnitOfWork) -> Result<Option<BrandRow>> {
    let mut select = in_use(uow).await?;
    select.and_where(Expr::col(("brand", "is_default")).eq(true));
    uow.locked(select).await
}

/// Takes it from the default that there is, so that another can be it.
async fn give_up_default(uow: &mut UnitOfWork) -> Result<()> {
    if let Some(before) = default(uow).await? {
        let after = BrandRow { is_default: false, ..before.clone() };
        uow.update(&before, after, Change::plain()).await?;
    }
    Ok(())
}

async fn find_locked(uow: &mut UnitOfWork, id: BrandId, seen: Option<i64>) -> Result<BrandRow> {
    uow.caller().require(Permission::AdminManageBrands)?;
    let mut select = visible_to(&uow.caller())?;
    select.and_where(Expr::col(("brand", "id")).eq(id.uuid()));
    let row = uow.locked::<BrandRow>(select).await?.ok_or_else(Error::not_found)?;
    auth::check_seen(seen, row.version)?;
    Ok(row)
}

fn check_in_use(row: &BrandRow) -> Result<()> {
    match row.archived_at {
        Some(_) => Err(Error::new(&BRAND_ARCHIVED).with_detail("Restore it first.")),
        None => Ok(()),
    }
}

/// A brand that the caller may change, locked until the transaction ends.
///
/// # Errors
/// `forbidden` without `admin.manage_brands`; `not_found`; `stale`; `brand_archived`.
pub async fn find_editable(uow: &mut UnitOfWork, id: BrandId, seen: Option<i64>) -> Result<Brand> {
    let row = find_locked(uow, id, seen).await?;
    check_in_use(&row)?;
    Ok(row.into())
}

/// Makes a brand. The first in use is the default.
///
/// # Errors
/// `forbidden` without `admin.manage_brands`; `brand_name_taken`.
pub async fn create(uow: &mut UnitOfWork, input: CreateBrand) -> Result<Brand> {
    hold(uow).await?;
    let now = uow.now();
    let is_first = default(uow).await?.is_none();
    let is_default = is_first || input.is_default == Some(true);
    if is_default && !is_first {
        give_up_default(uow).await?;
    }
    let name = input.name.trim().to_owned();
    let row = BrandRow {
        id: uow.id(),
        workspace_id: uow.workspace()?,
        name_key: text::fold(&name),
        name,
        accent_color: input.accent_color,
        secondary_color: input.secondary_color,
        tagline: input.tagline,
        reply_to_email: input.reply_to_email,
        legal_name: input.legal_name,
        tax_number: input.tax_number,
        logo_light_file_id: None,
        logo_dark_file_id: None,
        logo_circular_file_id: None,
        is_default,
        archived_at: None,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    uow.insert(&row, Change::plain()).await.on_unique(name_taken)?;
    Ok(row.into())
}

/// Changes a brand. What changes nothing writes nothing. That its logos are pictures on it, whoever calls this has seen to; and it holds the
/// lock of [`hold`].
///
/// # Errors
/// `forbidden` without `admin.manage_brands`; `not_found`; `stale`; `brand_archived`; `brand_name_taken`; `brand_is_default` where the default
/// is to be it no more.
pub async fn update(uow: &mut UnitOfWork, id: BrandId, seen: Option<i64>, patch: BrandPatch) -> Result<Brand> {
    let before = find_locked(uow, id, seen).await?;
    check_in_use(&before)?;
    let mut after = before.clone();
    match patch.is_default {
        Some(true) if !before.is_default => {
            give_up_default(uow).await?;
            after.is_default = true;
        }
        Some(false) if before.is_default => return Err(Error::new(&BRAND_IS_DEFAULT)),
        _ => {}
    }
    if let Some(name) = patch.name {
        name.trim().clone_into(&mut after.name);
        after.name_key = text::fold(&after.name);
    }
    patch.accent_color.apply(&mut after.accent_color);
    patch.secondary_color.apply(&mut after.secondary_color);
    patch.tagline.apply(&mut after.tagline);
    patch.reply_to_email.apply(&mut after.reply_to_email);
    patch.legal_name.apply(&mut after.legal_name);
    patch.tax_number.apply(&mut after.tax_number);
    patch.logo_light_file_id.apply(&mut after.logo_light_file_id);
    patch.logo_dark_file_id.apply(&mut after.logo_dark_file_id);
    patch.logo_circular_file_id.apply(&mut after.logo_circular_file_id);
    uow.update(&before, after, Change::plain()).await.on_unique(name_taken).map(Brand::from)
}

/// Puts a brand away. One that is away stays so. The default goes last.
///
/// # Errors
/// `forbidden` without `admin.manage_brands`; `not_found`; `stale`; `brand_is_default` while there are others in use.
pub async fn archive(uow: &mut UnitOfWork, id: BrandId, seen: Option<i64>) -> Result<()> {
    hold(uow).await?;
    let before = find_locked(uow, id, seen).await?;
    if before.archived_at.is_some() {
        return Ok(());
    }
    if before.is_default {
        let mut others = in_use(uow).await?;
        others.and_where(Expr::col(("brand", "id")).ne(id.uuid())).limit(1);
        if uow.one::<BrandRow>(&others).await?.is_some() {
            return Err(Error::new(&BRAND_IS_DEFAULT));
        }
    }
    let after = BrandRow { archived_at: Some(uow.now()), is_default: false, ..before.clone() };
    uow.update(&before, after, Change::of(Action::Archive)).await.map(|_| ())
}

/// Brings a brand back. One that is there stays so. Where there is no other in use, it is the default.
///
/// # Errors
/// `forbidden` without `admin.manage_brands`; `not_found`; `stale`; `brand_name_taken` where another has its name by now.
pub async fn restore(uow: &mut UnitOfWork, id: BrandId, seen: Option<i64>) -> Result<Brand> {
    hold(uow).await?;
    let before = find_locked(uow, id, seen).await?;
    if before.archived_at.is_none() {
        return Ok(before.into());
    }
    let is_default = default(uow).await?.is_none();
    let after = BrandRow { archived_at: None, is_default, ..before.clone() };
    uow.update(&before, after, Change::of(Action::Restore)).await.on_unique(name_taken).map(Brand::from)
}

/// Deletes an archived brand for ever. What lies on it, whoever calls this sees to afterwards.
///
/// # Errors
/// `forbidden` without `admin.manage_brands`; `not_found`; `stale`; `brand_not_archived`; `in_use` where something still names it.
pub async fn purge(uow: &mut UnitOfWork, id: BrandId, seen: Option<i64>) -> Result<()> {
    let row = find_locked(uow, id, seen).await?;
    if row.archived_at.is_none() {
        return Err(Error::new(&BRAND_NOT_ARCHIVED).with_detail("Archive it first."));
    }
    uow.delete(&row, Change::plain()).await
}
