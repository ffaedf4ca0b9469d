//! Clients and contacts, through HTTP.

mod create_client;
mod foreign;
mod groups_and_admins;
mod import;
mod interactions;
mod lifecycle;
mod links;
mod list;
mod notes_and_tags;
mod parents;
mod relationships;
mod scope;
mod timeline;
mod transfer;
