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
    pub body: Vec<u8>,
}

impl Answer {
    /// Its body, when it is a success.
    pub fn json(&self) -> Result<Value> {
        if !(200..300).contains(&self.status) {
            return Err(format!("answered {}", self.said()).into());
        }
        Ok(serde_json::from_slice(&self.body)?)
    }

    /// Its status and body, to be shown.
    pub fn said(&self) -> String {
        format!("{}: {}", self.status, String::from_utf8_lossy(&self.body))
    }
}

/// Sends a request on a connection of its own.
pub(crate) fn send(address: SocketAddr, method: &str, path: &str, token: Option<&str>, body: Option<&Value>) -> Result<Answer> {
    let body = body.map(Value::to_string).unwrap_or_default();
    send_as(address, method, path, token, ("application/json", body.as_bytes()))
}

/// The type of the body that [`form`] makes.
pub(crate) const FORM: &str = "multipart/form-data; boundary=pelatis-load";

/// A form with one file in it.
pub(crate) fn form(name: &str, content: &[u8]) -> Vec<u8> {
    let head = format!("--pelatis-load\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n");
    [head.as_bytes(), content, b"\r\n--pelatis-load--\r\n"].concat()
}

/// Sends a request with a body of this type.
pub(crate) fn send_as(
    address: SocketAddr,
    method: &str,
    path: &str,
    token: Option<&str>,
    (content_type, body): (&str, &[u8]),
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
    stream.write_all(&[head.as_bytes(), b"\r\n", body].concat())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    read(&answer)
        .ok_or_else(|| format!("{method} {path}: no answer that can be read: {:?}", String::from_utf8_lossy(&answer)).into())
}

fn read(answer: &[u8]) -> Option<Answer> {
    let (head, body) = split_once(answer, b"\r\n\r\n")?;
    let head = std::str::from_utf8(head).ok()?;
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
    (header("transfer-encoding").is_none() && body.len() == length).then(|| Answer { status, body: body.to_vec() })
}

/// A body that came in pieces (RFC 9112, 7.1), if its last piece is there.
fn joined(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let (length, after) = split_once(rest, b"\r\n")?;
        let length = usize::from_str_radix(std::str::from_utf8(length).ok()?, 16).ok()?;
        if length == 0 {
            return (after == b"\r\n").then_some(body);
        }
        body.extend_from_slice(after.get(..length)?);
        rest = after.get(length..)?.strip_prefix(b"\r\n")?;
    }
}

fn split_once<'a>(bytes: &'a [u8], by: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = bytes.windows(by.len()).position(|window| window == by)?;
    Some((bytes.get(..at)?, bytes.get(at + by.len()..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_whole_or_not_at_all() {
        let answer = read(b"HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\n\xff}").unwrap();
        assert_eq!((answer.status, answer.body.as_slice()), (201, &b"\xff}"[..]));
        assert!(read(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n{}").is_none());
        let chunked = |body: &str| {
            read(format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{body}").as_bytes()).map(|answer| answer.body)
        };
        assert_eq!(chunked("3\r\nabc\r\na\r\n0123456789\r\n0\r\n\r\n").unwrap(), b"abc0123456789");
        assert_eq!(chunked("0\r\n\r\n").unwrap(), b"");
        assert!(chunked("3\r\nabc\r\n").is_none() && chunked("4\r\nabc\r\n0\r\n\r\n").is_none());
        assert!(read(b"HTTP/1.1 200 OK\r\n").is_none());
    }
}
