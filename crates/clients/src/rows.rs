//! The tables of this crate. A row never leaves it.

use kernel::{Currency, DateTime, UserId};
use platform::brands::BrandId;
use store::Json;

use crate::shape::{Address, TypedEmail, TypedPhone};

kernel::typed_id! {
    /// Names a client.
    pub ClientId
}
kernel::typed_id! {
    /// Names a contact.
    pub ContactId
}
kernel::typed_id! {
    /// Names a contact's belonging to a client.
    pub ClientContactId
}
store::id_fields!(ClientId, ContactId, ClientContactId);

store::text_enum! {
    /// What sort of client it is.
    pub enum ClientKind {
        /// A company.
        Company = "company",
        /// A person.
        Person = "person",
    }
}

store::text_enum! {
    /// Whether business goes on.
    pub enum ClientStatus {
        /// It does.
        Active = "active",
        /// It does not.
        Inactive = "inactive",
    }
}

store::text_enum! {
    /// What an organisation is to us; several at once.
    pub enum ClientRole {
        /// Buys from us.
        Customer = "customer",
        /// May buy from us.
        Prospect = "prospect",
        /// We sell for it.
        Principal = "principal",
        /// Sells for a principal.
        Distributor = "distributor",
        /// We buy from it.
        Vendor = "vendor",
        /// Works with us.
        Partner = "partner",
    }
}

store::text_enum! {
    /// Mails of the client's business that a contact gets.
    pub enum ContactMail {
        /// Invoices and what reminds of them.
        Invoices = "invoices",
        /// Estimates.
        Estimates = "estimates",
        /// Credit notes.
        CreditNotes = "credit_notes",
        /// Contracts.
        Contracts = "contracts",
        /// Tasks that are shown to the client.
        Tasks = "tasks",
        /// Projects.
        Projects = "projects",
        /// Tickets.
        Tickets = "tickets",
    }
}

impl ContactMail {
    /// All of them, which a contact gets unless somebody says otherwise.
    pub const ALL: [Self; 7] =
        [Self::Invoices, Self::Estimates, Self::CreditNotes, Self::Contracts, Self::Tasks, Self::Projects, Self::Tickets];

    /// These, each once, in one order.
    pub(crate) fn in_order(given: &[Self]) -> Vec<Self> {
        Self::ALL.into_iter().filter(|mail| given.contains(mail)).collect()
    }
}

store::text_enum! {
    /// How the client came to us.
    pub enum ClientSource {
        /// Through the website.
        Website = "website",
        /// Written down by hand.
        Manual = "manual",
        /// Somebody sent it.
        Referral = "referral",
        /// Through a broker.
        Broker = "broker",
        /// At an event.
        Event = "event",
        /// Otherwise.
        Other = "other",
    }
}

store::text_enum! {
    /// How near a sale is.
    pub enum LeadCategory {
        /// Near.
        Hot = "hot",
        /// Not far.
        Warm = "warm",
        /// Far.
        Cold = "cold",
        /// Asleep.
        Dormant = "dormant",
    }
}

store::text_enum! {
    /// How much a contact has to say at a client.
    pub enum Influence {
        /// Decides.
        DecisionMaker = "decision_maker",
        /// Is listened to.
        Influencer = "influencer",
        /// Works with it.
        User = "user",
        /// Stands in the way.
        Blocker = "blocker",
        /// Not known.
        Unknown = "unknown",
    }
}

store::record! {
    pub(crate) struct ClientRow in "client" of workspace {
        id: ClientId;
        kind: ClientKind,
        name: String => Personal,
        name_key: String => Derived,
        legal_name: Option<String> => Personal,
        tax_number: Option<String> => Personal,
        website: Option<String> => Personal,
        email_key: Option<String> => Derived,
        phone: Option<String> => Personal,
        emails: Json<Vec<TypedEmail>> => Personal,
        phones: Json<Vec<TypedPhone>> => Personal,
        main_address: Option<Json<Address>> => Personal,
        billing_address: Option<Json<Address>> => Personal,
        shipping_address: Option<Json<Address>> => Personal,
        country: Option<String> => Derived,
        sector: Option<String>,
        size: Option<String>,
        product: Option<String>,
        currency: Currency,
        locale: String,
        brand_id: Option<BrandId>,
        status: ClientStatus,
        roles: Json<Vec<ClientRole>>,
        parent_id: Option<ClientId>,
        owner_id: Option<UserId>,
        created_by: Option<UserId>,
        acquisition_stage: Option<String>,
        source: Option<ClientSource>,
        lead_category: Option<LeadCategory>,
        external_source: Option<String>,
        // an address may stand in it, where an import had nothing better
        external_id: Option<String> => Personal,
        custom_fields: Json<serde_json::Map<String, serde_json::Value>> => Personal,
        archived_at: Option<DateTime>,
        merged_into_id: Option<ClientId>,
        search_text: String => Derived,
    }
}

store::record! {
    pub(crate) struct ContactRow in "contact" of workspace {
        id: ContactId;
        given_name: String => Personal,
        family_name: String => Personal,
        name_key: String => Derived,
        email_key: Option<String> => Derived,
        phone: Option<String> => Personal,
        emails: Json<Vec<TypedEmail>> => Personal,
        phones: Json<Vec<TypedPhone>> => Personal,
        position: Option<String> => Personal,
        locale: String,
        mails: Json<Vec<ContactMail>>,
        created_by: Option<UserId>,
        external_source: Option<String>,
        // an address may stand in it, where an import had nothing better
        external_id: Option<String> => Personal,
        custom_fields: Json<serde_json::Map<String, serde_json::Value>> => Personal,
        archived_at: Option<DateTime>,
        search_text: String => Derived,
    }
}

store::record! {
    pub(crate) struct ClientContactRow in "client_contact" of workspace {
        id: ClientContactId;
        client_id: ClientId,
        contact_id: ContactId,
        role: Option<String>,
        is_primary: bool,
        influence: Influence,
        since: Option<chrono::NaiveDate>,
        until: Option<chrono::NaiveDate>,
    }
}
