//! Who may come in: `/v1/setup`, `/v1/auth`, `/v1/me`, workspaces, users, roles, teams, memberships, invitations,
//! tokens.

mod colleagues;
pub(super) mod devices;
mod invitations;
mod me;
mod memberships;
mod roles;
mod second_factor;
pub(super) mod sessions;
mod settings;
mod teams;
mod tokens;
mod users;
mod workspaces;

use crate::registry::Registry;

pub(super) fn register(registry: &mut Registry) {
    sessions::register(registry);
    second_factor::register(registry);
    devices::register(registry);
    me::register(registry);
    workspaces::register(registry);
    settings::register(registry);
    users::register(registry);
    colleagues::register(registry);
    roles::register(registry);
    memberships::register(registry);
    invitations::register(registry);
    teams::register(registry);
    tokens::register(registry);
}
