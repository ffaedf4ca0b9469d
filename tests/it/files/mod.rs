//! Files, through HTTP.

mod cleanup;
mod download;
mod folders;
mod links;
mod records;
mod s3;
mod samples;
mod scanner;
mod slow_readers;
mod storage;
mod types;
mod upload;
