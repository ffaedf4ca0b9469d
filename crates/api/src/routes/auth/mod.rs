//! Who may come in: `/v1/setup`, `/v1/auth`, `/v1/me`, workspaces, users, roles, memberships, invitations, tokens.

mod invitations;
mod me;
mod memberships;
mod sessions;
mod tokens;
mod users;
mod workspaces;

use crate::registry::Registry;

pub(super) fn register(registry: &mut Registry) {
    sessions::register(registry);
    me::register(registry);
    workspaces::register(registry);
    users::register(registry);
    memberships::register(registry);
    invitations::register(registry);
    tokens::register(registry);
}
