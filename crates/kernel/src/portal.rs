//! What a contact may do in the portal: permissions of their own kind, held for each client apart.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One thing that a contact may do for a client. The six of the menu open what their names say; `company_profile` lets the contact change
/// what the client says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PortalPermission {
    /// Invoices of the client.
    Invoices,
    /// Estimates.
    Estimates,
    /// Contracts.
    Contracts,
    /// Proposals.
    Proposals,
    /// Tickets.
    Support,
    /// Projects.
    Projects,
    /// The client's own record: name, numbers and addresses.
    CompanyProfile,
}

impl PortalPermission {
    /// Every permission, in the order of the menu.
    pub const ALL: [Self; 7] =
        [Self::Invoices, Self::Estimates, Self::Contracts, Self::Proposals, Self::Support, Self::Projects, Self::CompanyProfile];

    /// Its name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invoices => "invoices",
            Self::Estimates => "estimates",
            Self::Contracts => "contracts",
            Self::Proposals => "proposals",
            Self::Support => "support",
            Self::Projects => "projects",
            Self::CompanyProfile => "company_profile",
        }
    }
}

impl fmt::Display for PortalPermission {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_permission_is_named_on_the_wire_as_it_is_named_in_words() {
        for permission in PortalPermission::ALL {
            assert_eq!(serde_json::to_value(permission).unwrap(), permission.as_str());
        }
    }
}
