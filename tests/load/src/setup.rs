//! Setting an installation up over HTTP, as its first administrator would.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;

use crate::{Result, http, say};

/// What stands before the code in the server's output.
const BEFORE_CODE: &str = "Set-up code: ";

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Where the server listens
    #[arg(long)]
    server: SocketAddr,
    /// The file that its output goes to, for the set-up code
    #[arg(long)]
    output: PathBuf,
    /// The administrator's address
    #[arg(long)]
    email: String,
    /// The administrator's password
    #[arg(long)]
    password: String,
    /// The short name of the first workspace
    #[arg(long)]
    workspace: String,
}

/// Sets it up, signs in and prints the access token.
pub(crate) fn set_up(options: &Options) -> Result<()> {
    let code = code(options)?;
    let body = json!({
        "code": code, "email": options.email, "password": options.password,
        "given_name": "Ελένη", "family_name": "Παπαδοπούλου",
        "workspace": {"slug": options.workspace, "name": "Load"},
    });
    let post = |path: &str, body| -> Result<serde_json::Value> {
        let answer = http::send(options.server, "POST", path, None, Some(body))?;
        answer.json().map_err(|error| format!("POST {path} {error}").into())
    };
    post("/v1/setup", &body)?;
    let tokens = post("/v1/auth/login", &json!({"email": options.email, "password": options.password, "kind": "app"}))?;
    let token =
        tokens.get("access_token").and_then(|token| token.as_str()).ok_or("the login answered without an access_token")?;
    say(token)
}

#[derive(clap::Args)]
pub(crate) struct Fields {
    /// Where the server listens
    #[arg(long)]
    server: SocketAddr,
    /// Its access token
    #[arg(long)]
    token: PathBuf,
}

/// Makes the custom fields of which [`csv_file`](crate::csv_file) has values.
pub(crate) fn make_fields(options: &Fields) -> Result<()> {
    let token = std::fs::read_to_string(&options.token)?;
    let option = |key: &str| json!({ "key": key, "label": key });
    let regimes = ["normal", "reduced", "exempt"].map(option);
    for field in [
        json!({ "record_type": "client", "key": "seats", "label": "Seats", "field_type": "number" }),
        json!({ "record_type": "client", "key": "regime", "label": "Regime", "field_type": "select", "options": regimes }),
    ] {
        http::send(options.server, "POST", "/v1/custom-fields", Some(token.trim()), Some(&field))?.json()?;
    }
    Ok(())
}

fn code(options: &Options) -> Result<String> {
    for _ in 0..100 {
        let output = std::fs::read_to_string(&options.output)?;
        // the line is whole only once it has ended
        let found =
            output.split_inclusive('\n').filter(|line| line.ends_with('\n')).find_map(|line| line.split_once(BEFORE_CODE));
        if let Some((_, rest)) = found {
            let code = rest.split_whitespace().next().ok_or("the set-up code is empty")?;
            return Ok(code.to_owned());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Err("the server printed no set-up code".into())
}
