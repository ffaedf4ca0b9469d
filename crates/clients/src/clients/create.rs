//! Making clients: one, or many in as few statements as the engine takes, by the same rules.

use std::collections::HashSet;

use kernel::error::Faults;
use kernel::{Caller, Defaults, Error, FieldError, OnDuplicate, Permission, Result, TypedId as _, text};
use platform::custom_fields::searched;
use store::errors::BUSY;
use store::{Change, Json, OnUnique as _, UnitOfWork};

use super::wire::{Client, CreateClient};
use super::{list, update};
use crate::custom::{LaidForMany, Values};
use crate::duplicates::{self, Looking};
use crate::errors::EXTERNAL_ID_TAKEN;
use crate::phones::{self, Given, Numbers};
use crate::rows::{ClientId, ClientRow, ClientStatus};
use crate::shape::email_key;
use crate::stages;

/// Makes a client.
///
/// # Errors
/// `forbidden` without `clients.create`; `validation_failed` when the owner is no member, the parent cannot be seen, or a stage
/// or role is wrong; `likely_duplicate` where the workspace wants none; `external_id_taken`.
pub async fn create(uow: &mut UnitOfWork, input: CreateClient) -> Result<Client> {
    let mut made = create_many(uow, vec![input]).await.map_err(|error| error.without_prefix("/0"))?;
    made.pop().ok_or_else(|| Error::internal("no client was made"))
}

/// Makes many clients, all or none. Pointers in errors begin with the place in the list.
///
/// # Errors
/// As [`create`].
pub async fn create_many(uow: &mut UnitOfWork, inputs: Vec<CreateClient>) -> Result<Vec<Client>> {
    let inputs = inputs.into_iter().map(|input| (uow.id(), input)).collect();
    create_as(uow, inputs).await
}

/// As [`create_many`], each under an id that was chosen before.
pub(crate) async fn create_as(uow: &mut UnitOfWork, inputs: Vec<(ClientId, CreateClient)>) -> Result<Vec<Client>> {
    let caller = uow.caller();
    caller.require(Permission::ClientsCreate)?;
    let defaults = auth::workspaces::defaults(uow, &caller).await?;
    let mut faults = Faults::new();
    let come_as_they_are = phones::come_as_they_are(&caller);
    let given = inputs.iter().map(|(_, input)| input.custom_fields.is_some());
    let mut custom = LaidForMany::begin(uow, "client", &defaults, come_as_they_are, given).await?;
    let (mut owners, mut brands, mut rows) = (HashSet::new(), HashSet::new(), Vec::with_capacity(inputs.len()));
    let mut denied = Vec::with_capacity(inputs.len());
    for (place, (id, mut input)) in inputs.into_iter().enumerate() {
        check(&input, &format!("/{place}"), &mut faults);
        if let Some(owner) = input.owner_id
            && owners.insert(owner)
        {
            update::check_owner(uow, owner, &format!("/{place}"), &mut faults).await?;
        }
        if let Some(brand) = input.brand_id
            && brands.insert(brand)
        {
            update::check_brand(uow, brand, &format!("/{place}"), &mut faults).await?;
        }
        if let Some(parent) = input.parent_id {
            faults.keep(list::get_row(uow, &caller, parent).await.map_err(|error| missing_parent(error, place)))?;
        }
        let none_of = input.not_duplicate_of.take().unwrap_or_default();
        duplicates::check_denied(uow, &none_of, &format!("/{place}"), &mut faults).await?;
        denied.push(none_of);
        let values = custom.lay(place, input.custom_fields.as_ref(), &mut faults);
        let mut row = row(uow, id, input, values, &defaults)?;
        let numbers = fill_derived(&mut row, &defaults.country);
        if !come_as_they_are {
            numbers.check(Given::ALL, &format!("/{place}"), &mut faults);
        }
        rows.push(row);
    }
    custom.check(uow, &mut faults).await?;
    if rows.len() != 1 || !faults.is_empty() {
        // of one that is right but for its stage, that is looked for when it is inserted
        check_stages(uow, &caller, &rows, &mut faults).await?;
    }
    faults.into_result()?;
    let values: Vec<_> = rows.iter().map(|row| (row.id.uuid(), &row.custom_fields.0)).collect();
    custom.check_unique(uow, &values).await?;
    // what comes from elsewhere comes with its duplicates, and is looked through afterwards
    let on_duplicate = if come_as_they_are { OnDuplicate::Off } else { defaults.on_duplicate };
    let taken =
        || Error::new(&EXTERNAL_ID_TAKEN).with_field(FieldError::new("/external_id", "taken", "belongs to another client"));
    let looking = Looking { on_duplicate, country: &defaults.country };
    let found = match rows.as_slice() {
        [one] => match looking.insert(uow, one, &denied.concat()).await.on_unique(taken)? {
            Some(found) => vec![found],
            None => {
                let mut faults = Faults::new();
                check_stages(uow, &caller, &rows, &mut faults).await?;
                faults.into_result()?;
                return Err(Error::new(&BUSY));
            }
        },
        many => {
            looking.keep_keys(uow, many).await?;
            uow.insert_all(many, |_| Change::plain()).await.on_unique(taken)?;
            Vec::new()
        }
    };
    custom.put(uow, &values).await?;
    let mut made: Vec<Client> = Vec::with_capacity(rows.len());
    let mut found = found.into_iter().chain(std::iter::repeat_with(Vec::new));
    for (row, denied) in rows.into_iter().zip(&denied) {
        let duplicates = duplicates::keep_pairs(uow, &row, found.next().unwrap_or_default(), denied).await?;
        made.push(Client { duplicates, ..Client::from(row) });
    }
    Ok(made)
}

async fn check_stages(uow: &mut UnitOfWork, caller: &Caller, rows: &[ClientRow], faults: &mut Faults) -> Result<()> {
    let given = (0..)
        .zip(rows)
        .filter_map(|(place, row): (usize, _)| row.acquisition_stage.as_deref().map(|stage| (stage, format!("/{place}"))));
    stages::check(uow, caller, given, faults).await
}

fn missing_parent(error: Error, place: usize) -> Error {
    match error.kind() {
        kernel::Kind::NotFound => Error::invalid_field(format!("/{place}/parent_id"), "not_found", "there is no such client"),
        _ => error,
    }
}

fn check(input: &CreateClient, at: &str, faults: &mut Faults) {
    if input.external_id.is_some() != input.external_source.is_some() {
        faults.add(format!("{at}/external_id"), "incomplete", "external_source and external_id belong together");
    }
    update::check_roles(input.roles.as_deref().unwrap_or_default(), at, faults);
}

fn row(uow: &UnitOfWork, id: ClientId, input: CreateClient, values: Values, defaults: &Defaults) -> Result<ClientRow> {
    let now = uow.now();
    Ok(ClientRow {
        id,
        workspace_id: uow.workspace()?,
        kind: input.kind,
        name: input.name.trim().to_owned(),
        name_key: String::new(),
        legal_name: input.legal_name,
        tax_number: input.tax_number,
        website: input.website,
        email_key: None,
        phone: input.phone,
        emails: Json(input.emails.unwrap_or_default()),
        phones: Json(input.phones.unwrap_or_default()),
        main_address: input.main_address.map(Json),
        billing_address: input.billing_address.map(Json),
        shipping_address: input.shipping_address.map(Json),
        country: None,
        sector: input.sector,
        size: input.size,
        product: input.product,
        currency: input.currency.as_deref().map(str::parse).transpose().map_err(Error::internal)?.unwrap_or(defaults.currency),
        locale: input.locale.unwrap_or_else(|| defaults.locale.clone()),
        brand_id: input.brand_id,
        status: input.status.unwrap_or(ClientStatus::Active),
        roles: Json(input.roles.unwrap_or_default()),
        parent_id: input.parent_id,
        owner_id: input.owner_id,
        created_by: uow.caller().actor.user(),
        acquisition_stage: input.acquisition_stage,
        source: input.source,
        lead_category: input.lead_category,
        external_source: input.external_source,
        external_id: input.external_id,
        custom_fields: Json(values),
        archived_at: None,
        merged_into_id: None,
        search_text: String::new(),
        version: 1,
        created_at: now,
        updated_at: now,
    })
}

/// Fills the columns that follow from others. Phones without a country code are of the client's country, or of this one where it has no
/// address; they are returned as they were read.
pub(crate) fn fill_derived(row: &mut ClientRow, country: &str) -> Numbers {
    row.name_key = text::fold(&row.name);
    row.email_key = email_key(&row.emails.0);
    row.country = row.main_address.as_ref().and_then(|address| address.0.country.clone());
    let country = row.country.as_deref().unwrap_or(country);
    let numbers = Numbers::read(row.phone.as_deref(), &mut row.phones.0, country);
    let phones = numbers.words();
    let city = row.main_address.as_ref().and_then(|address| address.0.city.as_deref());
    let parts = [Some(row.name.as_str()), row.legal_name.as_deref(), row.tax_number.as_deref(), row.website.as_deref(), city];
    let emails = row.emails.0.iter().map(|email| email.address.as_str());
    let words = parts.into_iter().flatten().chain(emails).chain(phones.iter().map(String::as_str));
    row.search_text = text::search_text(words.chain(searched(&row.custom_fields.0)));
    numbers
}
