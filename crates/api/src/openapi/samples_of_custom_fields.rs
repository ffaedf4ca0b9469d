//! Examples of custom fields, by the name of the schema.

use serde_json::{Value, json};

use super::samples::{AT, CLIENT};

fn options() -> Value {
    json!([{ "key": "normal", "label": "Κανονικό" }, { "key": "exempt", "label": "Απαλλασσόμενο" }])
}

/// The example of a schema of custom fields.
pub(super) fn sample_of(name: &str) -> Option<Value> {
    Some(match name {
        "CustomField" => json!({
            "id": CLIENT, "record_type": "client", "key": "vat_regime", "label": "Καθεστώς ΦΠΑ", "description": null,
            "field_type": "select", "is_required": false, "is_unique": false, "default": "normal", "options": options(),
            "target": null, "position": 0, "state": "ready", "archived_at": null, "created_at": AT, "updated_at": AT,
        }),
        "CustomFieldPage" => {
            json!({ "data": [sample_of("CustomField")], "page": { "next_cursor": null, "has_more": false } })
        }
        "CreateCustomField" => json!({
            "record_type": "client", "key": "vat_regime", "label": "Καθεστώς ΦΠΑ", "field_type": "select", "default": "normal",
            "options": options(),
        }),
        "CustomFieldPatch" => json!({ "label": "Καθεστώς ΦΠΑ (ελληνικό)", "default": null, "position": 0 }),
        _ => return None,
    })
}
