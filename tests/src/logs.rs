//! What the server logs in a test, and what must never stand in it.
//!
//! A test's own process keeps what the server under test logs, and [`crate::TestApp`] looks through it when the test ends: so the log of
//! a whole run of the suite is looked through, test by test. Only what is known by its looks is found here; `tests/it/logs` looks for
//! everything that it sent.

use std::io::Write;
use std::sync::{Mutex, OnceLock};

use tracing_subscriber::EnvFilter;

use crate::PASSWORD;

static KEPT: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static BEGUN: OnceLock<()> = OnceLock::new();

/// As talkative as operators make it, but for what is the test's own.
const LEVELS: &str = "warn,api=debug,auth=debug,clients=debug,insight=debug,kernel=debug,mail=debug,pelatis=debug,platform=debug,store=debug,\
                      actix_http=debug,actix_server=debug,actix_web=debug";

struct Keep;

impl Write for Keep {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        KEPT.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Begins to keep what is logged in this process.
pub(crate) fn keep() {
    BEGUN.get_or_init(|| {
        let builder = tracing_subscriber::fmt().json().flatten_event(true).with_span_list(false).with_writer(|| Keep);
        // a test that logs in its own way keeps to that
        let _ = builder.with_env_filter(EnvFilter::new(LEVELS)).try_init();
    });
}

/// Takes what was kept.
pub fn kept() -> String {
    String::from_utf8_lossy(&std::mem::take(&mut *KEPT.lock().unwrap())).into_owned()
}

/// How secrets begin that can be known by their looks: an access token, an API token, an invitation, a token to set a new password with, a refresh token, a hash of a
/// password, ours or of PHP, what an app of codes is set up with, a header that carries them.
const LOOKS: [&str; 13] =
    ["eyJ", "plt_", "pli_", "plp_", "plr_", "$argon2", "$2a$", "$2b$", "$2y$", "$P$", "otpauth://", "Bearer ", "bearer "];
/// Characters after the beginning that make it a secret and not a word or the part of a token that is shown.
const LENGTH: usize = 16;

/// Lines that hold a secret.
pub fn secrets_in(log: &str) -> Vec<String> {
    let goes_on = |c: &char| c.is_ascii_alphanumeric() || "-_.=,$+/".contains(*c);
    let is_secret =
        |line: &str, look: &str| line.split(look).skip(1).any(|rest| rest.chars().take_while(goes_on).count() >= LENGTH);
    let is_bad = |line: &&str| line.contains(PASSWORD) || LOOKS.iter().any(|look| is_secret(line, look));
    log.lines().filter(is_bad).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_their_looks() {
        let token = "0123456789abcdefghij";
        for line in [format!("x {PASSWORD}"), format!("plt_{token}"), format!("\"eyJ{token}\""), format!("Bearer {token}")] {
            assert_eq!(secrets_in(&format!("fine\n{line}\n")), [line]);
        }
        for line in ["plt_01234567", "keys eyJ", "the bearer of this", "$argon2id"] {
            assert_eq!(secrets_in(line), Vec::<String>::new());
        }
    }
}
