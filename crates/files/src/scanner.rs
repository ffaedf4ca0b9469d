//! Viruses, looked for by clamd in its own protocol (clamd(8), INSTREAM). Where it is configured nothing comes in that it has not seen.

use std::io;
use std::path::Path;
use std::time::Duration;

use kernel::{Error, FieldError, Result};
use tokio::fs::File;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};

use crate::config::Scanner;
use crate::errors::{FILE_INFECTED, SCANNER_UNAVAILABLE};

/// How long a scan may take.
const TIME: Duration = Duration::from_mins(1);
/// Bytes that are sent at a time.
const PIECE: usize = 64 * 1024;
/// Bytes of an answer at most.
const ANSWER: u64 = 4096;

/// What clamd said.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Clean,
    Infected,
    Unclear,
}

/// Has a file scanned.
///
/// # Errors
/// `file_infected`; `scanner_unavailable` where there is no clear answer.
pub(crate) async fn scan(scanner: &Scanner, file: &Path) -> Result<()> {
    let unavailable = || Error::new(&SCANNER_UNAVAILABLE).with_retry_after(10);
    let answer = match tokio::time::timeout(TIME, ask(scanner, file)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => return Err(unavailable().with_source(error)),
        Err(_) => return Err(unavailable().with_source("the scan took too long")),
    };
    match verdict(&answer) {
        Verdict::Clean => Ok(()),
        Verdict::Infected => {
            tracing::warn!(answer, "a virus was found in an upload");
            Err(Error::new(&FILE_INFECTED).with_field(FieldError::new("/file", "file_infected", "is infected")))
        }
        Verdict::Unclear => Err(unavailable().with_source(format!("the scanner said: {answer}"))),
    }
}

async fn ask(scanner: &Scanner, file: &Path) -> io::Result<String> {
    let file = File::open(file).await?;
    match scanner {
        Scanner::Tcp(address) => converse(TcpStream::connect(address).await?, file).await,
        Scanner::Unix(path) => converse(UnixStream::connect(path).await?, file).await,
    }
}

async fn converse(mut link: impl AsyncRead + AsyncWrite + Unpin, mut file: File) -> io::Result<String> {
    let sent = send(&mut link, &mut file).await;
    let mut answer = Vec::new();
    // one that has had enough says why before it hangs up
    let heard = link.take(ANSWER).read_to_end(&mut answer).await;
    if answer.is_empty() {
        sent?;
        heard?;
    }
    Ok(String::from_utf8_lossy(&answer).trim_end_matches(['\0', '\n']).to_owned())
}

async fn send(link: &mut (impl AsyncWrite + Unpin), file: &mut File) -> io::Result<()> {
    link.write_all(b"zINSTREAM\0").await?;
    let mut piece = vec![0; PIECE];
    loop {
        let read = file.read(&mut piece).await?;
        let bytes = piece.get(..read).unwrap_or_default();
        // a piece of no length says that there are no more
        link.write_all(&u32::try_from(bytes.len()).unwrap_or(0).to_be_bytes()).await?;
        if bytes.is_empty() {
            return link.flush().await;
        }
        link.write_all(bytes).await?;
    }
}

fn verdict(answer: &str) -> Verdict {
    match answer.strip_prefix("stream: ") {
        Some("OK") => Verdict::Clean,
        Some(found) if found.ends_with(" FOUND") => Verdict::Infected,
        _ => Verdict::Unclear,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clear_answer_lets_a_file_in() {
        assert_eq!(verdict("stream: OK"), Verdict::Clean);
        assert_eq!(verdict("stream: Eicar-Test-Signature FOUND"), Verdict::Infected);
        for answer in ["", "OK", "INSTREAM size limit exceeded. ERROR", "stream: OKAY", "UNKNOWN COMMAND"] {
            assert_eq!(verdict(answer), Verdict::Unclear, "{answer}");
        }
    }
}
