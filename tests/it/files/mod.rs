//! Files, through HTTP.

mod cleanup;
mod download;
mod folders;
mod links;
mod records;
pub(crate) mod s3;
pub(crate) mod samples;
mod scanner;
mod slow_readers;
mod storage;
mod thumbnails;
mod types;
pub(crate) mod upload;
