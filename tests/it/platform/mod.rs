//! What any record can have, and how a workspace shows itself, through HTTP.

mod brands;
mod settings;
