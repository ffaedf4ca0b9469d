//! As much of HTTP as a handful of requests to a server of our own needs. A real client would give the measured server other
//! features of the crates that it shares with it.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

use crate::Result;

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: u16,
    pub body: String,
}

impl Answer {
    /// Its body, when it is a success.
    pub fn json(&self) -> Result<Value> {
        if !(200..300).contains(&self.status) {
            return Err(format!("answered {}: {}", self.status, self.body).into());
        }
        Ok(serde_json::from_str(&self.body)?)
    }
}

/// Sends a request on a connection of its own.
pub(crate) fn send(address: SocketAddr, method: &str, path: &str, token: Option<&str>, body: Option<&Value>) -> Result<Answer> {
    let body = body.map(Value::to_string).unwrap_or_default();
    send_as(address, method, path, token, ("application/json", &body))
}

/// The type of the body that [`form`] makes.
pub(crate) const FORM: &str = "multipart/form-data; boundary=pelatis-load";

/// A form with one file of text in it.
pub(crate) fn form(name: &str, text: &str) -> String {
    format!(
        "--pelatis-load\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n{text}\r\n--pelatis-load--\r\n"
    )
}

/// Sends a request with a body of this type.
pub(crate) fn send_as(
    address: SocketAddr,
    method: &str,
    path: &str,
    token: Option<&str>,
    (content_type, body): (&str, &str),
) -> Result<Answer> {
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    if let Some(token) = token {
        head.push_str(&format!("Authorization: Bearer {token}\r\n"));
    }
    if !body.is_empty() {
        head.push_str(&format!("Content-Type: {content_type}\r\nContent-Length: {}\r\n", body.len()));
    }
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    stream.write_all(format!("{head}\r\n{body}").as_bytes())?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    read(&text).ok_or_else(|| format!("{method} {path}: no answer that can be read: {text:?}").into())
}

fn read(text: &str) -> Option<Answer> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let header = |name: &str| {
        head.lines()
            .skip(1)
            .filter_map(|line| line.split_once(':'))
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|found| found.1.trim())
    };
    if header("transfer-encoding").is_some_and(|encoding| encoding.eq_ignore_ascii_case("chunked")) {
        return Some(Answer { status, body: joined(body)? });
    }
    // a body that was cut off must not pass
    let length: usize = header("content-length").map_or(Some(0), |length| length.parse().ok())?;
    (header("transfer-encoding").is_none() && body.len() == length).then(|| Answer { status, body: body.to_owned() })
}

/// A body that came in pieces (RFC 9112, 7.1), if its last piece is there.
fn joined(mut rest: &str) -> Option<String> {
    let mut body = String::new();
    loop {
        let (length, after) = rest.split_once("\r\n")?;
        let length = usize::from_str_radix(length, 16).ok()?;
        if length == 0 {
            return (after == "\r\n").then_some(body);
        }
        body.push_str(after.get(..length)?);
        rest = after.get(length..)?.strip_prefix("\r\n")?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_whole_or_not_at_all() {
        let answer = read("HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\n{}").unwrap();
        assert_eq!((answer.status, answer.body.as_str()), (201, "{}"));
        assert!(read("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n{}").is_none());
        let chunked =
            |body: &str| read(&format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{body}")).map(|answer| answer.body);
        assert_eq!(chunked("3\r\nabc\r\na\r\n0123456789\r\n0\r\n\r\n").unwrap(), "abc0123456789");
        assert_eq!(chunked("0\r\n\r\n").unwrap(), "");
        assert!(chunked("3\r\nabc\r\n").is_none() && chunked("4\r\nabc\r\n0\r\n\r\n").is_none());
        assert!(read("HTTP/1.1 200 OK\r\n").is_none());
    }
}
