//! The company profile: what a contact sees and changes of the client whose portal they are in.

use kernel::shape::filled;
use kernel::{Caller, Company, Error, Patch, PortalPermission, Result, TypedId as _};
use serde::{Deserialize, Serialize};
use store::query::{Expr, ExprTrait, Query, SelectStatement};
use store::{Conn, Record as _, UnitOfWork};
use utoipa::ToSchema;
use validator::Validate;

use crate::clients::{self, ClientPatch};
use crate::rows::{ClientId, ClientKind, ClientRow};
use crate::shape::{Address, AddressPatch, TypedEmail, TypedPhone};

/// What a client says of itself.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CompanyProfile {
    /// The client's id.
    pub client_id: ClientId,
    /// Company or person.
    pub kind: ClientKind,
    /// Its name.
    pub name: String,
    /// Its name in law, where it differs.
    pub legal_name: Option<String>,
    /// Its tax number.
    pub tax_number: Option<String>,
    /// Its website.
    pub website: Option<String>,
    /// Its main phone.
    pub phone: Option<String>,
    /// E-mail addresses, the main one first.
    pub emails: Vec<TypedEmail>,
    /// Further phones.
    pub phones: Vec<TypedPhone>,
    /// Where it is.
    pub main_address: Option<Address>,
    /// Where invoices go.
    pub billing_address: Option<Address>,
    /// Where goods go.
    pub shipping_address: Option<Address>,
    /// Whether the contact may change it.
    pub can_edit: bool,
    /// Counts its changes; the ETag is made from it.
    #[serde(skip)]
    pub version: i64,
}

/// The body of `PATCH /v1/portal/company-profile`: absent keeps, null clears.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct CompanyProfilePatch {
    /// Its name, 1 to 200 characters.
    #[schema(nullable = false, min_length = 1, max_length = 200)]
    #[validate(custom(function = filled), length(max = 200))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its name in law.
    #[schema(value_type = Option<String>, max_length = 200)]
    #[validate(length(max = 200))]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub legal_name: Patch<String>,
    /// Its tax number, at most 40 characters.
    #[schema(value_type = Option<String>, max_length = 40)]
    #[validate(length(max = 40))]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub tax_number: Patch<String>,
    /// Its website.
    #[schema(value_type = Option<String>, max_length = 300)]
    #[validate(length(max = 300))]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub website: Patch<String>,
    /// Its main phone.
    #[schema(value_type = Option<String>, max_length = 50)]
    #[validate(length(max = 50))]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub phone: Patch<String>,
    /// E-mail addresses, the main one first; all of them.
    #[schema(value_type = Option<Vec<TypedEmail>>, max_items = 20)]
    #[validate(nested, length(max = 20))]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub emails: Patch<Vec<TypedEmail>>,
    /// Further phones; all of them.
    #[schema(value_type = Option<Vec<TypedPhone>>, max_items = 20)]
    #[validate(nested, length(max = 20))]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub phones: Patch<Vec<TypedPhone>>,
    /// Where it is.
    #[schema(value_type = Option<AddressPatch>)]
    #[validate(nested)]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub main_address: Patch<AddressPatch>,
    /// Where invoices go.
    #[schema(value_type = Option<AddressPatch>)]
    #[validate(nested)]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub billing_address: Patch<AddressPatch>,
    /// Where goods go.
    #[schema(value_type = Option<AddressPatch>)]
    #[validate(nested)]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub shipping_address: Patch<AddressPatch>,
}

/// The client whose portal the contact is in, while it lets them in and is not put away. Every read and change of it in the portal begins
/// here.
fn of_caller(caller: &Caller) -> Result<SelectStatement> {
    let (contact, _) = caller.contact()?;
    let company = caller.company()?;
    let mut lets_in = Query::select();
    lets_in
        .column("id")
        .from("portal_access")
        .and_where(Expr::col(("portal_access", "contact_id")).eq(contact))
        .and_where(Expr::col(("portal_access", "client_id")).eq(company.client));
    let mut select = ClientRow::select();
    select
        .and_where(Expr::col(("client", "workspace_id")).eq(caller.workspace()?.uuid()))
        .and_where(Expr::col(("client", "id")).eq(company.client))
        .and_where(Expr::col(("client", "archived_at")).is_null())
        .and_where(Expr::exists(lets_in));
    Ok(select)
}

fn wire(row: ClientRow, can_edit: bool) -> CompanyProfile {
    CompanyProfile {
        client_id: row.id,
        kind: row.kind,
        name: row.name,
        legal_name: row.legal_name,
        tax_number: row.tax_number,
        website: row.website,
        phone: row.phone,
        emails: row.emails.0,
        phones: row.phones.0,
        main_address: row.main_address.map(|json| json.0),
        billing_address: row.billing_address.map(|json| json.0),
        shipping_address: row.shipping_address.map(|json| json.0),
        can_edit,
        version: row.version,
    }
}

/// What the client says of itself whose portal the contact is in. Every contact that is let in may read it.
///
/// # Errors
/// `forbidden` for whoever is no contact; `no_portal_client`; `not_found` where the client is put away.
pub async fn profile(conn: &mut Conn, caller: &Caller) -> Result<CompanyProfile> {
    let can_edit = caller.company()?.permissions.contains(&PortalPermission::CompanyProfile);
    let row = conn.one::<ClientRow>(&of_caller(caller)?).await?.ok_or_else(Error::not_found)?;
    Ok(wire(row, can_edit))
}

/// Changes what the client says of itself. What changes nothing writes nothing.
///
/// # Errors
/// `forbidden` for whoever is no contact; `no_portal_client`; `portal_permission_needed` without `company_profile`; `not_found` where the
/// client is put away; `stale`.
pub async fn update_profile(uow: &mut UnitOfWork, seen: Option<i64>, patch: CompanyProfilePatch) -> Result<CompanyProfile> {
    let caller = uow.caller();
    caller.require_portal(PortalPermission::CompanyProfile)?;
    let before = uow.locked::<ClientRow>(of_caller(&caller)?).await?.ok_or_else(Error::not_found)?;
    // what the caller holds was found out a moment ago
    let (contact, _) = caller.contact()?;
    let access = auth::portal::access_of(uow, contact).await?;
    let company: Option<Company> = auth::portal::current(access, Some(before.id.uuid()));
    Caller { company, ..Caller::clone(&caller) }.require_portal(PortalPermission::CompanyProfile)?;
    auth::check_seen(seen, before.version)?;
    let patch = ClientPatch {
        name: patch.name,
        legal_name: patch.legal_name,
        tax_number: patch.tax_number,
        website: patch.website,
        phone: patch.phone,
        emails: patch.emails,
        phones: patch.phones,
        main_address: patch.main_address,
        billing_address: patch.billing_address,
        shipping_address: patch.shipping_address,
        ..ClientPatch::default()
    };
    let row = clients::update_row(uow, &before, patch).await?;
    Ok(wire(row, true))
}
