//! The log of the program at its most talkative, after a tour of everything that is secret or personal: nothing of that stands in it,
//! every failure has its request's id, and every request has one line. What the harness's own servers log is looked through by itself,
//! test by test (`harness::logs`).
//!
//! Faults that were put in to see it fail: the query string, `Authorization` and `Cookie` in the request's line, a second line for a
//! request, an error without its request's id.

mod program;
mod tour;

use std::collections::BTreeMap;

use serde_json::Value;

use tour::Tour;

/// The request that a line belongs to, by itself or by its span.
fn request_of(line: &Value) -> Option<&str> {
    line["request_id"].as_str().or_else(|| line["span"]["request_id"].as_str())
}

#[tokio::test]
async fn the_log_holds_no_secret_and_one_line_for_each_request_and_every_failure_says_of_which() {
    let Tour { program, secrets, requests, .. } = Tour::make().await;
    let log = program.stop();
    let mut wrong = Vec::new();
    for (what, secret) in &secrets {
        for line in log.lines().filter(|line| line.contains(secret.as_str())) {
            wrong.push(format!("{what} ({secret}): {line}"));
        }
    }
    wrong.extend(harness::logs::secrets_in(&log).into_iter().map(|line| format!("looks like a secret: {line}")));

    let lines: Vec<Value> =
        log.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("a line that is no JSON: {line}"))).collect();
    // it was talkative, so that what is not there could have been
    let levels = lines.iter().filter(|line| line["level"] == "DEBUG").count();
    assert!(levels >= 15, "{levels} lines for developers");

    for line in &lines {
        if ["ERROR", "WARN"].contains(&line["level"].as_str().unwrap()) && request_of(line).is_none() {
            wrong.push(format!("of which request? {line}"));
        }
    }
    let mut told: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for line in lines.iter().filter(|line| line["target"] == "pelatis::request") {
        told.entry(request_of(line).expect("an id")).or_default().push(line["status"].as_u64().expect("a status"));
    }
    let asked: BTreeMap<&str, Vec<u64>> = requests.iter().map(|(id, status)| (id.as_str(), vec![u64::from(*status)])).collect();
    assert_eq!(asked.len(), requests.len());
    if told != asked {
        wrong.push(format!("one request, one line: asked {asked:?}, told {told:?}"));
    }
    for (id, _) in requests.iter().filter(|(_, status)| *status >= 500) {
        if !lines.iter().any(|line| line["level"] == "ERROR" && request_of(line) == Some(id.as_str())) {
            wrong.push(format!("nothing says why {id} failed"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
