//! The logos of brands: pictures on a brand, of which it says which it shows on which ground. A picture that is a logo cannot be purged,
//! which the database sees to.

use kernel::error::Faults;
use kernel::{Result, TypedId as _};
use platform::brands::{self, Brand, BrandId, BrandPatch};
use store::query::{Expr, ExprTrait};
use store::{Record as _, UnitOfWork};
use uuid::Uuid;

use crate::attach::{Attachable, Seen};
use crate::files;
use crate::rows::FileRow;

const BRAND: &str = "brand";

/// Brands, as records that pictures can be on: whoever is in the workspace may see those.
pub static ATTACHABLES: [Attachable; 1] = [Attachable {
    rel_type: BRAND,
    plural: "brands",
    added: "brand.file_added",
    only_pictures: true,
    visible: |caller| caller.workspace().map(|_| Seen::All),
    editable: |uow, id| Box::pin(async move { brands::find_editable(uow, BrandId::from_uuid(id), None).await.map(|_| ()) }),
}];

/// Changes a brand.
///
/// # Errors
/// As [`brands::update`]; `validation_failed` for a logo that is no picture on the brand, or one that is archived.
pub async fn update(uow: &mut UnitOfWork, id: BrandId, seen: Option<i64>, patch: BrandPatch) -> Result<Brand> {
    brands::hold(uow).await?;
    let before = brands::find_editable(uow, id, seen).await?;
    let mut faults = Faults::new();
    for (name, file) in patch.new_logos(&before) {
        if !is_on(uow, id, file).await? {
            faults.add(format!("/{name}"), "not_found", "must be a picture on this brand");
        }
    }
    faults.into_result()?;
    brands::update(uow, id, seen, patch).await
}

/// Whether a file is on the brand, and stays so until the transaction ends.
async fn is_on(uow: &mut UnitOfWork, brand: BrandId, file: Uuid) -> Result<bool> {
    let column = |name: &'static str| Expr::col(("file", name));
    let mut select = FileRow::select();
    select
        .and_where(column("workspace_id").eq(uow.workspace()?.uuid()))
        .and_where(column("id").eq(file))
        .and_where(column("rel_type").eq(BRAND))
        .and_where(column("rel_id").eq(brand.uuid()))
        .and_where(column("archived_at").is_null());
    Ok(uow.locked::<FileRow>(select).await?.is_some())
}

/// Deletes an archived brand for ever, with the pictures on it.
///
/// # Errors
/// As [`brands::purge`].
pub async fn purge(uow: &mut UnitOfWork, id: BrandId, seen: Option<i64>) -> Result<()> {
    brands::purge(uow, id, seen).await?;
    files::forget(uow, BRAND, &[id.uuid()]).await
}
