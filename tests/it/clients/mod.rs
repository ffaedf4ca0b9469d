//! Clients and contacts, through HTTP.

mod brand;
mod contact_mails;
mod create_client;
mod duplicates;
mod export;
mod foreign;
mod groups_and_admins;
mod import;
mod interactions;
mod lifecycle;
mod links;
mod list;
mod merge;
mod merge_moves;
mod notes_and_tags;
mod parents;
mod phones;
mod privacy;
mod relationships;
mod saved_views;
mod scope;
mod stages;
mod tag_merge;
mod timeline;
mod transfer;
