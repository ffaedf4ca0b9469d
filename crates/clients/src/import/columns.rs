//! The columns that a file may have, with the names that people give them.

use platform::csv_source::Names;

/// What stands before the key of a custom field of the client.
pub(super) const OF_CLIENT: &str = "cf";
/// What stands before the key of a custom field of the contact.
pub(super) const OF_CONTACT: &str = "contact_cf";

/// The columns that a file may have, those of custom fields among them.
pub(super) const NAMES: Names = Names { fixed: COLUMNS, custom_fields: &[OF_CLIENT, OF_CONTACT] };

/// Canonical names with their aliases, in English and Greek.
const COLUMNS: &[(&str, &[&str])] = &[
    ("external_id", &["id", "client id", "code", "κωδικός"]),
    ("kind", &["type", "τύπος"]),
    ("name", &["client", "company", "company name", "client name", "επωνυμία", "πελάτης", "όνομα"]),
    ("legal_name", &["legal", "νομική επωνυμία"]),
    ("tax_number", &["vat", "vat number", "tax id", "tin", "αφμ", "α.φ.μ."]),
    ("website", &["web", "url", "ιστοσελίδα"]),
    ("email", &["e-mail", "mail", "email address"]),
    ("phone", &["telephone", "phone number", "tel", "τηλέφωνο"]),
    ("address", &["street", "address line 1", "line1", "διεύθυνση"]),
    ("city", &["town", "πόλη"]),
    ("region", &["state", "νομός", "περιφέρεια"]),
    ("postal_code", &["zip", "postcode", "zip code", "τ.κ.", "τκ"]),
    ("country", &["country code", "χώρα"]),
    ("sector", &["industry", "κλάδος"]),
    ("size", &["company size", "μέγεθος"]),
    ("product", &["προϊόν"]),
    ("currency", &["νόμισμα"]),
    ("locale", &["language", "γλώσσα"]),
    ("status", &["κατάσταση"]),
    ("roles", &["role", "ρόλοι"]),
    ("acquisition_stage", &["stage", "στάδιο"]),
    ("source", &["πηγή"]),
    ("lead_category", &["category", "κατηγορία"]),
    ("owner_email", &["owner", "υπεύθυνος"]),
    ("contact_given_name", &["contact first name", "first name", "given name", "όνομα επαφής"]),
    ("contact_family_name", &["contact last name", "last name", "family name", "surname", "επώνυμο επαφής"]),
    ("contact_email", &["contact e-mail", "email επαφής"]),
    ("contact_phone", &["contact telephone", "τηλέφωνο επαφής"]),
    ("contact_position", &["contact title", "position", "job title", "θέση επαφής"]),
    ("contact_role", &["contact role at client"]),
];
