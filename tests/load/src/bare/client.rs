//! The row, with the same columns, types and members as ours.

use chrono::{DateTime, Utc};
use kernel::Runtime;
use serde::{Deserialize, Serialize};
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::types::Json;
use sqlx::{FromRow, Postgres, Row as _, Sqlite};
use uuid::Uuid;

/// An e-mail address.
#[derive(Deserialize, Serialize)]
pub(super) struct Email {
    kind: String,
    address: String,
}

/// A phone.
#[derive(Deserialize, Serialize)]
pub(super) struct Phone {
    kind: String,
    number: String,
}

/// A postal address.
#[derive(Deserialize, Serialize)]
pub(super) struct Address {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    line1: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    line2: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    city: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    region: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    postal_code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    country: Option<String>,
}

/// Declares the row once, so that reading and writing agree on the order of its columns.
macro_rules! row {
    ($(#[$doc:meta])* $vis:vis struct $name:ident { $($(#[$attribute:meta])* $field:ident: $type:ty,)+ }) => {
        $(#[$doc])*
        $vis struct $name { $($(#[$attribute])* $field: $type,)+ }

        impl $name {
            pub const COLUMNS: &'static [&'static str] = &[$(stringify!($field)),+];

            pub fn insert_sqlite(&self, sql: &'static str) -> Query<'_, Sqlite, SqliteArguments> {
                sqlx::query(sql)$(.bind(&self.$field))+
            }

            pub fn insert_postgres(&self, sql: &'static str) -> Query<'_, Postgres, PgArguments> {
                sqlx::query(sql)$(.bind(&self.$field))+
            }
        }

        row!(@read $name SqliteRow $($field)+);
        row!(@read $name PgRow $($field)+);
    };
    (@read $name:ident $row:ident $($field:ident)+) => {
        impl FromRow<'_, $row> for $name {
            fn from_row(row: &$row) -> sqlx::Result<Self> {
                let mut at = 0;
                let mut next = || { at += 1; at - 1 };
                Ok(Self { $($field: row.try_get(next())?,)+ })
            }
        }
    };
}

row! {
    /// A client.
    #[derive(Serialize)]
    pub(super) struct Client {
        id: Uuid,
        #[serde(skip)]
        workspace_id: Uuid,
        kind: String,
        name: String,
        #[serde(skip)]
        name_key: String,
        legal_name: Option<String>,
        tax_number: Option<String>,
        website: Option<String>,
        #[serde(skip)]
        email_key: Option<String>,
        phone: Option<String>,
        emails: Json<Vec<Email>>,
        phones: Json<Vec<Phone>>,
        main_address: Option<Json<Address>>,
        billing_address: Option<Json<Address>>,
        shipping_address: Option<Json<Address>>,
        #[serde(skip)]
        country: Option<String>,
        sector: Option<String>,
        size: Option<String>,
        product: Option<String>,
        currency: String,
        locale: String,
        brand_id: Option<Uuid>,
        status: String,
        roles: Json<Vec<String>>,
        parent_id: Option<Uuid>,
        owner_id: Option<Uuid>,
        created_by: Option<Uuid>,
        acquisition_stage: Option<String>,
        source: Option<String>,
        lead_category: Option<String>,
        external_source: Option<String>,
        external_id: Option<String>,
        custom_fields: Json<serde_json::Map<String, serde_json::Value>>,
        archived_at: Option<DateTime<Utc>>,
        #[serde(skip)]
        search_text: String,
        #[serde(skip)]
        version: i64,
        created_at: DateTime<Utc>,
        updated_at: DateTime<Utc>,
    }
}

/// A new client: what ours is sent, and what ours derives from it.
#[derive(Deserialize)]
pub(super) struct NewClient {
    kind: String,
    name: String,
    legal_name: Option<String>,
    tax_number: Option<String>,
    website: Option<String>,
    phone: Option<String>,
    emails: Vec<Email>,
    main_address: Option<Address>,
    sector: Option<String>,
    size: Option<String>,
    roles: Vec<String>,
    acquisition_stage: Option<String>,
    source: Option<String>,
    lead_category: Option<String>,
    name_key: String,
    email_key: Option<String>,
    country: Option<String>,
    search_text: String,
}

impl NewClient {
    /// The row.
    pub fn into_client(self, workspace: Uuid, user: Uuid) -> Client {
        let runtime = Runtime::system();
        let now = runtime.now();
        Client {
            id: runtime.uuid(),
            workspace_id: workspace,
            kind: self.kind,
            name: self.name,
            name_key: self.name_key,
            legal_name: self.legal_name,
            tax_number: self.tax_number,
            website: self.website,
            email_key: self.email_key,
            phone: self.phone,
            emails: Json(self.emails),
            phones: Json(Vec::new()),
            main_address: self.main_address.map(Json),
            billing_address: None,
            shipping_address: None,
            country: self.country,
            sector: self.sector,
            size: self.size,
            product: None,
            currency: "EUR".to_owned(),
            locale: "el".to_owned(),
            brand_id: None,
            status: "active".to_owned(),
            roles: Json(self.roles),
            parent_id: None,
            owner_id: None,
            created_by: Some(user),
            acquisition_stage: self.acquisition_stage,
            source: self.source,
            lead_category: self.lead_category,
            external_source: None,
            external_id: None,
            custom_fields: Json(serde_json::Map::new()),
            archived_at: None,
            search_text: self.search_text,
            version: 1,
            created_at: now,
            updated_at: now,
        }
    }
}
