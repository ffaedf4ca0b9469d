//! Contacts in the portal: who of them is invited and what they may do for which client, as staff see to it; and what contacts see and
//! change there themselves. How they sign in is [`auth::portal`]'s.

mod company;
mod me;
mod staff;

pub use company::{CompanyProfile, CompanyProfilePatch, profile, update_profile};
pub use me::{PortalContact, PortalMe, PortalMyClient, PortalWorkspace, SwitchClient, begins_at, choose_client, me};
pub use staff::{
    ContactPortal, ContactPortalPatch, InviteToPortal, PortalClient, PortalClientInput, get, invite, set_client, update,
};
