//! A row of a file as inputs of the commands, with everything that is wrong with it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::str::FromStr;

use kernel::error::Faults;
use kernel::{Caller, Patch, UserId, text, validation};
use platform::csv_source::{Cells, custom_column};
use platform::custom_fields::{FieldValue, Fields};
use platform::imports::ImportIssue;
use serde_json::{Map, Value};
use store::Conn;
use validator::Validate as _;

use super::columns::{OF_CLIENT, OF_CONTACT};
use crate::attachable::{CLIENT, CONTACT};
use crate::clients::{ClientPatch, CreateClient};
use crate::contacts::{ContactPatch, CreateContact};
use crate::rows::{ClientKind, ClientRole, ClientRow, ContactRow};
use crate::shape::{Address, AddressPatch, ChannelKind, TypedEmail, with_addresses};
use crate::stages;

/// A row that can be written.
#[derive(Clone, Debug)]
pub(super) struct ParsedRow {
    pub line: u64,
    /// By what the client is known again.
    pub external_id: String,
    pub client: CreateClient,
    pub contact: Option<ParsedContact>,
}

/// The contact of a row.
#[derive(Clone, Debug)]
pub(super) struct ParsedContact {
    pub external_id: String,
    pub contact: CreateContact,
    pub role: Option<String>,
}

/// Reads rows of one file.
pub(super) struct RowReader {
    /// Members of the workspace by their addresses.
    pub members: HashMap<String, UserId>,
    /// The keys of its acquisition stages.
    pub stages: Vec<String>,
    /// The custom fields of its clients.
    pub fields: Fields,
    /// The custom fields of its contacts.
    pub contact_fields: Fields,
}

/// Gathers what is wrong with one row.
struct Issues {
    line: u64,
    found: Vec<ImportIssue>,
}

impl Issues {
    fn add(&mut self, column: &str, code: &str, reason: impl Into<String>) {
        let (column, code) = (Some(column.to_owned()), code.to_owned());
        self.found.push(ImportIssue { line: self.line, column, code, reason: reason.into() });
    }

    /// A value of an enumeration, or an issue.
    fn word<T: FromStr<Err = kernel::Error>>(&mut self, column: &str, value: Option<&str>) -> Option<T> {
        let word = value?.trim().to_lowercase().replace([' ', '-'], "_");
        match word.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                let reason = error.fields().first().map_or("is not known", |field| field.message.as_str());
                self.add(column, "unknown_value", reason);
                None
            }
        }
    }
}

impl RowReader {
    /// One that knows the members of the caller's workspace, and its stages.
    pub async fn of(conn: &mut Conn, caller: &Caller) -> kernel::Result<Self> {
        let members = auth::users::members_by_email(conn, caller.workspace()?).await?;
        let fields = Fields::of(conn, caller.workspace()?, CLIENT).await?;
        let contact_fields = Fields::of(conn, caller.workspace()?, CONTACT).await?;
        Ok(Self { members, stages: stages::keys(conn, caller).await?, fields, contact_fields })
    }

    pub fn parse(&self, row: &Cells) -> Result<ParsedRow, Vec<ImportIssue>> {
        let value = |name: &str| row.value(name).map(str::to_owned);
        let mut issues = Issues { line: row.line, found: Vec::new() };
        let owner_id = self.owner(row, &mut issues);
        let address = Address {
            line1: value("address"),
            line2: None,
            city: value("city"),
            region: value("region"),
            postal_code: value("postal_code"),
            country: value("country").map(|country| country.to_uppercase()),
        };
        let email = |name: &str| value(name).map(|address| vec![TypedEmail { kind: ChannelKind::Work, address }]);
        let mut client = CreateClient {
            kind: issues.word("kind", row.value("kind")).unwrap_or(ClientKind::Company),
            name: value("name").unwrap_or_default(),
            legal_name: value("legal_name"),
            tax_number: value("tax_number"),
            website: value("website"),
            phone: value("phone"),
            emails: email("email"),
            phones: None,
            main_address: (address != Address::default()).then_some(address),
            billing_address: None,
            shipping_address: None,
            sector: value("sector"),
            size: value("size"),
            product: value("product"),
            currency: value("currency").map(|currency| currency.to_uppercase()),
            locale: value("locale"),
            brand_id: None,
            status: issues.word("status", row.value("status")),
            roles: self.roles(row, &mut issues),
            parent_id: None,
            owner_id,
            acquisition_stage: value("acquisition_stage").map(|stage| stage.to_lowercase().replace([' ', '-'], "_")),
            source: issues.word("source", row.value("source")),
            lead_category: issues.word("lead_category", row.value("lead_category")),
            external_source: None,
            external_id: None,
            custom_fields: custom(row, OF_CLIENT, &self.fields, &mut issues),
            not_duplicate_of: None,
        };
        if client.name.is_empty() {
            issues.add("name", "required", "is empty");
        }
        if let Err(errors) = client.validate() {
            // that it is empty is said already
            let said = |pointer: &str| client.name.is_empty() && pointer == "/name";
            for error in validation::field_errors(&errors).into_iter().filter(|error| !said(&error.pointer)) {
                issues.add(&client_column(&error.pointer), &error.code, error.message);
            }
        }
        let mut faults = Faults::new();
        if let Some(stage) = &client.acquisition_stage {
            stages::check_among(stage, &self.stages, "", &mut faults);
        }
        if let Err(error) = faults.into_result() {
            for field in error.fields() {
                issues.add("acquisition_stage", &field.code, field.message.as_str());
            }
        }
        let external_id = value("external_id").unwrap_or_else(|| natural_key(&client));
        if external_id.chars().count() > 200 {
            issues.add("external_id", "too_long", "must be at most 200 characters");
        }
        let contact = self.contact(row, &external_id, email("contact_email"), &mut issues);
        client.external_id = None;
        if !issues.found.is_empty() {
            return Err(issues.found);
        }
        Ok(ParsedRow { line: row.line, external_id, client, contact })
    }

    fn owner(&self, row: &Cells, issues: &mut Issues) -> Option<UserId> {
        let email = row.value("owner_email")?;
        let found = self.members.get(&email.trim().to_lowercase()).copied();
        if found.is_none() {
            issues.add("owner_email", "not_a_member", "is the address of no member of the workspace");
        }
        found
    }

    fn roles(&self, row: &Cells, issues: &mut Issues) -> Option<Vec<ClientRole>> {
        let text = row.value("roles")?;
        let mut roles: Vec<ClientRole> = Vec::new();
        for part in text.split([',', ';', '|', '/']).map(str::trim).filter(|part| !part.is_empty()) {
            if let Some(role) = issues.word("roles", Some(part))
                && !roles.contains(&role)
            {
                roles.push(role);
            }
        }
        Some(roles)
    }

    fn contact(&self, row: &Cells, client: &str, emails: Option<Vec<TypedEmail>>, issues: &mut Issues) -> Option<ParsedContact> {
        let value = |name: &str| row.value(name).map(str::to_owned);
        let (given_name, family_name) = (value("contact_given_name"), value("contact_family_name"));
        if given_name.is_none() && family_name.is_none() {
            if emails.is_some() || value("contact_phone").is_some() {
                issues.add("contact_given_name", "required", "is empty, though the row has a contact");
            }
            return None;
        }
        // a person of whom only the family name is known is called by it
        let (given_name, family_name) = match (given_name, family_name) {
            (Some(given), family) => (given, family),
            (None, family) => (family.unwrap_or_default(), None),
        };
        let contact = CreateContact {
            given_name,
            family_name,
            phone: value("contact_phone"),
            emails,
            phones: None,
            position: value("contact_position"),
            locale: None,
            mails: None,
            external_source: None,
            external_id: None,
            custom_fields: custom(row, OF_CONTACT, &self.contact_fields, issues),
        };
        if let Err(errors) = contact.validate() {
            for error in validation::field_errors(&errors) {
                issues.add(contact_column(&error.pointer), &error.code, error.message);
            }
        }
        let email = contact.emails.iter().flatten().next().map(|email| email.address.trim().to_lowercase());
        let name = format!("{} {}", contact.given_name, contact.family_name.as_deref().unwrap_or_default());
        let key = short(format!("{client}/{}", email.unwrap_or_else(|| text::fold(name.trim()))));
        Some(ParsedContact { external_id: key, contact, role: value("contact_role") })
    }
}

/// The values of custom fields, as they stand in the cells of columns that begin with this word.
fn custom(row: &Cells, word: &str, fields: &Fields, issues: &mut Issues) -> Option<Map<String, Value>> {
    let mut values = Map::new();
    for (column, cell) in &row.values {
        let Some(key) = custom_column(column, word) else { continue };
        let Some(shape) = fields.shape(key).filter(|shape| !shape.archived) else {
            issues.add(column, "unknown_column", "is no custom field, or an archived one");
            continue;
        };
        match FieldValue::read_cell(shape, cell, "") {
            Ok(Some(value)) => {
                values.insert(key.to_owned(), value.json());
            }
            Ok(None) => {}
            Err(fault) => issues.add(column, &fault.code, fault.message.as_str()),
        }
    }
    (!values.is_empty()).then_some(values)
}

/// By what a client is known again where the file gives no id.
fn natural_key(client: &CreateClient) -> String {
    let email = client.emails.iter().flatten().next().map(|email| email.address.trim().to_lowercase()).unwrap_or_default();
    let tax_number = client.tax_number.as_deref().unwrap_or_default();
    short(format!("{}|{tax_number}|{email}", text::fold(&client.name)))
}

/// The text itself, or a digest where it would be too long for an external id.
fn short(text: String) -> String {
    if text.chars().count() <= 200 { text } else { format!("xxh3:{:032x}", xxhash_rust::xxh3::xxh3_128(text.as_bytes())) }
}

pub(super) fn client_column(pointer: &str) -> Cow<'_, str> {
    match pointer {
        "/emails/0/address" => "email".into(),
        "/main_address/line1" => "address".into(),
        pointer if pointer.ends_with("/owner_id") => "owner_email".into(),
        _ => match pointer.rsplit_once("/custom_fields/") {
            Some((_, key)) => format!("cf[{key}]").into(),
            None => pointer.rsplit('/').next().unwrap_or(pointer).into(),
        },
    }
}

fn contact_column(pointer: &str) -> &str {
    match pointer {
        "/given_name" => "contact_given_name",
        "/family_name" => "contact_family_name",
        "/emails/0/address" => "contact_email",
        "/phone" => "contact_phone",
        "/position" => "contact_position",
        _ => "contact_given_name",
    }
}

/// What a row changes of a client that is there: what it says, and nothing where it is silent.
pub(super) fn client_patch(before: &ClientRow, input: &CreateClient) -> ClientPatch {
    fn said<T: Clone>(value: &Option<T>) -> Patch<T> {
        value.clone().map_or(Patch::Absent, Patch::Value)
    }
    let address = input.main_address.clone().map(|address| AddressPatch {
        line1: said(&address.line1),
        line2: Patch::Absent,
        city: said(&address.city),
        region: said(&address.region),
        postal_code: said(&address.postal_code),
        country: said(&address.country),
    });
    ClientPatch {
        kind: Some(input.kind),
        name: Some(input.name.clone()),
        legal_name: said(&input.legal_name),
        tax_number: said(&input.tax_number),
        website: said(&input.website),
        phone: said(&input.phone),
        emails: said(&input.emails.as_deref().map(|emails| with_addresses(&before.emails.0, emails))),
        main_address: said(&address),
        sector: said(&input.sector),
        size: said(&input.size),
        product: said(&input.product),
        currency: input.currency.clone(),
        locale: input.locale.clone(),
        status: input.status,
        roles: said(&input.roles),
        owner_id: said(&input.owner_id),
        acquisition_stage: said(&input.acquisition_stage),
        source: said(&input.source),
        lead_category: said(&input.lead_category),
        custom_fields: said(&input.custom_fields),
        ..ClientPatch::default()
    }
}

/// What a row changes of a contact that is there.
pub(super) fn contact_patch(before: &ContactRow, input: &CreateContact) -> ContactPatch {
    fn said<T: Clone>(value: &Option<T>) -> Patch<T> {
        value.clone().map_or(Patch::Absent, Patch::Value)
    }
    ContactPatch {
        given_name: Some(input.given_name.clone()),
        family_name: input.family_name.clone(),
        phone: said(&input.phone),
        emails: said(&input.emails.as_deref().map(|emails| with_addresses(&before.emails.0, emails))),
        phones: Patch::Absent,
        position: said(&input.position),
        locale: None,
        mails: None,
        custom_fields: said(&input.custom_fields),
    }
}
