//! wrk, and what it counted.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::Result;
use crate::record::Counted;

/// One run of wrk against one server.
pub(crate) struct Run<'a> {
    pub address: SocketAddr,
    /// The server's process, whose processor time is counted, if it is to be.
    pub process: Option<u32>,
    pub script: &'a Path,
    /// What the script is to send: `get`, `list`, `create` or `paths`.
    pub operation: &'a str,
    /// `ours` or `bare`.
    pub side: &'a str,
    pub token: &'a str,
    /// The ids, or the paths, one a line.
    pub lines: &'a Path,
    pub connections: u32,
    pub seconds: u32,
}

/// A run that goes on.
pub(crate) struct Begun<'a> {
    run: &'a Run<'a>,
    wrk: Child,
    worked_before: u64,
}

impl Run<'_> {
    /// Runs it.
    pub fn count(&self) -> Result<Counted> {
        self.begin()?.end()
    }

    /// Begins it, so that another can run beside it.
    pub fn begin(&self) -> Result<Begun<'_>> {
        let worked_before = self.process.map_or(Ok(0), processor_time)?;
        let threads = if self.connections == 1 { "-t1" } else { "-t2" };
        let wrk = Command::new("wrk")
            .arg(threads)
            .arg(format!("-c{}", self.connections))
            // an answer that takes long is a figure, and no failure
            .args(["--timeout", "30s", "-d", &format!("{}s", self.seconds), "-s"])
            .arg(self.script)
            .arg(format!("http://{}", self.address))
            .env("LOAD_OPERATION", self.operation)
            .env("LOAD_SIDE", self.side)
            .env("LOAD_TOKEN", self.token)
            .env("LOAD_LINES", self.lines)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("wrk: {error}"))?;
        Ok(Begun { run: self, wrk, worked_before })
    }
}

impl Begun<'_> {
    /// Waits until it has ended.
    pub fn end(self) -> Result<Counted> {
        let output = self.wrk.wait_with_output()?;
        let said = String::from_utf8_lossy(&output.stdout);
        let line = said.lines().find_map(|line| line.strip_prefix("LOAD ")).ok_or_else(|| {
            let (operation, side) = (self.run.operation, self.run.side);
            format!("wrk did not measure {operation} of {side}: {said}{}", String::from_utf8_lossy(&output.stderr))
        })?;
        let mut counted: Counted = serde_json::from_str(line)?;
        counted.processor = self.run.process.map_or(Ok(0), processor_time)?.saturating_sub(self.worked_before);
        Ok(counted)
    }
}

/// Microseconds that a process has worked. Unlike requests a second it does not suffer much from what else the machine does.
fn processor_time(process: u32) -> Result<u64> {
    /// Linux counts for programs in hundredths of a second (`USER_HZ`), whatever it counts for itself in.
    const TICK: u64 = 10_000;
    let line = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // the name of the program, in brackets, may hold anything; utime and stime are the 12th and 13th after it
    let (_, rest) = line.rsplit_once(')').ok_or("a process without a name")?;
    let ticks = rest.split_whitespace().skip(11).take(2).map(str::parse::<u64>).sum::<std::result::Result<u64, _>>()?;
    Ok(ticks * TICK)
}
