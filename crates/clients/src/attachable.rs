//! Files on clients and contacts follow them: whoever may see the record may see them, whoever may edit it may change them.

use files::{Attachable, Seen};
use kernel::{Caller, Permission, Result, TypedId as _};
use store::UnitOfWork;
use store::query::SelectStatement;

use crate::rows::{ClientId, ContactId};
use crate::{clients, contacts};

/// The records of this crate that files can be on.
pub static ATTACHABLES: [Attachable; 2] = [
    Attachable {
        rel_type: CLIENT,
        plural: "clients",
        added: "client.file_added",
        only_pictures: false,
        visible: |caller| Ok(seen(caller, clients::visible_to(caller)?, CLIENT)),
        editable: |uow, id| Box::pin(client_editable(uow, ClientId::from_uuid(id))),
    },
    Attachable {
        rel_type: CONTACT,
        plural: "contacts",
        added: "contact.file_added",
        only_pictures: false,
        visible: |caller| Ok(seen(caller, contacts::visible_to(caller)?, CONTACT)),
        editable: |uow, id| Box::pin(contact_editable(uow, ContactId::from_uuid(id))),
    },
];

pub(crate) const CLIENT: &str = "client";
pub(crate) const CONTACT: &str = "contact";

/// Whoever sees all clients sees all contacts too, if they see any.
fn seen(caller: &Caller, mut visible: SelectStatement, table: &'static str) -> Seen {
    if caller.can(Permission::ClientsViewAll) {
        return Seen::All;
    }
    visible.clear_selects().column((table, "id"));
    Seen::These(Box::new(visible))
}

async fn client_editable(uow: &mut UnitOfWork, id: ClientId) -> Result<()> {
    uow.caller().require(Permission::ClientsEdit)?;
    clients::find_editable(uow, id).await.map(|_| ())
}

async fn contact_editable(uow: &mut UnitOfWork, id: ContactId) -> Result<()> {
    uow.caller().require(Permission::ContactsEdit)?;
    contacts::find_editable(uow, id).await.map(|_| ())
}
