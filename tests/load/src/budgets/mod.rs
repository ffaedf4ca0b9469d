//! The time budgets of the document (`x-p99-ms`): every operation is asked a hundred times, one request after the other, on the database of
//! 100,000 clients. An operation that this does not know how to ask fails it.

mod calls;
mod portal;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Instant;

use serde_json::Value;

use crate::record::{Figure, Line, append};
use crate::{Result, http, say};
use calls::Calls;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The engine's name in the record
    #[arg(long)]
    engine: String,
    /// The server
    #[arg(long)]
    server: SocketAddr,
    /// The file with the administrator's access token
    #[arg(long)]
    token: PathBuf,
    /// The program, whose `mail` shows invitations; it finds its settings in the environment
    #[arg(long)]
    program: PathBuf,
    /// The administrator's address
    #[arg(long)]
    email: String,
    /// The administrator's password
    #[arg(long)]
    password: String,
    /// The document
    #[arg(long)]
    document: PathBuf,
    /// Where the figures go
    #[arg(long)]
    record: PathBuf,
}

/// How often each operation is asked.
const TIMES: u32 = 100;
/// Works once in the life of an installation, so that there is no p99 of it.
const ONCE: &str = "set_up";
/// What cannot be asked a hundred times here, and why.
const NOT_ASKED: &[(&str, &str)] = &[
    ("reset_password", "its token goes by mail"),
    ("set_portal_password", "its token goes by mail"),
    ("request_backup", "while one waits there is no other"),
    ("confirm_my_second_factor", "works once in the life of a second factor"),
    ("renew_my_recovery_codes", "whoever has a second factor needs its codes to sign in here"),
    ("disable_my_second_factor", "works once in the life of a second factor"),
    ("reset_user_second_factor", "works once in the life of a second factor"),
];

pub(crate) fn check(options: &Options) -> Result<()> {
    let document: Value = serde_json::from_str(&std::fs::read_to_string(&options.document)?)?;
    let paths = document.get("paths").and_then(Value::as_object).ok_or("the document has no paths")?;
    let token = std::fs::read_to_string(&options.token)?.trim().to_owned();
    let calls = Calls::new(options.server, token, &options.program, &options.email, &options.password, TIMES)?;
    let mut over = Vec::new();
    for (path, operations) in paths {
        for (method, operation) in operations.as_object().into_iter().flatten() {
            let id = operation.get("operationId").and_then(Value::as_str).ok_or_else(|| format!("{method} {path} has no id"))?;
            if id == ONCE {
                continue;
            }
            if let Some((_, why)) = NOT_ASKED.iter().find(|(known, _)| *known == id) {
                say(&format!("{:8} {id:28} not asked: {why}", options.engine))?;
                continue;
            }
            let budget = operation.get("x-p99-ms").and_then(Value::as_f64).ok_or_else(|| format!("{id} has no budget"))?;
            let p99 = p99_ms(&calls, id, &method.to_uppercase())?;
            if p99 >= budget {
                over.push(format!("{id} {p99:.1} ms"));
            }
            say(&format!("{:8} {id:28} p99 {p99:7.1} ms of {budget:.0} ms", options.engine))?;
        }
    }
    let figure = Figure {
        engine: options.engine.clone(),
        what: format!("operations over their time budget {}", over.join(", ")).trim().to_owned(),
        value: over.len() as f64,
        unit: String::new(),
        below: Some(1.0),
    };
    append(&options.record, &Line::Figure(figure))
}

/// Of a hundred the second slowest: one in a hundred may be slower.
fn p99_ms(calls: &Calls, id: &str, method: &str) -> Result<f64> {
    let mut took = Vec::new();
    for number in 0..TIMES {
        let call = calls.of(id, number)?;
        let token = call.token.as_deref().or(Some(calls.token.as_str()));
        let began = Instant::now();
        let answer = match &call.raw {
            Some((kind, body)) => http::send_as(calls.server, method, &call.path, token, (kind, body))?,
            None => http::send(calls.server, method, &call.path, token, call.body.as_ref())?,
        };
        took.push(began.elapsed().as_secs_f64() * 1e3);
        if !(200..300).contains(&answer.status) {
            return Err(format!("{method} {} answered {}", call.path, answer.said()).into());
        }
    }
    took.sort_by(f64::total_cmp);
    Ok(took.iter().rev().nth(1).copied().unwrap_or_default())
}
