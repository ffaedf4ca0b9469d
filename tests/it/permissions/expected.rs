//! What the permission table and the row scope say of a call.

use ::api::access::{Access, Operation};
use kernel::{Permission, PermissionSet};

use super::callers::Holds;
use super::requests::{Ask, Target};

/// What the gate says; none where it lets the caller through.
pub(crate) fn gate(operation: &Operation, holds: &Holds) -> Option<u16> {
    let allowed = |permissions: &PermissionSet| match operation.access {
        Access::Public | Access::SignedIn | Access::Member => true,
        Access::SuperAdmin | Access::Contact | Access::Portal(_) => false,
        Access::AnyOf(list) => list.iter().any(|permission| permissions.contains(*permission)),
        Access::AllOf(list) => list.iter().all(|permission| permissions.contains(*permission)),
    };
    match (operation.access, holds) {
        (Access::Public | Access::Contact, Holds::Contact(_)) => None,
        (Access::Portal(permission), Holds::Contact(permissions)) => (!permissions.contains(&permission)).then_some(403),
        (_, Holds::Contact(_)) => Some(403),
        (Access::Contact | Access::Portal(_), Holds::SuperAdmin) => Some(403),
        (Access::Public, _) | (_, Holds::SuperAdmin) => None,
        (_, Holds::Nothing) => Some(401),
        (_, Holds::ForbiddenNetwork) => Some(403),
        (_, Holds::Elsewhere) => Some(404),
        (Access::SignedIn, _) => None,
        (_, Holds::NoWorkspace) => Some(403),
        (_, Holds::Permissions(permissions)) => (!allowed(permissions)).then_some(403),
    }
}

/// What becomes of a call that the gate let through, given what it is answered when nothing is in its way.
pub(crate) fn scope(ask: &Ask, target: Target, holds: &Holds, is_token: bool, success: u16) -> u16 {
    if ask.by_people && is_token {
        return 403;
    }
    if ask.of_views {
        return if target == Target::Own && !is_token { success } else { ask.missing };
    }
    if ask.of_sessions {
        return match target {
            _ if is_token => 403,
            Target::Colleagues | Target::Elsewhere => ask.missing,
            _ => success,
        };
    }
    if ask.by_maker && target == Target::Colleagues && matches!(holds, Holds::SuperAdmin) {
        return 403;
    }
    let permissions = match holds {
        Holds::Permissions(permissions) => permissions,
        // what is in another workspace is looked for there, by whoever may
        Holds::SuperAdmin if target == Target::Elsewhere && (ask.changes || !ask.of_workspaces) => return ask.missing,
        _ => return success,
    };
    let holds = |permission| permissions.contains(permission);
    match target {
        Target::None | Target::Here | Target::Below => success,
        Target::Elsewhere => ask.missing,
        // nobody changes one who may more than they may; everybody who manages users may look
        Target::Above if ask.changes && *permissions != PermissionSet::all() => 403,
        Target::Above => success,
        Target::Colleagues if ask.by_maker && holds(Permission::AdminManageTokens) => 403,
        Target::Own | Target::Colleagues if ask.of_tokens => {
            if target == Target::Own || holds(Permission::AdminManageTokens) {
                success
            } else {
                404
            }
        }
        // the caller leads its own; a token leads none
        Target::Own | Target::Colleagues if ask.of_teams => {
            let sees = holds(Permission::AdminManageUsers) || (target == Target::Own && !is_token);
            if sees { success } else { 404 }
        }
        Target::Own | Target::Colleagues if ask.of_files => {
            let own = target == Target::Own && holds(Permission::ClientsViewOwn);
            match (own || holds(Permission::ClientsViewAll), ask.changes) {
                (false, _) => ask.missing,
                (true, true) if !holds(Permission::ClientsEdit) => 403,
                (true, _) => success,
            }
        }
        Target::Own | Target::Colleagues => {
            let (all, own) = (holds(Permission::ClientsViewAll), holds(Permission::ClientsViewOwn));
            match target {
                _ if ask.of_contacts && !holds(Permission::ContactsView) => 403,
                _ if all => success,
                Target::Own if own => success,
                _ if own || ask.of_contacts => ask.missing,
                _ => 403,
            }
        }
    }
}
