//! The message itself (RFC 5322). It is made from what was written alone, so every attempt sends the same bytes.

use kernel::{Error, Result};
use lettre::Address;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Body, Mailbox, Message, MultiPart, MultiPartKind, SinglePart};

use crate::config::Sender;
use crate::rows::MailRow;

/// Bytes that a line may have where nothing is encoded (RFC 5322, 2.1.1).
const LINE: usize = 990;

/// Who reads it first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum For {
    /// A mail server: everything is encoded so that any server takes it.
    Server,
    /// People who open the file: text stands as it is, as far as a file may.
    People,
}

/// The message of a mail.
///
/// # Errors
/// `internal` where an address cannot stand in a message.
pub(crate) fn bytes(mail: &MailRow, sender: &Sender, reader: For) -> Result<Vec<u8>> {
    let from = Mailbox::new(Some(mail.from_name.clone()).filter(|name| !name.is_empty()), sender.address().clone());
    let to = Mailbox::new(mail.to_name.clone(), address(&mail.to_address)?);
    let mut builder = Message::builder()
        .from(from)
        .to(to)
        .subject(mail.subject.as_str())
        .message_id(Some(mail.message_id.clone()))
        // when it was written: that is when it was true, and every attempt says the same
        .date(mail.created_at.into())
        .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned()))
        .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Content-Language"), mail.language.as_str().to_owned()));
    if let Some(reply_to) = &mail.reply_to {
        builder = builder.reply_to(Mailbox::new(None, address(reply_to)?));
    }
    let text = part(ContentType::TEXT_PLAIN, &mail.body, reader);
    let message = match &mail.html {
        Some(html) => {
            let both = MultiPart::builder().kind(MultiPartKind::Alternative).boundary(format!("part-{}", mail.id));
            builder.multipart(both.singlepart(text).singlepart(part(ContentType::TEXT_HTML, html, reader)))
        }
        None => builder.singlepart(text),
    };
    Ok(message.map_err(Error::internal)?.formatted())
}

/// An address as it stands in an envelope.
///
/// # Errors
/// `internal` where it cannot stand in one.
pub(crate) fn address(text: &str) -> Result<Address> {
    text.parse().map_err(|_| Error::internal("this is no address that mail can go to"))
}

fn part(kind: ContentType, content: &str, reader: For) -> SinglePart {
    let content = content.replace("\r\n", "\n").replace(['\r', '\n'], "\r\n");
    let fits = content.lines().all(|line| line.len() <= LINE) && !content.contains('\0');
    let body = if reader == For::People && fits {
        Body::dangerous_pre_encoded(content.into_bytes(), ContentTransferEncoding::EightBit)
    } else {
        Body::new(content)
    };
    SinglePart::builder().header(kind).body(body)
}
