//! All clients of a list as a table.

use std::borrow::Cow;

use kernel::{Caller, Permission, Result};
use platform::export::{Column, Export, moment, or_empty, several};
use serde_json::{Map, Value};
use store::Conn;
use store::list::{ListSpec, Whole};

use super::list::{CLIENT_LIST, list_whole};
use super::wire::Client;
use crate::shape::{addresses, numbers, one_line};

/// Clients, to be exported.
#[derive(Clone, Copy, Debug)]
pub struct ClientExport;

impl Export for ClientExport {
    type Record = Client;
    const STARTED: &'static str = "client.export_started";

    fn list() -> &'static ListSpec {
        &CLIENT_LIST
    }

    fn columns() -> &'static [Column<Client>] {
        COLUMNS
    }

    fn custom_fields(client: &Client) -> &Map<String, Value> {
        &client.custom_fields
    }

    async fn batch(conn: &mut Conn, caller: &Caller, list: &mut Whole) -> Result<Vec<Client>> {
        caller.require(Permission::ClientsExport)?;
        list_whole(conn, caller, list).await
    }
}

const fn column(name: &'static str, cell: fn(&Client) -> Cow<'_, str>) -> Column<Client> {
    Column { name, cell }
}

static COLUMNS: &[Column<Client>] = &[
    column("id", |client| client.id.to_string().into()),
    column("kind", |client| client.kind.as_str().into()),
    column("name", |client| client.name.as_str().into()),
    column("legal_name", |client| or_empty(client.legal_name.as_deref())),
    column("tax_number", |client| or_empty(client.tax_number.as_deref())),
    column("website", |client| or_empty(client.website.as_deref())),
    column("phone", |client| or_empty(client.phone.as_deref())),
    column("emails", |client| addresses(&client.emails)),
    column("phones", |client| numbers(&client.phones)),
    column("main_address", |client| one_line(client.main_address.as_ref())),
    column("billing_address", |client| one_line(client.billing_address.as_ref())),
    column("shipping_address", |client| one_line(client.shipping_address.as_ref())),
    column("sector", |client| or_empty(client.sector.as_deref())),
    column("size", |client| or_empty(client.size.as_deref())),
    column("product", |client| or_empty(client.product.as_deref())),
    column("currency", |client| client.currency.code().into()),
    column("locale", |client| client.locale.as_str().into()),
    column("brand_id", |client| client.brand_id.map(|id| id.to_string()).unwrap_or_default().into()),
    column("status", |client| client.status.as_str().into()),
    column("roles", |client| several(client.roles.iter().map(|role| role.as_str()))),
    column("parent_id", |client| client.parent_id.map(|id| id.to_string()).unwrap_or_default().into()),
    column("owner_id", |client| client.owner_id.map(|id| id.to_string()).unwrap_or_default().into()),
    column("created_by", |client| client.created_by.map(|id| id.to_string()).unwrap_or_default().into()),
    column("acquisition_stage", |client| or_empty(client.acquisition_stage.as_deref())),
    column("source", |client| or_empty(client.source.map(|source| source.as_str()))),
    column("lead_category", |client| or_empty(client.lead_category.map(|category| category.as_str()))),
    column("external_source", |client| or_empty(client.external_source.as_deref())),
    column("external_id", |client| or_empty(client.external_id.as_deref())),
    column("archived_at", |client| client.archived_at.map(moment).unwrap_or_default()),
    column("created_at", |client| moment(client.created_at)),
    column("updated_at", |client| moment(client.updated_at)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_are_the_members_of_the_list() {
        let columns: Vec<&str> = COLUMNS.iter().map(|column| column.name).collect();
        let members: Vec<&str> = CLIENT_LIST.members.iter().copied().filter(|member| *member != "custom_fields").collect();
        assert_eq!(columns, members);
    }
}
