//! Brands: the faces of a workspace, for what it sends and shows. One of those in use is the default. Whoever is in the workspace sees them.
//!
//! Logos are files on the brand, which this crate knows by their ids alone: that they are pictures, and the brand's own, `files::brands`
//! sees to, which is where a brand is changed.

mod commands;
mod wire;

use kernel::{Caller, DateTime, Error, Page, Result, TypedId as _};
use store::list::{ListField, ListQuery, ListSpec};
use store::query::{Expr, ExprTrait, SelectStatement};
use store::{Conn, Record as _};
use uuid::Uuid;

pub use commands::{archive, create, find_editable, hold, purge, restore, update};
pub use wire::{Brand, BrandPatch, CreateBrand};

kernel::typed_id! {
    /// Names a brand.
    pub BrandId
}
store::id_fields!(BrandId);

store::record! {
    pub(crate) struct BrandRow in "brand" of workspace {
        id: BrandId;
        name: String,
        name_key: String => Derived,
        accent_color: Option<String>,
        secondary_color: Option<String>,
        tagline: Option<String>,
        reply_to_email: Option<String>,
        legal_name: Option<String>,
        tax_number: Option<String>,
        logo_light_file_id: Option<Uuid>,
        logo_dark_file_id: Option<Uuid>,
        logo_circular_file_id: Option<Uuid>,
        is_default: bool,
        archived_at: Option<DateTime>,
    }
}

/// How brands can be listed.
pub static BRAND_LIST: ListSpec = ListSpec {
    name: "brands",
    table: "brand",
    fields: &[
        ListField::text("name").folded("name_key"),
        ListField::boolean("is_default"),
        ListField::time("created_at").sorted(),
        ListField::time("updated_at").sorted(),
    ],
    default_sort: &["name"],
    archived: true,
    ..ListSpec::EMPTY
};

fn visible_to(caller: &Caller) -> Result<SelectStatement> {
    let mut select = BrandRow::select();
    select.and_where(Expr::col(("brand", "workspace_id")).eq(caller.workspace()?.uuid()));
    Ok(select)
}

/// Brands of the workspace.
///
/// # Errors
/// `no_workspace` to whoever is in none.
pub async fn list(conn: &mut Conn, caller: &Caller, query: &ListQuery) -> Result<Page<Brand>> {
    let page = store::list::page::<BrandRow>(conn, caller, visible_to(caller)?, &BRAND_LIST, query).await?;
    Ok(page.map(Brand::from))
}

/// Whether there is such a brand, which is in use.
///
/// # Errors
/// What the database says.
pub async fn is_in_use(conn: &mut Conn, caller: &Caller, id: BrandId) -> Result<bool> {
    let mut select = visible_to(caller)?;
    select.and_where(Expr::col(("brand", "id")).eq(id.uuid())).and_where(Expr::col(("brand", "archived_at")).is_null());
    Ok(conn.one::<BrandRow>(&select).await?.is_some())
}

/// One brand.
///
/// # Errors
/// `no_workspace` to whoever is in none; `not_found`.
pub async fn get(conn: &mut Conn, caller: &Caller, id: BrandId) -> Result<Brand> {
    let mut select = visible_to(caller)?;
    select.and_where(Expr::col(("brand", "id")).eq(id.uuid()));
    conn.one::<BrandRow>(&select).await?.map(Brand::from).ok_or_else(Error::not_found)
}
