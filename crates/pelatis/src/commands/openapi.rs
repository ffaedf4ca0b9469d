//! `pelatis openapi`.

use super::say;

pub(super) fn print() {
    let document = api::openapi::document(&api::routes::registry());
    say(api::openapi::text(&document).trim_end());
}
