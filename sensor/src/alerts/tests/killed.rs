//! A sensor that is killed again and again: what it raised goes on without a gap.

use std::process::{Command, Stdio};

use super::*;

/// Where the victim works.
const FOLDER: &str = "SERVAL_TEST_VICTIM";

/// Alerts that the victim raises in one life, if it is let.
const LIFE: u64 = 100_000;

fn alerts(folder: &Path) -> AlertsConfig {
    config(&format!("{{ type = \"jsonl\", path = {:?} }}", folder.join("alerts.jsonl")))
}

/// Not a test by itself: the process that is killed.
#[test]
fn victim() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let folder = Path::new(&folder);
    let mut delivery = Delivery::open(&alerts(folder), Some(folder)).unwrap();
    for at in 0..LIFE {
        delivery.send(&header(at), &sample(at));
        if at % 16 == 0 {
            thread::sleep(Duration::from_millis(1));
        }
    }
}

#[test]
fn a_sensor_that_is_killed_leaves_no_gap_and_no_half_line() {
    let folder = tempfile::tempdir().unwrap();
    let name = "alerts::tests::killed::victim";
    let mut last = 0;
    for life in 1..=6_u64 {
        let mut victim = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name])
            .env(FOLDER, folder.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let lines = || fs::read_to_string(folder.path().join("alerts.jsonl")).unwrap_or_default();
        wait_until(|| lines().lines().count() as u64 > last + 100 * life);
        victim.kill().unwrap();
        victim.wait().unwrap();
        last = lines().lines().count() as u64;
    }
    let summary = deliver(&alerts(folder.path()), Some(folder.path()), 10);
    assert!(summary.is_complete(), "{summary}");
    let text = fs::read_to_string(folder.path().join("alerts.jsonl")).unwrap();
    let got = sequences(text.lines());
    let mut seen = 0;
    for &number in &got {
        assert!(number <= seen + 1, "{number} follows {seen}");
        seen = seen.max(number);
    }
    assert!(got.len() as u64 - seen < 6 * 256, "at most a batch comes twice for each death");
    assert!(seen > 2_000, "{seen}");
}
