//! The handlers, by domain and resource. To find one from its URL: `/v1/clients/{client_id}/notes` is `clients/notes.rs`.

mod admin;
mod auth;
mod clients;
mod files;
mod mail;
mod meta;
mod platform;
mod portal;

use crate::registry::Registry;

/// Everything that is served.
pub fn registry() -> Registry {
    let mut registry = Registry::default();
    meta::register(&mut registry);
    auth::register(&mut registry);
    platform::register(&mut registry);
    files::register(&mut registry);
    clients::register(&mut registry);
    portal::register(&mut registry);
    mail::register(&mut registry);
    admin::register(&mut registry);
    registry
}

/// Names the page of a list in the OpenAPI document.
macro_rules! page_schema {
    ($(#[$doc:meta])* $name:ident of $record:ty) => {
        $(#[$doc])*
        #[derive(utoipa::ToSchema)]
        #[expect(dead_code, reason = "it names the shape of kernel::Page in the document")]
        pub(crate) struct $name {
            /// The records, in the order that was asked for.
            data: Vec<$record>,
            /// Where the list goes on.
            page: kernel::PageInfo,
        }
    };
}
pub(crate) use page_schema;
