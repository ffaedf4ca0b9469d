//! Examples of clients that may be one, by the name of the schema.

use serde_json::{Value, json};

use super::samples::{AT, CLIENT, CONTACT};

fn client(id: &str, name: &str) -> Value {
    json!({ "id": id, "kind": "company", "name": name })
}

fn reasons() -> Value {
    json!([{ "reason": "same_tax_number", "score": 90 }, { "reason": "similar_name", "score": 55 }])
}

fn duplicate() -> Value {
    json!({ "client": client(CLIENT, "Αφοί Παπά ΟΕ"), "score": 95, "reasons": reasons() })
}

fn candidate() -> Value {
    json!({
        "id": CONTACT, "client": client(CLIENT, "Αφοί Παπά ΟΕ"), "other": client(CONTACT, "Papas Bros"), "score": 95,
        "reasons": reasons(), "archived_at": null, "dismissed_by": null, "created_at": AT, "updated_at": AT,
    })
}

/// The example of a schema of duplicates.
pub(super) fn sample_of(name: &str) -> Option<Value> {
    Some(match name {
        "CheckDuplicates" => json!({
            "name": "Papas Bros", "tax_number": "EL123456789", "emails": [{ "kind": "work", "address": "info@papas.example" }],
        }),
        "ClientDuplicate" => duplicate(),
        "ClientDuplicates" => json!({ "data": [duplicate()] }),
        "DuplicateReason" => json!({ "reason": "same_phone", "score": 60 }),
        "DuplicateReasonKind" => json!("same_tax_number"),
        "DuplicateCandidate" => candidate(),
        "DuplicateCandidatePage" => json!({ "data": [candidate()], "page": { "next_cursor": null, "has_more": false } }),
        "DuplicateSearch" => {
            json!({ "is_running": true, "looked_at": 4500, "found": 12, "started_at": AT, "finished_at": null })
        }
        _ => return None,
    })
}
