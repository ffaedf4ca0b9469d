//! Custom fields of clients and contacts: what a request gives is laid over what a record has, the records that it names are looked for, and
//! the values are kept where lists look them up.

use std::collections::HashSet;

use async_trait::async_trait;
use kernel::error::Faults;
use kernel::{Defaults, Patch, Permission, Result, TypedId as _, UserId};
use platform::custom_fields::{FieldHolder, FieldTarget, Fields, Occasion, Reference, keep};
use serde_json::{Map, Value};
use store::list::ListSpec;
use store::query::SelectStatement;
use store::{Change, Conn, UnitOfWork};
use uuid::Uuid;

use crate::{clients, contacts};

pub(crate) type Values = Map<String, Value>;

/// The values of a record as they will be, by the fields that there are.
pub(crate) struct Laid {
    fields: Fields,
    pub values: Values,
}

/// The values of records in the making.
pub(crate) struct LaidForMany {
    /// None where nobody looked for them.
    fields: Option<Fields>,
    occasion: Occasion,
    references: Vec<Reference>,
}

/// Lays a change over the values that a record has; nothing where there is none.
pub(crate) async fn lay(
    uow: &mut UnitOfWork,
    record_type: &'static str,
    before: &Values,
    patch: &Patch<Values>,
    faults: &mut Faults,
) -> Result<Option<Laid>> {
    if patch.is_absent() {
        return Ok(None);
    }
    let fields = Fields::held(uow, record_type).await?;
    let change = match patch {
        Patch::Absent | Patch::Null => before.keys().map(|key| (key.clone(), Value::Null)).collect(),
        Patch::Value(change) => change.clone(),
    };
    let values = if *patch == Patch::Null {
        // what no field knows goes without a word
        let known = before.iter().filter(|(key, _)| fields.shape(key).is_some());
        let (known, change): (Values, Values) = (
            known.clone().map(|(key, value)| (key.clone(), value.clone())).collect(),
            known.map(|(key, _)| (key.clone(), Value::Null)).collect(),
        );
        fields.lay(&known, &change, Occasion::Change, AT, faults)
    } else {
        fields.lay(before, &change, Occasion::Change, AT, faults)
    };
    // what a record has already it keeps, whatever became of it
    let mut references = fields.references(&change, AT);
    let kept: Vec<Reference> = fields.references(before, AT);
    references.retain(|reference| !kept.contains(reference));
    check_references(uow, &references, faults).await?;
    Ok(Some(Laid { fields, values }))
}

/// Where the values of one record stand in a request.
const AT: &str = "/custom_fields";

impl Laid {
    /// Fails where a value that must be unique is another record's.
    pub async fn check_unique(&self, uow: &mut UnitOfWork, record: Uuid, before: &Values) -> Result<()> {
        let holder = keep::Holder { record, at: AT.to_owned(), before, after: &self.values };
        keep::check_unique(uow, &self.fields, &[holder]).await
    }

    /// Keeps the values when the record has them.
    pub async fn put(&self, uow: &mut UnitOfWork, record: Uuid, before: &Values) -> Result<()> {
        keep::put_changed(uow, &self.fields, record, before, &self.values).await
    }
}

impl LaidForMany {
    /// Begins with the fields that there are. They are not looked for where the workspace has none, as is known with the caller, and the
    /// request names none: a field that was made elsewhere a few seconds ago asks for nothing yet.
    pub async fn begin(
        uow: &mut UnitOfWork,
        record_type: &'static str,
        defaults: &Defaults,
        is_import: bool,
        mut given: impl Iterator<Item = bool>,
    ) -> Result<Self> {
        let are_needed = defaults.has_custom_fields || given.any(|names_some| names_some);
        let fields = if are_needed { Some(Fields::held(uow, record_type).await?) } else { None };
        let occasion = if is_import { Occasion::Import } else { Occasion::Create };
        Ok(Self { fields, occasion, references: Vec::new() })
    }

    /// The values of the record at this place of the request.
    pub fn lay(&mut self, place: usize, given: Option<&Values>, faults: &mut Faults) -> Values {
        let (at, none) = (format!("/{place}{AT}"), Values::new());
        let given = given.unwrap_or(&none);
        let Some(fields) = &self.fields else { return none };
        self.references.extend(fields.references(given, &at));
        fields.lay(&none, given, self.occasion, &at, faults)
    }

    /// Looks for the records that are named.
    pub async fn check(&self, uow: &mut UnitOfWork, faults: &mut Faults) -> Result<()> {
        check_references(uow, &self.references, faults).await
    }

    /// Fails where a value that must be unique is another record's, or two of these have it.
    pub async fn check_unique(&self, uow: &mut UnitOfWork, records: &[(Uuid, &Values)]) -> Result<()> {
        let Some(fields) = self.fields.as_ref().filter(|fields| !fields.is_empty()) else { return Ok(()) };
        let none = Values::new();
        let holders: Vec<keep::Holder<'_>> = (0..)
            .zip(records)
            .map(|(place, &(record, after)): (usize, _)| keep::Holder {
                record,
                at: format!("/{place}{AT}"),
                before: &none,
                after,
            })
            .collect();
        keep::check_unique(uow, fields, &holders).await
    }

    /// Keeps the values when the records are there.
    pub async fn put(&self, uow: &mut UnitOfWork, records: &[(Uuid, &Values)]) -> Result<()> {
        match &self.fields {
            Some(fields) => keep::put_new(uow, fields, records).await,
            None => Ok(()),
        }
    }
}

/// Leaves of some values those that are values of the fields that there are: for what is put back from elsewhere.
pub(crate) async fn keep_known(uow: &mut UnitOfWork, record_type: &'static str, values: &mut Values) -> Result<()> {
    if !values.is_empty() {
        *values = Fields::held(uow, record_type).await?.known_values(values);
    }
    Ok(())
}

/// Keeps the values of a record that was changed otherwise than by a request: merged, put back, brought back.
pub(crate) async fn settle(
    uow: &mut UnitOfWork,
    record_type: &'static str,
    record: Uuid,
    before: &Values,
    after: &Values,
) -> Result<()> {
    if before == after {
        return Ok(());
    }
    let fields = Fields::held(uow, record_type).await?;
    let holder = keep::Holder { record, at: AT.to_owned(), before, after };
    keep::check_unique(uow, &fields, &[holder]).await?;
    keep::put_changed(uow, &fields, record, before, after).await
}

/// Keeps the values of a record that is there again.
pub(crate) async fn put_again(uow: &mut UnitOfWork, record_type: &'static str, record: Uuid, values: &Values) -> Result<()> {
    let fields = Fields::held(uow, record_type).await?;
    let none = Values::new();
    let holder = keep::Holder { record, at: AT.to_owned(), before: &none, after: values };
    keep::check_unique(uow, &fields, &[holder]).await?;
    keep::put_new(uow, &fields, &[(record, values)]).await
}

/// Finds references to what is not there, or not for the caller to see.
async fn check_references(uow: &mut UnitOfWork, references: &[Reference], faults: &mut Faults) -> Result<()> {
    if references.is_empty() {
        return Ok(());
    }
    let caller = uow.caller();
    for target in [FieldTarget::Client, FieldTarget::Contact, FieldTarget::User] {
        let named: Vec<&Reference> = references.iter().filter(|reference| reference.target == target).collect();
        if named.is_empty() {
            continue;
        }
        let mut ids: Vec<Uuid> = named.iter().map(|reference| reference.id).collect();
        ids.sort_unstable();
        ids.dedup();
        let dialect = uow.dialect();
        let there = match target {
            FieldTarget::Client => seen(uow, "client", clients::visible_among(dialect, &caller, &ids)).await?,
            FieldTarget::Contact => seen(uow, "contact", contacts::visible_among(dialect, &caller, &ids)).await?,
            FieldTarget::User => members(uow, &ids).await?,
        };
        for reference in named.into_iter().filter(|reference| !there.contains(&reference.id)) {
            faults.add(reference.pointer.as_str(), "not_found", format!("there is no such {}", target.as_str()));
        }
    }
    Ok(())
}

/// The ids of those that are seen; none for whoever sees none at all.
async fn seen(conn: &mut Conn, table: &'static str, visible: Result<SelectStatement>) -> Result<HashSet<Uuid>> {
    let Ok(mut select) = visible else { return Ok(HashSet::new()) };
    select.clear_selects().column((table, "id"));
    conn.rows(&select).await?.iter().map(|row| row.get(0)).collect()
}

async fn members(uow: &mut UnitOfWork, ids: &[Uuid]) -> Result<HashSet<Uuid>> {
    let (workspace, mut found) = (uow.workspace()?, HashSet::new());
    for id in ids {
        if auth::users::is_member(uow, workspace, UserId::from_uuid(*id)).await? {
            found.insert(*id);
        }
    }
    Ok(found)
}

/// Clients, as records that have custom fields.
#[derive(Clone, Copy, Debug)]
pub struct ClientFields;

/// Contacts, as records that have custom fields.
#[derive(Clone, Copy, Debug)]
pub struct ContactFields;

#[async_trait(?Send)]
impl FieldHolder for ClientFields {
    fn list(&self) -> &'static ListSpec {
        &clients::CLIENT_LIST
    }

    fn seen_with(&self) -> &'static [Permission] {
        clients::VIEWABLE.seen_with
    }

    async fn take_off(&self, uow: &mut UnitOfWork, key: &str, records: &[Uuid]) -> Result<()> {
        let caller = uow.caller();
        let country = auth::workspaces::defaults(uow, &caller).await?.country;
        for before in clients::lock_all(uow, records).await? {
            let mut after = before.clone();
            after.custom_fields.0.remove(key);
            clients::fill_derived(&mut after, &country);
            uow.update(&before, after, Change::plain()).await?;
        }
        Ok(())
    }
}

#[async_trait(?Send)]
impl FieldHolder for ContactFields {
    fn list(&self) -> &'static ListSpec {
        &contacts::CONTACT_LIST
    }

    fn seen_with(&self) -> &'static [Permission] {
        contacts::VIEWABLE.seen_with
    }

    async fn take_off(&self, uow: &mut UnitOfWork, key: &str, records: &[Uuid]) -> Result<()> {
        let caller = uow.caller();
        let country = auth::workspaces::defaults(uow, &caller).await?.country;
        for before in contacts::lock_all(uow, records).await? {
            let mut after = before.clone();
            after.custom_fields.0.remove(key);
            contacts::fill_derived(&mut after, &country);
            uow.update(&before, after, Change::plain()).await?;
        }
        Ok(())
    }
}
