//! Brands on the wire.

use kernel::{DateTime, Patch};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use super::{BrandId, BrandRow};

/// A face of the workspace. It bounds no data.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Brand {
    /// Its id.
    pub id: BrandId,
    /// Its name, unique among those in use without regard to case and accents.
    pub name: String,
    /// The colour of what stands out, as `#rrggbb`.
    pub accent_color: Option<String>,
    /// The colour beside it, as `#rrggbb`.
    pub secondary_color: Option<String>,
    /// A sentence under the name.
    pub tagline: Option<String>,
    /// Where answers go.
    pub reply_to_email: Option<String>,
    /// The name that stands on documents.
    pub legal_name: Option<String>,
    /// The tax number that stands on documents.
    pub tax_number: Option<String>,
    /// The logo on light ground: a picture on the brand, at `/v1/files/{file_id}/content`.
    pub logo_light_file_id: Option<Uuid>,
    /// The logo on dark ground.
    pub logo_dark_file_id: Option<Uuid>,
    /// The logo in a circle.
    pub logo_circular_file_id: Option<Uuid>,
    /// Whether it is the one where none is named. Of those in use exactly one is.
    pub is_default: bool,
    /// When it was put away.
    pub archived_at: Option<DateTime>,
    /// When it was made.
    pub created_at: DateTime,
    /// When it last changed.
    pub updated_at: DateTime,
    /// Counts its changes; the ETag is made from it.
    #[serde(skip)]
    pub version: i64,
}

impl From<BrandRow> for Brand {
    fn from(row: BrandRow) -> Self {
        Self {
            id: row.id,
            name: row.name,
            accent_color: row.accent_color,
            secondary_color: row.secondary_color,
            tagline: row.tagline,
            reply_to_email: row.reply_to_email,
            legal_name: row.legal_name,
            tax_number: row.tax_number,
            logo_light_file_id: row.logo_light_file_id,
            logo_dark_file_id: row.logo_dark_file_id,
            logo_circular_file_id: row.logo_circular_file_id,
            is_default: row.is_default,
            archived_at: row.archived_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}

/// The body of `POST /v1/brands`. Logos are put on it once it is there.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct CreateBrand {
    /// 1 to 100 characters; unique among those in use without regard to case and accents.
    #[schema(min_length = 1, max_length = 100)]
    #[validate(custom(function = kernel::shape::filled))]
    pub name: String,
    /// As `#rrggbb`.
    #[schema(pattern = "^#[0-9a-fA-F]{6}$")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accent_color: Option<String>,
    /// As `#rrggbb`.
    #[schema(pattern = "^#[0-9a-fA-F]{6}$")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secondary_color: Option<String>,
    /// A sentence under the name, at most 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tagline: Option<String>,
    /// Where answers go, an e-mail address.
    #[schema(format = "email", max_length = 254)]
    #[validate(email(message = "must be an e-mail address"), length(max = 254))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to_email: Option<String>,
    /// The name that stands on documents, at most 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legal_name: Option<String>,
    /// The tax number that stands on documents, at most 50 characters.
    #[schema(min_length = 1, max_length = 50)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_number: Option<String>,
    /// Whether it is to be the default, in the place of the one that is. The first in use is the default whatever is said.
    #[schema(nullable = false)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_default: Option<bool>,
}

/// The body of `PATCH /v1/brands/{brand_id}`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct BrandPatch {
    /// 1 to 100 characters; unique among those in use without regard to case and accents.
    #[schema(nullable = false, min_length = 1, max_length = 100)]
    #[validate(custom(function = kernel::shape::filled))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// As `#rrggbb`.
    #[schema(value_type = Option<String>, pattern = "^#[0-9a-fA-F]{6}$")]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub accent_color: Patch<String>,
    /// As `#rrggbb`.
    #[schema(value_type = Option<String>, pattern = "^#[0-9a-fA-F]{6}$")]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub secondary_color: Patch<String>,
    /// A sentence under the name, at most 200 characters.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200)]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub tagline: Patch<String>,
    /// Where answers go, an e-mail address.
    #[schema(value_type = Option<String>, format = "email", max_length = 254)]
    #[validate(email(message = "must be an e-mail address"), length(max = 254))]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub reply_to_email: Patch<String>,
    /// The name that stands on documents, at most 200 characters.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200)]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub legal_name: Patch<String>,
    /// The tax number that stands on documents, at most 50 characters.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 50)]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub tax_number: Patch<String>,
    /// The logo on light ground: a picture that was uploaded onto this brand (`rel_type` is `brand`).
    #[schema(value_type = Option<Uuid>)]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub logo_light_file_id: Patch<Uuid>,
    /// The logo on dark ground, such a picture too.
    #[schema(value_type = Option<Uuid>)]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub logo_dark_file_id: Patch<Uuid>,
    /// The logo in a circle, such a picture too.
    #[schema(value_type = Option<Uuid>)]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub logo_circular_file_id: Patch<Uuid>,
    /// Makes it the default in the place of the one that is. The one that is can only be followed by another.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_default: Option<bool>,
}

impl BrandPatch {
    /// The logos that it sets anew, each with the name of its member.
    pub fn new_logos(&self, before: &Brand) -> Vec<(&'static str, Uuid)> {
        let members = [
            ("logo_light_file_id", self.logo_light_file_id, before.logo_light_file_id),
            ("logo_dark_file_id", self.logo_dark_file_id, before.logo_dark_file_id),
            ("logo_circular_file_id", self.logo_circular_file_id, before.logo_circular_file_id),
        ];
        let new = |(name, wanted, there): (&'static str, Patch<Uuid>, Option<Uuid>)| match wanted {
            Patch::Value(file) if there != Some(file) => Some((name, file)),
            _ => None,
        };
        members.into_iter().filter_map(new).collect()
    }
}
