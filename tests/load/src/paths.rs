//! What is asked of a server: pages of lists, and searches.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::csv_file::Draw;
use crate::{Result, http, say};

#[derive(clap::Args)]
pub(crate) struct Pages {
    /// The server
    #[arg(long)]
    server: SocketAddr,
    /// Its access token
    #[arg(long)]
    token: PathBuf,
    /// The list with its filters and its sort
    #[arg(long)]
    list: String,
    /// Which page
    #[arg(long)]
    page: u32,
}

#[derive(clap::Args)]
pub(crate) struct Searches {
    /// How many
    #[arg(long, default_value_t = 500)]
    count: u32,
    /// How many clients there are
    #[arg(long)]
    of: u64,
    /// Words that very many clients have, instead of what one client alone has
    #[arg(long)]
    broad: bool,
}

/// Prints the path of a page, found by walking there.
pub(crate) fn page(options: &Pages) -> Result<()> {
    let token = std::fs::read_to_string(&options.token)?.trim().to_owned();
    let join = if options.list.contains('?') { '&' } else { '?' };
    let mut path = options.list.clone();
    for _ in 1..options.page {
        let page = http::send(options.server, "GET", &path, Some(&token), None)?.json()?;
        let cursor = page.pointer("/page/next_cursor").and_then(serde_json::Value::as_str);
        let cursor = cursor.ok_or_else(|| format!("{} has fewer than {} pages", options.list, options.page))?;
        path = format!("{}{join}cursor={cursor}", options.list);
    }
    say(&path)
}

/// Prints the paths of searches as people make them: a number, a tax number, an address, beginnings of names.
pub(crate) fn searches(options: &Searches) -> Result<()> {
    const BROAD: [&str; 6] = ["παπ", "εμπορικη", "software", "αθηνα", "muller", "γεωργ ltd"];
    let mut draw = Draw(1821);
    for number in 0..options.count {
        let client = 1 + draw.below(options.of);
        let words = match number % 4 {
            _ if options.broad => BROAD.get(number as usize % BROAD.len()).copied().unwrap_or_default().to_owned(),
            0 => format!("{:09}", 100_000_000 + client),
            1 => format!("info@client{client}.example"),
            2 => format!("οικον {client}"),
            _ => format!("client{client}"),
        };
        say(&format!("/v1/clients?q={}", encoded(&words)))?;
    }
    Ok(())
}

/// Percent-encoding (RFC 3986, 2.1).
fn encoded(text: &str) -> String {
    let byte = |byte: u8| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(byte).collect()
}
