//! Merges as they go over the wire.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::clients::Client;
use crate::rows::ClientId;

store::text_enum! {
    /// Whose value a field has after a merge.
    pub enum MergeSide {
        /// That of the client that stays.
        Survivor = "survivor",
        /// That of the client that becomes part of it.
        Merged = "merged",
        /// Those of both, of a field that has several: e-mail addresses, phones, roles.
        Both = "both",
    }
}

/// The body of `POST /v1/clients/{client_id}/merge` and of its preview.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct MergeClients {
    /// The client that becomes part of this one.
    pub merged_id: ClientId,
    /// Whose value a field has then, by its name. Of a field that is not named it is the value of the client that stays, or the other one's
    /// where that has none; e-mail addresses, phones and roles are those of both.
    #[schema(nullable = false)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields: Option<BTreeMap<String, MergeSide>>,
}

/// The body of `POST /v1/clients/{client_id}/merge/undo`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct UndoMerge {
    /// The client that became part of this one.
    pub merged_id: ClientId,
}

/// What a field becomes in which the two differ.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct FieldOutcome {
    /// The field.
    pub field: String,
    /// Whose value it has then.
    pub side: MergeSide,
    /// The value of the client that stays.
    pub survivor: serde_json::Value,
    /// The value of the other one.
    pub merged: serde_json::Value,
}

/// What hangs on the client that is merged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MovedRecords {
    /// What it is, such as `note`.
    pub record_type: String,
    /// How many hang on the other client from then on.
    pub moved: u64,
    /// How many both had, which are there once.
    pub had_both: u64,
}

/// What a merge would do.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct MergePreview {
    /// The client as it would be.
    pub client: Client,
    /// The fields in which the two differ.
    pub fields: Vec<FieldOutcome>,
    /// What would hang on the client.
    pub moved: Vec<MovedRecords>,
}

/// What a merge did.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct MergedClients {
    /// The client as it is.
    pub client: Client,
    /// The client that became part of it.
    pub merged_id: ClientId,
    /// The fields in which the two differed.
    pub fields: Vec<FieldOutcome>,
    /// What hangs on the client now.
    pub moved: Vec<MovedRecords>,
}
