//! How the operations of the portal are asked, by a contact of a client who was let in before; and what staff do with contacts as people.

use serde_json::{Value, json};

use super::calls::{Call, Calls, PASSWORD, text};
use crate::{Result, http};

/// The address of the contact who asks.
const ADDRESS: &str = "portal@budget.example";

/// The name of clients that are persons.
const PERSON: &str = "Άννα Παπά";

impl Calls {
    /// The path of a client that is a person, on whom something was noted.
    fn person(&self) -> Result<String> {
        let id = self.made("/v1/clients", &json!({ "kind": "person", "name": PERSON }))?;
        self.made(&format!("/v1/clients/{id}/notes"), &json!({ "body": "Τηλεφώνησε" }))?;
        Ok(format!("/v1/clients/{id}"))
    }

    /// Invites the contact who asks; the mail with the token waits to be sent.
    pub(super) fn invite_to_portal(&self) -> Result<()> {
        let path = format!("/v1/contacts/{}/portal/invitation", self.contact);
        self.ask("POST", &path, Some(&json!({ "email": ADDRESS }))).map(|_| ())
    }

    /// Sets their password with the token that was sent.
    pub(super) fn accept_portal(&self, token: &str) -> Result<()> {
        self.ask("POST", "/v1/portal/set-password", Some(&json!({ "token": token, "password": PASSWORD }))).map(|_| ())
    }

    /// How one of these operations is asked; none for another.
    pub(super) fn of_portal(&self, id: &str, number: u32) -> Result<Option<Call>> {
        let (client, contact) = (&self.client, &self.contact);
        let portal = format!("/v1/contacts/{contact}/portal");
        Ok(Some(match id {
            "export_contact" => Call::to(format!("/v1/contacts/{contact}/export")),
            "erase_contact" => {
                let contact = self.contact()?;
                self.link(client, &contact)?;
                Call::with(format!("/v1/contacts/{contact}/erase"), json!({ "name": "Παπά", "reason": "asked for" }))
            }
            "export_client" => Call::to(format!("{}/export", self.person()?)),
            "erase_client" => Call::with(format!("{}/erase", self.person()?), json!({ "name": PERSON, "reason": "asked for" })),
            "get_contact_portal" => Call::to(portal),
            "invite_contact" => {
                let contact = self.contact()?;
                self.link(client, &contact)?;
                let address = json!({ "email": format!("portal-{}@budget.example", self.next()) });
                Call::with(format!("/v1/contacts/{contact}/portal/invitation"), address)
            }
            // whoever asks stays switched on
            "update_contact_portal" => Call::with(portal, json!({ "is_active": true })),
            "update_contact_portal_client" => {
                let path = format!("{portal}/clients/{client}");
                let menu = if number.is_multiple_of(2) { "invoices" } else { "support" };
                Call::with(path, json!({ "permissions": ["company_profile", menu] }))
            }
            "portal_login" => Call::with("/v1/portal/login", self.portal_credentials()),
            "portal_refresh" => Call::with("/v1/portal/refresh", json!({ "refresh_token": self.portal_session()?.1 })),
            "forgot_portal_password" => {
                let body = json!({ "workspace": self.workspace, "email": format!("nobody-{number}@budget.example") });
                Call::with("/v1/portal/forgot-password", body)
            }
            "portal_logout" => self.by_contact(Call::to("/v1/portal/logout"))?,
            "change_portal_password" => {
                let body = json!({ "current_password": PASSWORD, "new_password": PASSWORD });
                self.by_contact(Call::with("/v1/portal/me/password", body))?
            }
            "list_portal_sessions" => self.by_contact(Call::to("/v1/portal/me/sessions"))?,
            // each call is on a session of its own, which goes on
            "end_portal_sessions" => self.by_contact(Call::with("/v1/portal/me/sessions/end", json!({})))?,
            "end_portal_session" => {
                let token = self.portal_session()?.0;
                let newest = "/v1/portal/me/sessions?sort=-created_at&limit=1";
                let seen = http::send(self.server, "GET", newest, Some(&token), None)?.json()?;
                let path = format!("/v1/portal/me/sessions/{}", text(&seen, "/data/0/id")?);
                Call { token: Some(token), ..Call::to(path) }
            }
            "get_portal_me" => self.by_contact(Call::to("/v1/portal/me"))?,
            "switch_portal_client" => self.by_contact(Call::with("/v1/portal/switch-client", json!({ "client_id": client })))?,
            "get_company_profile" => self.by_contact(Call::to("/v1/portal/company-profile"))?,
            "update_company_profile" => {
                let body = json!({ "website": format!("https://{number}.example") });
                self.by_contact(Call::with("/v1/portal/company-profile", body))?
            }
            _ => return Ok(None),
        }))
    }

    fn portal_credentials(&self) -> Value {
        json!({ "workspace": self.workspace, "email": ADDRESS, "password": PASSWORD })
    }

    /// Access and refresh token of a session of the contact.
    fn portal_session(&self) -> Result<(String, String)> {
        let tokens = self.ask("POST", "/v1/portal/login", Some(&self.portal_credentials()))?;
        Ok((text(&tokens, "/access_token")?, text(&tokens, "/refresh_token")?))
    }

    fn by_contact(&self, call: Call) -> Result<Call> {
        Ok(Call { token: Some(self.portal_session()?.0), ..call })
    }
}
