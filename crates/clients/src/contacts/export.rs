//! All contacts of a list as a table.

use std::borrow::Cow;

use kernel::{Caller, Permission, Result};
use platform::export::{Column, Export, moment, or_empty, several};
use serde_json::{Map, Value};
use store::Conn;
use store::list::{ListSpec, Whole};

use super::list::{CONTACT_LIST, list_whole};
use super::wire::Contact;
use crate::shape::{addresses, numbers};

/// Contacts, to be exported.
#[derive(Clone, Copy, Debug)]
pub struct ContactExport;

impl Export for ContactExport {
    type Record = Contact;
    const STARTED: &'static str = "contact.export_started";

    fn list() -> &'static ListSpec {
        &CONTACT_LIST
    }

    fn columns() -> &'static [Column<Contact>] {
        COLUMNS
    }

    fn custom_fields(contact: &Contact) -> &Map<String, Value> {
        &contact.custom_fields
    }

    async fn batch(conn: &mut Conn, caller: &Caller, list: &mut Whole) -> Result<Vec<Contact>> {
        caller.require(Permission::ClientsExport)?;
        list_whole(conn, caller, list).await
    }
}

const fn column(name: &'static str, cell: fn(&Contact) -> Cow<'_, str>) -> Column<Contact> {
    Column { name, cell }
}

static COLUMNS: &[Column<Contact>] = &[
    column("id", |contact| contact.id.to_string().into()),
    column("given_name", |contact| contact.given_name.as_str().into()),
    column("family_name", |contact| contact.family_name.as_str().into()),
    column("phone", |contact| or_empty(contact.phone.as_deref())),
    column("emails", |contact| addresses(&contact.emails)),
    column("phones", |contact| numbers(&contact.phones)),
    column("position", |contact| or_empty(contact.position.as_deref())),
    column("locale", |contact| contact.locale.as_str().into()),
    column("mails", |contact| several(contact.mails.iter().map(|mail| mail.as_str()))),
    column("created_by", |contact| contact.created_by.map(|id| id.to_string()).unwrap_or_default().into()),
    column("external_source", |contact| or_empty(contact.external_source.as_deref())),
    column("external_id", |contact| or_empty(contact.external_id.as_deref())),
    column("archived_at", |contact| contact.archived_at.map(moment).unwrap_or_default()),
    column("created_at", |contact| moment(contact.created_at)),
    column("updated_at", |contact| moment(contact.updated_at)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_are_the_members_of_the_list() {
        let columns: Vec<&str> = COLUMNS.iter().map(|column| column.name).collect();
        let members: Vec<&str> = CONTACT_LIST.members.iter().copied().filter(|member| *member != "custom_fields").collect();
        assert_eq!(columns, members);
    }
}
