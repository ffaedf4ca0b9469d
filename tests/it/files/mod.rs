//! Files, through HTTP.

mod download;
mod folders;
mod links;
mod records;
mod samples;
mod types;
mod upload;
