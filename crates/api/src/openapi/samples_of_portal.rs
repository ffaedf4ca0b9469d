//! Examples of the portal, and of what is told and erased of a person, by the name of the schema.

use serde_json::{Value, json};

use super::samples::{AT, CLIENT, CONTACT, WORKSPACE, sample};

fn stage() -> Value {
    json!({ "id": CLIENT, "key": "demo", "name": "Επίδειξη", "position": 2, "created_at": AT, "updated_at": AT })
}

fn client() -> Value {
    json!({ "id": CLIENT, "kind": "company", "name": "Αφοί Παπά ΟΕ" })
}

/// The example of a schema of the portal.
pub(super) fn sample_of(name: &str) -> Option<Value> {
    Some(match name {
        "PortalLogin" => json!({
            "workspace": "athens", "email": "info@papa.example", "password": "πέντε κόκκινα καράβια", "kind": "browser",
        }),
        "PortalRefresh" => json!({ "refresh_token": "plr_…" }),
        "PortalTokens" => json!({
            "access_token": "eyJ…", "token_type": "Bearer", "expires_in": 900, "refresh_token": "plr_…", "session_expires_at": AT,
            "contact_id": CONTACT,
        }),
        "NewPortalPassword" => json!({ "token": "pli_…", "password": "τρία πράσινα άλογα τρέχουν" }),
        "ForgotPortalPassword" => json!({ "workspace": "athens", "email": "info@papa.example" }),
        "PortalMe" => json!({
            "contact": {
                "id": CONTACT, "given_name": "Ελένη", "family_name": "Παπά", "locale": "el",
                "emails": [{ "kind": "work", "address": "eleni@papa.example" }],
            },
            "workspace": {
                "id": WORKSPACE, "slug": "athens", "name": "Αθήνα", "default_currency": "EUR", "timezone": "Europe/Athens",
                "locale": "el",
            },
            "clients": [{ "client": client(), "permissions": ["invoices", "support"], "is_current": true }],
        }),
        "SwitchClient" => json!({ "client_id": CLIENT }),
        "CompanyProfile" => json!({
            "client_id": CLIENT, "kind": "company", "name": "Αφοί Παπά ΟΕ", "legal_name": null, "tax_number": "094012345",
            "website": "https://papa.example", "phone": "+30 210 1234567",
            "emails": [{ "kind": "work", "address": "info@papa.example" }], "phones": [],
            "main_address": { "line1": "Σταδίου 1", "city": "Αθήνα", "postal_code": "10562", "country": "GR" },
            "billing_address": null, "shipping_address": null, "can_edit": true,
        }),
        "CompanyProfilePatch" => json!({ "phone": "+30 210 7654321", "main_address": { "line1": "Σταδίου 3" } }),
        "ContactPortal" => json!({
            "state": "active", "email": "eleni@papa.example", "invited_at": AT, "token_expires_at": null, "last_login_at": AT,
            "clients": [{ "client": client(), "permissions": ["invoices", "company_profile"] }],
        }),
        "ContactPortalPatch" => json!({ "is_active": false }),
        "InviteToPortal" => json!({ "clients": [{ "client_id": CLIENT, "permissions": ["invoices", "estimates", "support"] }] }),
        "PersonalData" => json!({
            "exported_at": AT, "contact": sample("Contact"), "clients": [{
                "client": client(), "role": "Λογιστήριο", "is_primary": true, "influence": "decision_maker", "since": "2026-01-01", "until": null,
            }],
            "portal": sample_of("ContactPortal"), "sessions": [], "interactions": [], "files": [], "mails": [], "suppressions": [],
            "imported_rows": [{ "import_id": CLIENT, "line": 2, "cells": { "contact_email": "eleni@papa.example" } }], "history": [],
        }),
        "ClientPersonalData" => json!({
            "exported_at": AT, "client": sample("Client"), "merged": [], "tags": ["VIP"], "contact_ids": [CONTACT], "relationships": [],
            "notes": [sample("Note")], "interactions": [], "files": [], "folders": ["Συμβόλαια"], "mails": [], "suppressions": [],
            "imported_rows": [{ "import_id": CLIENT, "line": 2, "cells": { "name": "Άννα Παπά" } }], "history": [],
        }),
        "AcquisitionStage" => stage(),
        "AcquisitionStages" => json!({ "data": [stage()] }),
        "CreateAcquisitionStage" => json!({ "key": "demo", "name": "Επίδειξη", "position": 2 }),
        "AcquisitionStagePatch" => json!({ "name": "Παρουσίαση", "position": 3 }),
        "StageChangePage" => json!({
            "data": [{ "id": CLIENT, "at": AT, "from": "lead", "to": "qualified", "by": { "kind": "user", "id": CONTACT, "user_id": CONTACT } }],
            "page": { "next_cursor": null, "has_more": false },
        }),
        "Erasure" => json!({ "name": "Παπά", "reason": "Asked for by mail on 25 November 2026." }),
        "ErasureReport" => json!({
            "contact_id": CONTACT, "erased_at": AT, "erased": [{ "what": "contact", "count": 1 }, { "what": "mail_message", "count": 4 }],
            "kept": [{ "what": "mail_suppression", "why": "An address that wants no mail is remembered, so that it gets none." }],
            "mentions": [{ "record_type": "note", "record_id": CLIENT, "client_id": CLIENT }],
        }),
        "ClientErasureReport" => json!({
            "client_id": CLIENT, "erased_at": AT, "erased": [{ "what": "client", "count": 1 }, { "what": "note", "count": 2 }],
            "kept": [{ "what": "mail_suppression", "why": "An address that wants no mail is remembered, so that it gets none." }],
            "mentions": [{ "record_type": "contact", "record_id": CONTACT, "client_id": null }],
        }),
        "AccessPatch" => json!({ "permissions": ["invoices", "company_profile"] }),
        _ => return None,
    })
}
