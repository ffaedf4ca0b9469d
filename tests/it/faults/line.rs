//! A connection on which requests are sent as bytes: what a flood is made of, and cheaper than a client that does everything.

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

/// An open connection.
pub struct Line {
    pub stream: BufReader<TcpStream>,
    base: String,
}

/// The status and the head of an answer.
pub struct Reply {
    pub status: u16,
    head: String,
}

impl Reply {
    /// A header's value; `name` in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let values = self.head.lines().filter_map(|line| line.split_once(": "));
        values.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }
}

/// A request as it is sent.
pub fn request(method: &str, path: &str, token: &str, body: &Value) -> String {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let bearer = if token.is_empty() { String::new() } else { format!("authorization: Bearer {token}\r\n") };
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nhost: pelatis\r\n{bearer}content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

impl Line {
    /// Connects to a server of this address, `http://…`.
    pub async fn open(base: &str) -> Self {
        let stream = TcpStream::connect(base.trim_start_matches("http://")).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream: BufReader::new(stream), base: base.to_owned() }
    }

    /// Sends a whole request and reads its answer, on another connection where the server has ended this one: it does so after a refusal
    /// for which it had not read the body.
    pub async fn ask(&mut self, request: &str) -> Reply {
        loop {
            if let Ok(Some(reply)) = self.try_to_ask(request).await {
                return reply;
            }
            *self = Self::open(&self.base).await;
        }
    }

    async fn try_to_ask(&mut self, request: &str) -> std::io::Result<Option<Reply>> {
        self.stream.write_all(request.as_bytes()).await?;
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if self.stream.read_line(&mut head).await? == 0 {
                assert_eq!(head, "", "the connection ended within an answer");
                return Ok(None);
            }
        }
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        let reply = Reply { status, head };
        let length = reply.header("content-length").map_or(0, |length| length.parse::<usize>().unwrap());
        self.stream.read_exact(&mut vec![0; length]).await?;
        Ok(Some(reply))
    }
}
