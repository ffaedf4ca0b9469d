//! The face that a mail wears: that of its workspace.
//!
//! Brands, which will have faces of their own, fit here: a face is made from one record, and everything that is written takes a face.

use chrono_tz::Tz;
use kernel::{Result, TypedId as _, WorkspaceId};
use serde::{Deserialize, Serialize};
use store::query::{Expr, ExprTrait, Query};
use store::{Conn, Json};
use utoipa::ToSchema;
use validator::Validate;

/// The face of a workspace's mail, as its settings say it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct FaceSettings {
    /// The colour of the line on top, as `#rrggbb`.
    pub accent_color: Option<String>,
    /// A sentence under the name.
    pub tagline: Option<String>,
    /// Where answers go.
    pub reply_to: Option<String>,
}

/// A change of [`FaceSettings`].
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct FaceSettingsPatch {
    /// The colour of the line on top, as `#rrggbb`; null for the usual one.
    #[schema(value_type = Option<String>, pattern = "^#[0-9a-fA-F]{6}$")]
    #[serde(skip_serializing_if = "kernel::Patch::is_absent")]
    pub accent_color: kernel::Patch<String>,
    /// A sentence under the name, at most 200 characters.
    #[schema(value_type = Option<String>, max_length = 200)]
    #[validate(length(max = 200))]
    #[serde(skip_serializing_if = "kernel::Patch::is_absent")]
    pub tagline: kernel::Patch<String>,
    /// Where answers go, an e-mail address; null where nobody reads them.
    #[schema(value_type = Option<String>, format = "email", max_length = 254)]
    #[validate(email(message = "must be an e-mail address"), length(max = 254))]
    #[serde(skip_serializing_if = "kernel::Patch::is_absent")]
    pub reply_to: kernel::Patch<String>,
}

impl FaceSettings {
    /// These, changed.
    #[must_use]
    pub fn changed(mut self, patch: FaceSettingsPatch) -> Self {
        patch.accent_color.apply(&mut self.accent_color);
        patch.tagline.apply(&mut self.tagline);
        patch.reply_to.apply(&mut self.reply_to);
        self
    }
}

/// The line on top where no colour was chosen. It decorates: no text stands on it, so no colour makes one hard to read.
const ACCENT: &str = "#1f4e79";
/// The name of what comes from no workspace.
const NOBODYS: &str = "Pelatis";

/// A face.
#[derive(Clone, Debug)]
pub(crate) struct Face {
    pub name: String,
    pub accent_color: String,
    pub tagline: String,
    pub reply_to: Option<String>,
    pub locale: String,
    pub zone: Tz,
}

/// What is read of a workspace's settings.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Settings {
    mail: FaceSettings,
}

impl Default for Face {
    /// The installation's own.
    fn default() -> Self {
        Self {
            name: NOBODYS.to_owned(),
            accent_color: ACCENT.to_owned(),
            tagline: String::new(),
            reply_to: None,
            locale: "en".to_owned(),
            zone: Tz::UTC,
        }
    }
}

/// The face of a workspace, or of the installation.
pub(crate) async fn of(conn: &mut Conn, workspace: Option<WorkspaceId>) -> Result<Face> {
    let Some(workspace) = workspace else { return Ok(Face::default()) };
    let mut select = Query::select();
    select.columns(["name", "locale", "timezone", "settings"]).from("workspace").and_where(Expr::col("id").eq(workspace.uuid()));
    let Some(row) = conn.row(&select).await? else { return Ok(Face::default()) };
    let settings = row.get::<Json<Settings>>(3)?.0.mail;
    Ok(Face {
        name: row.get(0)?,
        accent_color: settings.accent_color.unwrap_or_else(|| ACCENT.to_owned()),
        tagline: settings.tagline.unwrap_or_default(),
        reply_to: settings.reply_to,
        locale: row.get(1)?,
        zone: row.get::<String>(2)?.parse().unwrap_or(Tz::UTC),
    })
}
