//! Links that let whoever has one read a file, for a quarter of an hour. S3 has its own; for what lies in a folder they are ours.

use std::fmt::Write as _;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::percent::encoded;
use kernel::{Caller, DateTime, Error, Result, WorkspaceId};
use serde::{Deserialize, Serialize};
use store::Conn;
use utoipa::ToSchema;
use validator::Validate;

use crate::errors::LINK_EXPIRED;
use crate::files::{self, Readable};
use crate::rows::FileId;
use crate::service::Files;
use crate::storage::Linked;

/// Seconds for which a link is good.
const GOOD_FOR: u32 = 15 * 60;

store::text_enum! {
    /// How a browser is to take a file.
    pub enum Shown {
        /// It saves it.
        Attachment = "attachment",
        /// It shows it in its own window; images and PDF documents alone, others are saved all the same.
        Inline = "inline",
    }
}

/// The body of `POST /v1/files/{file_id}/links`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct LinkRequest {
    /// How a browser is to take it; it saves it unless said.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disposition: Option<Shown>,
}

/// A link to the content of a file. Whoever has it can read the file until it expires.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct FileLink {
    /// Where the content is. Opaque.
    pub url: String,
    /// Until when.
    pub expires_at: DateTime,
}

/// The value of `Content-Disposition` (RFC 6266): a name in plain letters for programs that know no other, and the real one.
pub(crate) fn disposition(shown: Shown, filename: &str) -> String {
    let plain: String = filename
        .chars()
        .map(|letter| if letter.is_ascii_graphic() && !"\"\\%;".contains(letter) || letter == ' ' { letter } else { '_' })
        .collect();
    let mut value = format!("{}; filename=\"{plain}\"", shown.as_str());
    if plain != filename {
        // what RFC 8187 lets stand as it is and percent-encoding of URLs does too
        let written = write!(value, "; filename*=UTF-8''{}", encoded(filename));
        debug_assert!(written.is_ok(), "writing to a text cannot fail");
    }
    value
}

impl Readable {
    /// The value of `Content-Disposition`, as far as the type may be shown.
    pub fn disposition(&self, shown: Shown) -> String {
        let shown = if self.may_be_shown { shown } else { Shown::Attachment };
        disposition(shown, &self.filename)
    }
}

/// What our own link says of itself.
#[derive(Clone, Debug)]
pub struct Signed {
    /// The file.
    pub id: FileId,
    /// The workspace that it belongs to.
    pub workspace: WorkspaceId,
    /// Seconds since 1970 until which it is good.
    pub expires: i64,
    /// How a browser is to take it.
    pub shown: Shown,
}

impl Signed {
    fn tag(&self, key: &hmac::Key) -> Vec<u8> {
        let text = format!("{}/{}/{}/{}", self.workspace, self.id, self.expires, self.shown.as_str());
        hmac::sign(key, text.as_bytes()).as_ref().to_vec()
    }
}

/// Makes a link to a file.
///
/// # Errors
/// `not_found`; `storage_unavailable`.
pub async fn create(conn: &mut Conn, caller: &Caller, files: &Files, id: FileId, request: &LinkRequest) -> Result<FileLink> {
    let readable = files::readable(conn, caller, files, id).await?;
    let shown = request.disposition.unwrap_or(Shown::Attachment);
    let now = files.store().runtime().now();
    let expires_at = now + chrono::Duration::seconds(GOOD_FOR.into());
    let disposition = readable.disposition(shown);
    let (bucket, key) = readable.place();
    let linked = Linked { key, disposition: &disposition, mime_type: &readable.mime_type, now, seconds: GOOD_FOR };
    let url = match files.storages().of(bucket)?.link(&linked).await? {
        Some(url) => url,
        None => ours(files, &Signed { id, workspace: caller.workspace()?, expires: expires_at.timestamp(), shown }),
    };
    Ok(FileLink { url, expires_at })
}

fn ours(files: &Files, signed: &Signed) -> String {
    let tag = URL_SAFE_NO_PAD.encode(signed.tag(files.link_key()));
    format!(
        "{}/public/v1/files/{}?workspace={}&expires={}&disposition={}&signature={tag}",
        files.config().public_url,
        signed.id,
        signed.workspace,
        signed.expires,
        signed.shown.as_str(),
    )
}

/// The file that our own link leads to.
///
/// # Errors
/// `link_expired` where it is past its time or was not made here; `not_found` where the file is gone or was put away.
pub async fn follow(files: &Files, signed: &Signed, signature: &str) -> Result<Readable> {
    let refused = || Error::new(&LINK_EXPIRED).with_detail("Ask for a new link.");
    let sent = URL_SAFE_NO_PAD.decode(signature).map_err(|_| refused())?;
    verify_slices_are_equal(&sent, &signed.tag(files.link_key())).map_err(|_| refused())?;
    if files.store().runtime().now().timestamp() >= signed.expires {
        return Err(refused());
    }
    files::of_link(files, signed.workspace, signed.id).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disposition_cannot_be_broken_out_of() {
        assert_eq!(disposition(Shown::Attachment, "a b.pdf"), "attachment; filename=\"a b.pdf\"");
        assert_eq!(
            disposition(Shown::Inline, "Σ\"\\;\r\n.pdf"),
            "inline; filename=\"______.pdf\"; filename*=UTF-8''%CE%A3%22%5C%3B%0D%0A.pdf"
        );
    }
}
