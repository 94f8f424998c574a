//! Canned hunts: each runs on the recorded captures, and answers nothing where there is nothing.

use hunt::engine::Engine;
use hunt::hunts::{self, Hunt};

use crate::archives::{demo, engine, rows};

async fn count(engine: &Engine, hunt: &Hunt, params: &[&str]) -> usize {
    let params: Vec<String> = params.iter().map(|&text| text.to_owned()).collect();
    let statement =
        hunt.statement(engine, &params).unwrap_or_else(|e| panic!("{}: {e}", hunt.name));
    let answer = engine
        .run(&hunt.text, statement)
        .await
        .unwrap_or_else(|error| panic!("{}: {error}", hunt.name));
    let rows = hunt::ask::collect(engine, answer).await;
    let rows = rows.unwrap_or_else(|error| panic!("{}: {error}", hunt.name));
    rows.iter().map(|batch| batch.num_rows()).sum()
}

#[tokio::test]
async fn every_hunt_runs_and_answers_nothing_on_an_empty_archive() {
    let folder = tempfile::tempdir().expect("a folder");
    let empty = engine(folder.path().to_str().expect("UTF-8")).await;
    let full = engine(demo()).await;
    for hunt in hunts::all(None).expect("hunts") {
        assert_eq!(count(&empty, &hunt, &[]).await, 0, "{}", hunt.name);
        count(&full, &hunt, &[]).await;
    }
}

#[tokio::test]
async fn hunts_find_what_the_captures_show() {
    let engine = engine(demo()).await;
    let hunts = hunts::all(None).expect("hunts");
    for (name, params) in [
        ("admin_share_writes", &[][..]),
        ("certificates_self_signed", &["outside=false"]),
        ("certificates_young", &["age=3650d"]),
        ("long_connections", &["duration=1s", "outside=false"]),
        ("rare_ja4", &[]),
        ("rare_sni", &["connections=1"]),
        ("rdp_first_seen", &[]),
        ("rdp_off_hours", &["timezone=Asia/Shanghai", "start=01:00", "end=02:00"]),
        ("top_talkers", &[]),
        ("user_agents_new", &[]),
        ("smb_fan_out", &["hosts=1"]),
        ("names_never_contacted", &["queries=1"]),
    ] {
        let hunt = hunts::find(&hunts, name).expect(name);
        assert!(count(&engine, hunt, params).await > 0, "{name} {params:?} finds nothing");
    }
}

#[tokio::test]
async fn days_off_and_days_on_go_before_the_weekday() {
    let engine = engine(demo()).await;
    let hunts = hunts::all(None).expect("hunts");
    let hunt = hunts::find(&hunts, "rdp_off_hours").expect("it");
    let days = rows(&engine, "SELECT DISTINCT CAST(date AS VARCHAR) AS day FROM rdp").await;
    let days: Vec<&str> = days.iter().filter_map(|row| row["day"].as_str()).collect();
    let always = ["start=00:00", "end=24:00"];
    let (off, on) = (format!("days_off={}", days.join(",")), format!("days_on={}", days.join(",")));
    assert!(count(&engine, hunt, &[always[0], always[1], &off]).await > 0, "{off}");
    assert_eq!(count(&engine, hunt, &[always[0], always[1], &on]).await, 0, "{on}");
}

#[tokio::test]
async fn parameters_are_checked() {
    let engine = engine(demo()).await;
    let hunts = hunts::all(None).expect("hunts");
    let hunt = hunts::find(&hunts, "rare_sni").expect("it");
    for (param, expected) in [
        ("host=3", "did you mean hosts?"),
        ("hosts", "KEY=VALUE"),
        ("hosts=many", "not a whole number"),
        ("hosts=1; DROP TABLE tls", "not a whole number"),
    ] {
        let error = hunt.statement(&engine, &[param.to_owned()]).expect_err(param).to_string();
        assert!(error.contains(expected), "{error}");
    }
}
