//! What can go wrong in signing in and in managing who may.

kernel::error_codes! {
    /// The address or the password is wrong, or the account is not active: which one is not said.
    INVALID_CREDENTIALS = "invalid_credentials", Unauthenticated, "The address or the password is wrong";
    /// Too many failed attempts for this account from this address.
    LOCKED_OUT = "locked_out", RateLimited, "Too many failed attempts";
    /// The caller is signed in on no session: an API token has none to end.
    NO_SESSION = "no_session", Conflict, "There is no session to end";
    /// It belongs to one who is signed in, and an API token is not.
    SIGN_IN_NEEDED = "sign_in_needed", Forbidden, "This is for one who is signed in";
    /// The refresh token is unknown, used, expired or revoked.
    INVALID_REFRESH_TOKEN = "invalid_refresh_token", Unauthenticated, "The refresh token is no longer good";
    /// A refresh token was used a second time: its session is ended, because one of the two users stole it.
    REFRESH_TOKEN_REUSED = "refresh_token_reused", Unauthenticated, "The refresh token was used before; the session is ended";
    /// The set-up code is wrong.
    INVALID_SETUP_CODE = "invalid_setup_code", Forbidden, "The set-up code is wrong";
    /// The installation has its first administrator already.
    SETUP_DONE = "setup_done", Conflict, "The installation is set up already";
    /// The invitation is unknown, used, revoked or expired.
    INVALID_INVITATION = "invalid_invitation", Conflict, "The invitation is no longer good";
    /// The token to set a new password with is unknown, used, replaced by a newer one or expired.
    INVALID_RESET_TOKEN = "invalid_reset_token", Conflict, "The token is no longer good";
    /// The person is a member of the workspace already.
    ALREADY_MEMBER = "already_member", Conflict, "The person is a member already";
    /// Another account signs in with the address.
    ADDRESS_TAKEN = "address_taken", Conflict, "Another account signs in with the address";
    /// An invitation for this address waits already.
    ALREADY_INVITED = "already_invited", Conflict, "The person is invited already";
    /// The last super admin of a workspace must stay one.
    LAST_SUPER_ADMIN = "last_super_admin", Conflict, "The last super admin cannot be removed or demoted";
    /// The account belongs to other workspaces too, so only a super admin of the installation may switch it off.
    SHARED_ACCOUNT = "shared_account", Forbidden, "The account belongs to other workspaces too";
    /// The slug belongs to another workspace.
    SLUG_TAKEN = "slug_taken", Conflict, "The slug is taken";
    /// More passwords wait to be checked than the server will hold.
    SIGN_IN_BUSY = "sign_in_busy", Unavailable, "Too many people sign in at once";
    /// The request comes from a network that the token is not allowed from.
    NETWORK_NOT_ALLOWED = "network_not_allowed", Forbidden, "The token is not allowed from this network";
    /// The token was switched off or has expired.
    TOKEN_ENDED = "token_ended", Conflict, "The token has ended";
    /// A token acts as its maker: its secret is for nobody else.
    TOKEN_OF_ANOTHER = "token_of_another", Forbidden, "The token is somebody else's";
    /// A role can be given only by one who has all that it allows.
    ROLE_TOO_HIGH = "role_too_high", Forbidden, "The role allows more than you may give";
    /// The role came with the installation, or is the workspace's own where an override was meant.
    ROLE_IS_FIXED = "role_is_fixed", Conflict, "The role cannot be changed in this way";
    /// The key belongs to another role of the workspace, or of the installation.
    ROLE_KEY_TAKEN = "role_key_taken", Conflict, "The key is taken";
    /// Members have the role, or somebody is invited to it.
    ROLE_IN_USE = "role_in_use", Conflict, "The role is still in use";
    /// The password is right, and the account takes a code besides: send the same once more with `code`.
    SECOND_FACTOR_REQUIRED = "second_factor_required", Unauthenticated, "A code of the authenticator app is needed";
    /// The code is wrong, too old, or was used.
    INVALID_SECOND_FACTOR = "invalid_second_factor", Unauthenticated, "The code is wrong or was used";
    /// There is a second factor already.
    SECOND_FACTOR_ON = "second_factor_on", Conflict, "There is a second factor already";
    /// There is no second factor.
    SECOND_FACTOR_OFF = "second_factor_off", Conflict, "There is no second factor";
    /// Nobody takes their own second factor by the right to manage users: it is switched off with the password and a code.
    OWN_SECOND_FACTOR = "own_second_factor", Conflict, "Your own second factor is switched off with your password and a code";
    /// The workspace asks for a second factor of those who have the role: until there is one, nothing else can be done there.
    SECOND_FACTOR_NEEDED = "second_factor_needed", Forbidden, "The workspace asks for a second factor";
    /// The name belongs to another team.
    TEAM_NAME_TAKEN = "team_name_taken", Conflict, "The name is taken";
    /// The person is in the team already.
    ALREADY_IN_TEAM = "already_in_team", Conflict, "The person is in the team already";
    /// Another contact of the workspace signs in to the portal with the address.
    PORTAL_ADDRESS_TAKEN = "portal_address_taken", Conflict, "Another contact signs in with the address";
    /// The contact's portal account is switched off: switch it on first.
    PORTAL_SWITCHED_OFF = "portal_switched_off", Conflict, "The contact's portal account is switched off";
    /// Nobody takes the right to manage roles from themselves.
    OWN_LAST_RIGHT = "own_last_right", Conflict, "You would take from yourself the right to manage roles";
}
