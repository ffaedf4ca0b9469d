//! Clients and contacts, through HTTP.

mod create_client;
mod export;
mod foreign;
mod import;
mod lifecycle;
mod links;
mod list;
mod notes_and_tags;
mod parents;
mod saved_views;
mod scope;
mod tag_merge;
