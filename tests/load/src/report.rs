//! The table, and whether every bound is kept.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::compare::median;
use crate::record::{Counted, Figure, Line, Operation, Side, Verdict, read};
use crate::{Result, say};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The file that the steps wrote
    #[arg(long)]
    record: PathBuf,
    /// Where the same goes as JSON
    #[arg(long)]
    json: PathBuf,
    /// Clients that were imported
    #[arg(long)]
    clients: u64,
    /// Seconds of each run
    #[arg(long)]
    seconds: u32,
    /// Runs of each operation on each side
    #[arg(long)]
    rounds: u32,
    /// What is to be said of how it was measured
    #[arg(long)]
    remark: Vec<String>,
}

/// A row of the table: one operation on one engine.
struct Row {
    operation: Operation,
    engine: String,
    ours: Vec<Counted>,
    bare: Vec<Counted>,
}

impl Row {
    fn of(lines: &[Line], engine: &str, operation: Operation) -> Option<Self> {
        let side = |wanted: Side| {
            let runs = lines.iter().filter_map(move |line| match line {
                Line::Run { engine: on, operation: what, side, counted, .. }
                    if on == engine && *what == operation && *side == wanted =>
                {
                    Some(*counted)
                }
                _ => None,
            });
            runs.collect::<Vec<_>>()
        };
        let (ours, bare) = (side(Side::Ours), side(Side::Bare));
        (!ours.is_empty() && !bare.is_empty()).then(|| Self { operation, engine: engine.to_owned(), ours, bare })
    }

    fn ratio(&self) -> f64 {
        per_second(&self.ours) / per_second(&self.bare).max(f64::MIN_POSITIVE)
    }

    fn verdict(&self) -> Verdict {
        if !self.ours.iter().chain(&self.bare).all(Counted::is_valid) {
            Verdict::Invalid
        } else if self.ratio() >= self.operation.bound() {
            Verdict::Ok
        } else {
            Verdict::Missed
        }
    }

    fn text(&self) -> String {
        format!(
            "{:9}  {:8}  {:10.0}  {:10.0}  {:5.2}  {:8.2}  {:7.0}  {:7.0}  {:7}  {}",
            self.operation.name(),
            self.engine,
            per_second(&self.ours),
            per_second(&self.bare),
            self.ratio(),
            p99_ms(&self.ours),
            processor(&self.ours),
            processor(&self.bare),
            format!(">= {:.2}", self.operation.bound()),
            self.verdict().name(),
        )
    }

    fn json(&self) -> Value {
        json!({
            "operation": self.operation, "engine": self.engine,
            "ours_per_second": per_second(&self.ours), "bare_per_second": per_second(&self.bare), "ratio": self.ratio(),
            "ours_p99_ms": p99_ms(&self.ours), "bare_p99_ms": p99_ms(&self.bare),
            "ours_processor_us": processor(&self.ours), "bare_processor_us": processor(&self.bare),
            "bound": self.operation.bound(), "verdict": self.verdict().name(),
            "runs": {"ours": self.ours, "bare": self.bare},
        })
    }
}

fn per_second(runs: &[Counted]) -> f64 {
    median(runs.iter().map(Counted::per_second).collect())
}

fn p99_ms(runs: &[Counted]) -> f64 {
    median(runs.iter().map(|run| run.p99 as f64 / 1e3).collect())
}

fn processor(runs: &[Counted]) -> f64 {
    median(runs.iter().map(Counted::processor_per_request).collect())
}

fn verdict_of(figure: &Figure) -> Verdict {
    match figure.below {
        None => Verdict::None,
        Some(_) if figure.is_ok() => Verdict::Ok,
        Some(_) => Verdict::Missed,
    }
}

/// Prints both tables, writes the JSON, and fails if a bound is missed or nothing was measured.
pub(crate) fn report(options: &Options) -> Result<()> {
    let lines = read(&options.record)?;
    let mut engines: Vec<&str> = Vec::new();
    for line in &lines {
        let (Line::Run { engine, .. } | Line::Figure(Figure { engine, .. })) = line;
        if !engines.contains(&engine.as_str()) {
            engines.push(engine);
        }
    }
    let rows: Vec<Row> = Operation::ALL
        .iter()
        .flat_map(|operation| engines.iter().filter_map(|engine| Row::of(&lines, engine, *operation)))
        .collect();
    let figures: Vec<&Figure> =
        lines.iter().filter_map(|line| if let Line::Figure(figure) = line { Some(figure) } else { None }).collect();

    if !rows.is_empty() {
        say("\noperation  engine    ours req/s  bare req/s  ratio  p99 (ms)  ours µs  bare µs  bound    verdict")?;
        rows.iter().try_for_each(|row| say(&row.text()))?;
    }
    say("\nengine    figure                                                      value         bound      verdict")?;
    for figure in &figures {
        let bound = figure.below.map(|bound| format!("< {bound} {}", figure.unit)).unwrap_or_default();
        let value = format!("{:.2} {}", figure.value, figure.unit);
        say(&format!("{:8}  {:58}  {:12}  {:9}  {}", figure.engine, figure.what, value, bound, verdict_of(figure).name()))?;
    }
    options.remark.iter().try_for_each(|remark| say(&format!("\n{remark}")))?;

    let verdicts = rows.iter().map(Row::verdict).chain(figures.iter().map(|figure| verdict_of(figure)));
    let failed = verdicts.filter(|verdict| matches!(verdict, Verdict::Missed | Verdict::Invalid)).count();
    let document = json!({
        "machine": machine(), "clients": options.clients, "seconds": options.seconds, "rounds": options.rounds,
        "connections": 16, "remarks": options.remark, "ok": failed == 0 && !lines.is_empty(),
        "operations": rows.iter().map(Row::json).collect::<Vec<_>>(),
        "figures": figures.iter().map(|figure| json!({
            "engine": figure.engine, "what": figure.what, "value": figure.value, "unit": figure.unit,
            "below": figure.below, "verdict": verdict_of(figure).name(),
        })).collect::<Vec<_>>(),
    });
    if let Some(folder) = options.json.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(&options.json, format!("{}\n", serde_json::to_string_pretty(&document)?))?;
    match failed {
        _ if lines.is_empty() => Err("nothing was measured".into()),
        0 => Ok(()),
        failed => Err(format!("{failed} of the bounds are missed, or could not be judged").into()),
    }
}

/// What the figures depend on.
fn machine() -> Value {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model =
        info.lines().find_map(|line| line.strip_prefix("model name")).map(|rest| rest.trim_start_matches([' ', '\t', ':']));
    json!({"cores": std::thread::available_parallelism().map_or(0, usize::from), "processor": model})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(requests: u64, refused: u64) -> Counted {
        Counted { requests, microseconds: 1_000_000, p50: 1000, p99: 2000, max: 3000, refused, broken: 0, processor: 0 }
    }

    fn row(operation: Operation, ours: &[Counted], bare: &[Counted]) -> Row {
        Row { operation, engine: "sqlite".to_owned(), ours: ours.to_vec(), bare: bare.to_vec() }
    }

    #[test]
    fn medians_are_compared_with_the_bound() {
        let bare = [run(100, 0), run(1000, 0), run(90, 0)];
        assert!(row(Operation::Get, &[run(70, 0), run(1, 0), run(71, 0)], &bare).verdict() == Verdict::Ok);
        assert!(row(Operation::Get, &[run(69, 0)], &bare).verdict() == Verdict::Missed);
        assert!(row(Operation::Create, &[run(69, 0)], &bare).verdict() == Verdict::Ok);
    }

    #[test]
    fn a_run_with_one_refusal_is_invalid_on_either_side() {
        assert!(row(Operation::Get, &[run(100, 1)], &[run(100, 0)]).verdict() == Verdict::Invalid);
        assert!(row(Operation::Get, &[run(100, 0)], &[run(100, 1)]).verdict() == Verdict::Invalid);
        assert!(row(Operation::Get, &[run(0, 0)], &[run(100, 0)]).verdict() == Verdict::Invalid);
    }

    #[test]
    fn the_middle_of_an_even_number_lies_between_two() {
        assert!((median(vec![4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-9);
        assert!((median(vec![3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
    }
}
