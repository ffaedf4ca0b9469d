//! A client's page at a glance: eleven counts and what is owed, in one statement.

use clients::ClientId;
use kernel::{Caller, Error, Permission, Result, TypedId as _};
use serde::{Deserialize, Serialize};
use store::Conn;
use store::query::{Asterisk, Expr, ExprTrait, Func, Query, SelectStatement, SimpleExpr};
use utoipa::ToSchema;

/// How much there is of everything that hangs on a client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SummaryCounts {
    /// Contacts.
    pub contacts: i64,
    /// Tickets that are not closed.
    pub open_tickets: i64,
    /// Tickets.
    pub tickets: i64,
    /// Projects.
    pub projects: i64,
    /// Tasks that are not complete.
    pub open_tasks: i64,
    /// Invoices.
    pub invoices: i64,
    /// Estimates.
    pub estimates: i64,
    /// Proposals.
    pub proposals: i64,
    /// Contracts.
    pub contracts: i64,
    /// Files.
    pub files: i64,
    /// Notes.
    pub notes: i64,
}

/// What was invoiced in one currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InvoiceTotals {
    /// The currency.
    pub currency: String,
    /// What was invoiced.
    #[schema(value_type = kernel::money::MoneyText)]
    pub total: kernel::Money,
    /// What was paid of it.
    #[schema(value_type = kernel::money::MoneyText)]
    pub paid: kernel::Money,
    /// What is due.
    #[schema(value_type = kernel::money::MoneyText)]
    pub due: kernel::Money,
    /// What of that is overdue.
    #[schema(value_type = kernel::money::MoneyText)]
    pub overdue: kernel::Money,
    /// What was credited.
    #[schema(value_type = kernel::money::MoneyText)]
    pub credits: kernel::Money,
}

/// A client's page at a glance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClientSummary {
    /// How much there is of everything.
    pub counts: SummaryCounts,
    /// What was invoiced, by currency.
    pub invoices: Vec<InvoiceTotals>,
}

fn count(table: &'static str, of_client: SimpleExpr) -> SelectStatement {
    let mut select = Query::select();
    select.expr(Func::count(Expr::col(Asterisk))).from(table).and_where(of_client);
    select
}

/// A client's page at a glance. Domains that are not there yet count nothing; each adds its count here when it comes.
///
/// # Errors
/// `forbidden` without `clients.view_all` or `clients.view_own`; `not_found`.
pub async fn client_summary(conn: &mut Conn, caller: &Caller, id: ClientId) -> Result<ClientSummary> {
    let client = id.uuid();
    let mut contacts = count("client_contact", Expr::col(("client_contact", "client_id")).eq(client));
    contacts
        .inner_join("contact", Expr::col(("contact", "id")).eq(Expr::col(("client_contact", "contact_id"))))
        .and_where(Expr::col(("contact", "archived_at")).is_null());
    if !caller.can(Permission::ContactsView) {
        // as the lists show it, which show none
        contacts.and_where(Expr::value(false));
    }
    let workspace = caller.workspace()?.uuid();
    let hangs_on_it = |table| {
        let of_client = Expr::col("rel_id").eq(client).and(Expr::col("archived_at").is_null());
        count(table, of_client.and(Expr::col("workspace_id").eq(workspace)))
    };
    let (notes, files) = (hangs_on_it("note"), hangs_on_it("file"));
    let mut select = clients::clients::select_visible(caller, id)?;
    for counted in [contacts, notes, files] {
        select.expr(Expr::SubQuery(None, Box::new(counted.into())));
    }
    let row = conn.row(&select).await?.ok_or_else(Error::not_found)?;
    let counts = SummaryCounts { contacts: row.get(1)?, notes: row.get(2)?, files: row.get(3)?, ..SummaryCounts::default() };
    Ok(ClientSummary { counts, invoices: Vec::new() })
}
