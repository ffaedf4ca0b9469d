//! `pelatis openapi`.

use super::say;

pub(super) fn print() -> kernel::Result<()> {
    say(api::openapi::text(&api::routes::registry())?.trim_end());
    Ok(())
}
