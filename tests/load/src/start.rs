//! Starting a server and timing its first answer. The clock runs from just before the process is made, in a program that is
//! running already, so nothing but the server is timed.

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::{Result, http, say};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Where it will listen; it is told in PELATIS_LISTEN
    #[arg(long)]
    listen: Option<SocketAddr>,
    /// What to ask it until it answers
    #[arg(long, default_value = "/health/live")]
    path: String,
    /// Its working folder
    #[arg(long, default_value = ".")]
    folder: PathBuf,
    /// A variable of its environment, NAME=VALUE; it is given these, PATH and PELATIS_LISTEN, and nothing of ours
    #[arg(long)]
    env: Vec<String>,
    /// Where its output goes
    #[arg(long)]
    output: PathBuf,
    /// The program with its arguments
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

/// Starts it and prints process id, port and milliseconds.
pub(crate) fn start(options: &Options) -> Result<()> {
    let address = match options.listen {
        Some(address) => address,
        None => TcpListener::bind("127.0.0.1:0")?.local_addr()?,
    };
    let output = File::create(&options.output)?;
    let (program, arguments) = options.command.split_first().ok_or("no program is named")?;
    let mut command = Command::new(program);
    let variables = options.env.iter().map(|given| given.split_once('=').ok_or_else(|| format!("{given} is not NAME=VALUE")));
    command
        .args(arguments)
        .current_dir(&options.folder)
        .env_clear()
        .envs(variables.collect::<std::result::Result<Vec<_>, _>>()?)
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("PELATIS_LISTEN", address.to_string())
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output);
    let began = Instant::now();
    let mut server = command.spawn().map_err(|error| format!("{program}: {error}"))?;
    match first_answer(&mut server, address, &options.path, began) {
        Ok(took) => say(&format!("{} {} {:.1}", server.id(), address.port(), took.as_secs_f64() * 1e3)),
        Err(error) => {
            let _ = server.kill();
            let _ = server.wait();
            let said = std::fs::read_to_string(&options.output).unwrap_or_default();
            Err(format!("{program}: {error}\n{said}").into())
        }
    }
}

fn first_answer(server: &mut Child, address: SocketAddr, path: &str, began: Instant) -> Result<Duration> {
    loop {
        if let Ok(answer) = http::send(address, "GET", path, None, None) {
            let took = began.elapsed();
            return if answer.status == 200 { Ok(took) } else { Err(format!("{path} answered {}", answer.status).into()) };
        }
        if let Some(ended) = server.try_wait()? {
            return Err(format!("it ended before it answered: {ended}").into());
        }
        if began.elapsed() > Duration::from_secs(60) {
            return Err("no answer in a minute".into());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}
