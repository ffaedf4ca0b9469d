//! What a domain does of the custom fields of its records, beside laying and keeping their values.
//!
//! To give records of a type custom fields: a column `custom_fields`, `custom_fields: true` in their list, a [`FieldHolder`] in
//! `api::FIELD_HOLDERS`, and the values laid and kept wherever such a record is made or changed.

use async_trait::async_trait;
use kernel::{Caller, Error, Permission, Result};
use store::UnitOfWork;
use store::list::ListSpec;
use uuid::Uuid;

/// A record type that has custom fields.
#[async_trait(?Send)]
pub trait FieldHolder: Sync {
    /// The list of its records, whose table is the type's name.
    fn list(&self) -> &'static ListSpec;
    /// Who sees its records: whoever has one of these.
    fn seen_with(&self) -> &'static [Permission];
    /// Takes the value of a field off these records, put away and merged ones with them, as a change of each.
    ///
    /// # Errors
    /// What the database says.
    async fn take_off(&self, uow: &mut UnitOfWork, key: &str, records: &[Uuid]) -> Result<()>;
}

/// All record types that have custom fields.
#[derive(Clone, Copy)]
pub struct FieldHolders(pub &'static [&'static dyn FieldHolder]);

impl std::fmt::Debug for FieldHolders {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_list().entries(self.types()).finish()
    }
}

impl FieldHolders {
    /// The names of the types.
    pub(super) fn types(self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|holder| holder.list().table)
    }

    /// A type by its name.
    pub(super) fn find(self, record_type: &str) -> Option<&'static dyn FieldHolder> {
        self.0.iter().copied().find(|holder| holder.list().table == record_type)
    }

    /// The type of a field that there is.
    pub(super) fn of(self, record_type: &str) -> Result<&'static dyn FieldHolder> {
        self.find(record_type).ok_or_else(|| Error::internal("a custom field of no record type"))
    }

    /// The names of the types that the caller sees.
    pub(super) fn seen(self, caller: &Caller) -> impl Iterator<Item = &'static str> {
        self.0.iter().filter(|holder| caller.require_any(holder.seen_with()).is_ok()).map(|holder| holder.list().table)
    }
}
