//! The tests that stand above the crates: one binary, because every further one would be linked against everything again.

// the lints know this for test code only when it is said
#![cfg(test)]

mod api;
mod architecture;
mod auth;
mod backup;
mod binary;
mod clients;
mod custom_fields;
mod faults;
mod files;
mod imports;
mod jobs;
mod logs;
mod mail;
mod openapi;
mod permissions;
mod platform;
mod redis;
mod store;
