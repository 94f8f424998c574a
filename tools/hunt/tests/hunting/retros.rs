//! New indicators over old traffic: what the matcher finds, no more and no less; and how little is
//! read for it.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::archives::{demo, engine, rows, write_file};

/// 2026-03-01T00:30:00Z.
const HALF_PAST: i64 = 1_772_325_000_000_000;

struct Ended {
    alerts: Vec<Value>,
    stderr: String,
}

fn retro(archive: &str, feed: &Path, more: &[&str]) -> Ended {
    let output = Command::new(env!("CARGO_BIN_EXE_serval-hunt"))
        .args(["retro", "-a", archive, "--feed", feed.to_str().expect("UTF-8")])
        .args(["--no-default-allow"])
        .args(more)
        .output()
        .expect("serval-hunt starts");
    let stderr = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(output.status.success(), "{stderr}");
    let stdout = String::from_utf8(output.stdout).expect("UTF-8");
    let alerts = stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    Ended { alerts, stderr }
}

fn feed(folder: &Path, lines: &str) -> std::path::PathBuf {
    let path = folder.join("feed.csv");
    std::fs::write(&path, format!("type,value,family,confidence\n{lines}")).expect("a feed");
    path
}

#[tokio::test]
async fn every_kind_of_value_is_found_where_it_was_seen() {
    let engine = engine(demo()).await;
    let folder = tempfile::tempdir().expect("a folder");
    for (kind, sql) in [
        ("ip", "SELECT dst_ip AS v FROM flow WHERE dst_port = 443 ORDER BY ts LIMIT 1"),
        ("domain", "SELECT query AS v FROM dns WHERE qtype = 'A' AND rcode = 'NOERROR' LIMIT 1"),
        ("domain", "SELECT sni AS v FROM tls WHERE sni IS NOT NULL ORDER BY ts LIMIT 1"),
        ("ja3", "SELECT ja3 AS v FROM tls WHERE ja3 IS NOT NULL ORDER BY ts LIMIT 1"),
        ("ja4", "SELECT ja4 AS v FROM tls WHERE ja4 IS NOT NULL ORDER BY ts LIMIT 1"),
        ("cert_sha256", "SELECT cert_sha256 AS v FROM tls WHERE cert_sha256 IS NOT NULL LIMIT 1"),
        (
            "sha256",
            "SELECT response_sha256 AS v FROM http WHERE response_sha256 IS NOT NULL LIMIT 1",
        ),
        (
            "user_agent",
            "SELECT user_agent AS v FROM http WHERE user_agent IS NOT NULL ORDER BY ts LIMIT 1",
        ),
        (
            "url",
            "SELECT concat('http://', host, uri) AS v FROM http WHERE host IS NOT NULL \
                 AND strpos(uri, '/') = 1 ORDER BY ts LIMIT 1",
        ),
    ] {
        let found = rows(&engine, sql).await;
        let value = found[0]["v"].as_str().expect(sql);
        let feed = feed(folder.path(), &format!("{kind},\"{value}\",Testware,80\n"));
        let ended = retro(demo(), &feed, &[]);
        assert!(!ended.alerts.is_empty(), "{kind} {value}: {}", ended.stderr);
        for alert in &ended.alerts {
            assert_eq!(alert["detector"], "intel");
            assert_eq!(alert["family"], "Testware");
            assert_eq!(alert["sensor"], "retro");
            let evidence = alert["evidence"].as_str().expect("evidence");
            let evidence: Value = serde_json::from_str(evidence).expect("JSON");
            assert_eq!(evidence["retrospective"], true);
            // The query in the alert shows the rows.
            let hunt = alert["hunt"].as_str().expect("a hunt");
            assert!(!rows(&engine, hunt).await.is_empty(), "{hunt}");
        }
    }
}

#[tokio::test]
async fn what_is_found_is_what_a_look_at_every_row_finds() {
    let engine = engine(demo()).await;
    let folder = tempfile::tempdir().expect("a folder");
    let lines: String = (0..300)
        .map(|number| format!("ip,10.1.0.{},,50\nip,10.77.{number}.1,,50\n", number % 256))
        .chain(["cidr,10.2.0.0/16,,50\ndomain,*.example.test,,50\n".to_owned()])
        .collect();
    let ended = retro(demo(), &feed(folder.path(), &lines), &[]);
    let mut hosts = BTreeSet::new();
    for alert in &ended.alerts {
        hosts.insert((alert["host"].to_string(), alert["indicator"].to_string()));
    }
    assert_eq!(hosts.len(), ended.alerts.len(), "one alert for each host and indicator");
    let names = "SELECT DISTINCT src_ip FROM (SELECT src_ip, query AS name FROM dns UNION ALL \
                 SELECT src_ip, sni AS name FROM tls UNION ALL \
                 SELECT src_ip, split_part(host, ':', 1) AS name FROM http) \
                 WHERE name LIKE '%.example.test' ORDER BY src_ip";
    let brute: BTreeSet<String> =
        rows(&engine, names).await.iter().map(|row| row["src_ip"].to_string()).collect();
    let found: BTreeSet<String> = ended
        .alerts
        .iter()
        .filter(|alert| alert["indicator_type"] == "domain")
        .map(|alert| alert["host"].to_string())
        .collect();
    assert!(brute.is_subset(&found), "{brute:?} {found:?}");
    let brute = rows(
        &engine,
        "SELECT count(*) AS n FROM flow WHERE ip_in(dst_ip, '10.2.0.0/16') \
         OR ip_in(src_ip, '10.2.0.0/16')",
    );
    let sum: i64 = ended
        .alerts
        .iter()
        .filter(|alert| alert["indicator"] == "10.2.0.0/16")
        .map(|alert| alert["count"].as_i64().expect("a count"))
        .sum();
    let expected = brute.await[0]["n"].as_i64().expect("a count");
    assert!(sum >= expected, "{sum} sightings, {expected} flows");
}

#[test]
fn a_needle_reads_a_small_part() {
    let folder = tempfile::tempdir().expect("a folder");
    let archive = folder.path().join("archive");
    for hour in 0..24 {
        let place = format!("dns/date=2026-03-01/hour={hour:02}/a.parquet");
        let name = format!("host-{hour}.example");
        let micros = HALF_PAST + hour * 3_600_000_000;
        write_file(&archive, &place, &[micros], &[("query", &[&name]), ("src_ip", &["10.0.0.1"])]);
    }
    let feed = feed(folder.path(), "domain,host-7.example,,90\n");
    let ended = retro(archive.to_str().expect("UTF-8"), &feed, &[]);
    assert_eq!(ended.alerts.len(), 1, "{}", ended.stderr);
    // Answers are lists, for which the archive keeps no filters: those 24 are looked into.
    assert!(ended.stderr.contains("23 of 48 row groups were skipped"), "{}", ended.stderr);
    let outside = ["--between", "2026-03-02", "2026-03-03"];
    assert_eq!(retro(archive.to_str().expect("UTF-8"), &feed, &outside).alerts.len(), 0);
}

#[test]
fn a_timer_tries_only_what_is_new_and_adds_each_alert_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let archive = folder.path().join("archive");
    let columns: &[(&str, &[&str])] =
        &[("query", &["a.example", "b.example"]), ("src_ip", &["10.0.0.1", "10.0.0.2"])];
    let place = "dns/date=2026-03-01/hour=00/a.parquet";
    write_file(&archive, place, &[HALF_PAST, HALF_PAST], columns);
    let path = archive.to_str().expect("UTF-8");
    let state = folder.path().join("state");
    let timer = ["--on-change", "--write", "--state", state.to_str().expect("UTF-8")];
    let first = feed(folder.path(), "domain,a.example,,90\n");
    assert_eq!(retro(path, &first, &timer).alerts.len(), 1);
    let again = retro(path, &first, &timer);
    assert_eq!(again.alerts.len(), 0);
    assert!(again.stderr.contains("nothing of the archive was read"), "{}", again.stderr);
    let second = feed(folder.path(), "domain,a.example,,90\ndomain,b.example,,90\n");
    let new = retro(path, &second, &timer);
    assert_eq!(new.alerts.len(), 1);
    assert_eq!(new.alerts[0]["indicator"], "b.example");
    // Without the memory everything is tried, but what the archive has is no news.
    assert_eq!(retro(path, &second, &["--write"]).alerts.len(), 0);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let engine = engine(path).await;
        let sql = "SELECT host, severity, evidence FROM alert ORDER BY host";
        let alerts = rows(&engine, sql).await;
        assert_eq!(alerts.len(), 2);
        assert_eq!(alerts[0]["host"], "10.0.0.1");
    });
}

#[test]
fn a_feed_that_is_not_understood_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("feed.csv");
    std::fs::write(&path, "type,value\ndomain,not a domain at all\n").expect("a feed");
    let output = Command::new(env!("CARGO_BIN_EXE_serval-hunt"))
        .args(["retro", "-a", demo(), "--feed", path.to_str().expect("UTF-8")])
        .output()
        .expect("serval-hunt starts");
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("feed.csv:2") && stderr.contains("intel check"), "{stderr}");
}
