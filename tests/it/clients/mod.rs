//! Clients and contacts, through HTTP.

mod create_client;
