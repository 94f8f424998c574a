//! The outbox: numbers, restarts, crashes, bounds.

use std::thread;

use super::*;

/// An open outbox with its writer at work.
struct Open {
    outbox: Arc<Outbox>,
    writer: thread::JoinHandle<()>,
}

impl Open {
    fn new(folder: Option<&Path>, bound: u64, names: &[&str]) -> Self {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let outbox = Arc::new(Outbox::open(folder, bound, &names).unwrap());
        let writer = thread::spawn({
            let outbox = Arc::clone(&outbox);
            move || outbox.write()
        });
        Self { outbox, writer }
    }

    /// Everything is on the disk, nothing is delivered any more.
    fn close(self) -> Arc<Outbox> {
        self.outbox.close();
        self.writer.join().unwrap();
        self.outbox
    }
}

fn body(text: &str) -> Arc<[u8]> {
    text.as_bytes().into()
}

fn push(outbox: &Outbox, text: &str) {
    outbox.push(Level::P3, body(text));
}

/// All that the first sink is owed.
fn owed(outbox: &Outbox) -> Vec<(u64, Level, String)> {
    let mut found = Vec::new();
    let mut from = outbox.cursor(0);
    while let Next::Alerts { alerts, until } = outbox.next(from, 7, Duration::ZERO) {
        let text = |owed: &Owed| String::from_utf8(owed.body.to_vec()).unwrap();
        found.extend(alerts.iter().map(|owed| (owed.sequence, owed.level, text(owed))));
        from = until;
    }
    found
}

fn numbers(outbox: &Outbox) -> Vec<u64> {
    owed(outbox).into_iter().map(|(sequence, ..)| sequence).collect()
}

const MIB: u64 = 1 << 20;

#[test]
fn alerts_come_in_the_order_in_which_they_were_raised_whatever_their_severity() {
    for folder in [None, Some(tempfile::tempdir().unwrap())] {
        let open = Open::new(folder.as_ref().map(tempfile::TempDir::path), MIB, &["a"]);
        let levels = [Level::P3, Level::P0, Level::P3, Level::P2, Level::P1, Level::P0];
        for (at, level) in levels.into_iter().cycle().take(50).enumerate() {
            assert_eq!(open.outbox.push(level, body(&at.to_string())), at as u64 + 1);
        }
        let outbox = open.close();
        let owed = owed(&outbox);
        assert_eq!(owed.len(), 50);
        for (at, (sequence, level, text)) in owed.into_iter().enumerate() {
            assert_eq!((sequence, text), (at as u64 + 1, at.to_string()));
            assert_eq!(level, levels[at % levels.len()]);
        }
    }
}

#[test]
fn numbers_and_cursors_go_on_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = Some(folder.path());
    let open = Open::new(path, MIB, &["a"]);
    (1..=5).for_each(|_| push(&open.outbox, "x"));
    let outbox = open.close();
    outbox.acknowledge(0, 4);
    drop(outbox);

    let open = Open::new(path, MIB, &["a"]);
    assert_eq!(open.outbox.push(Level::P1, body("y")), 6);
    let outbox = open.close();
    assert_eq!(numbers(&outbox), [4, 5, 6]);
    outbox.acknowledge(0, 7);
    outbox.stop();
    drop(outbox);

    let open = Open::new(path, MIB, &["a"]);
    assert_eq!(open.outbox.push(Level::P1, body("z")), 7, "also when nothing was owed");
    assert_eq!(numbers(&open.close()), [7]);
}

#[test]
fn a_file_that_was_cut_anywhere_gives_the_alerts_before_the_cut() {
    let folder = tempfile::tempdir().unwrap();
    let open = Open::new(Some(folder.path()), MIB, &["a"]);
    for text in ["one", "two", "three"] {
        open.outbox.push(Level::P2, body(text));
    }
    drop(open.close());
    let file = folder.path().join("p2-00000000000000000001.alerts");
    let bytes = fs::read(&file).unwrap();
    assert_eq!(bytes.len(), 8 + 3 * 16 + 11);
    for cut in 0..=bytes.len() {
        fs::write(&file, &bytes[..cut]).unwrap();
        let _ = fs::remove_file(folder.path().join("cursors.json"));
        let whole = [27, 46, 67].iter().filter(|&&end| cut >= end).count() as u64;
        let open = Open::new(Some(folder.path()), MIB, &["a"]);
        assert_eq!(open.outbox.push(Level::P2, body("new")), whole + 1, "cut at {cut}");
        let expected: Vec<u64> = (1..=whole + 1).collect();
        assert_eq!(numbers(&open.close()), expected, "cut at {cut}");
        for entry in fs::read_dir(folder.path()).unwrap() {
            fs::remove_file(entry.unwrap().path()).unwrap();
        }
    }
}

#[test]
fn a_flipped_bit_never_gives_a_wrong_alert_and_never_keeps_the_outbox_closed() {
    let folder = tempfile::tempdir().unwrap();
    let open = Open::new(Some(folder.path()), MIB, &["a"]);
    for text in ["one", "two", "three"] {
        open.outbox.push(Level::P2, body(text));
    }
    drop(open.close());
    let name = "p2-00000000000000000001.alerts";
    let bytes = fs::read(folder.path().join(name)).unwrap();
    for at in 0..bytes.len() {
        let folder = tempfile::tempdir().unwrap();
        let mut bytes = bytes.clone();
        bytes[at] ^= 0x10;
        fs::write(folder.path().join(name), &bytes).unwrap();
        let outbox = Outbox::open(Some(folder.path()), MIB, &["a".to_owned()]).unwrap();
        let sound = [(1, "one"), (2, "two"), (3, "three")];
        for (sequence, level, text) in owed(&outbox) {
            assert_eq!(level, Level::P2);
            assert!(sound.contains(&(sequence, text.as_str())), "byte {at}: {sequence} {text}");
        }
    }
}

#[test]
fn damaged_cursors_mean_that_everything_goes_out_again() {
    let folder = tempfile::tempdir().unwrap();
    let open = Open::new(Some(folder.path()), MIB, &["a"]);
    (1..=3).for_each(|_| push(&open.outbox, "x"));
    let outbox = open.close();
    outbox.acknowledge(0, 3);
    drop(outbox);
    fs::write(folder.path().join("cursors.json"), "{\"next\":4,\"sin").unwrap();
    let open = Open::new(Some(folder.path()), MIB, &["a"]);
    assert_eq!(numbers(&open.close()), [1, 2, 3]);
    assert!(folder.path().join("cursors.json.damaged").exists());
}

#[test]
fn a_file_that_is_damaged_is_kept_beside_and_one_that_is_cut_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let open = Open::new(Some(folder.path()), MIB, &["a"]);
    (1..=3).for_each(|_| push(&open.outbox, "x"));
    drop(open.close());
    let names = |ending: &str| {
        let entries = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let is_it = |path: &PathBuf| path.to_string_lossy().ends_with(ending);
        entries.filter(is_it).collect::<Vec<_>>()
    };
    let file = names(".alerts").remove(0);
    let sound = fs::read(&file).unwrap();
    let with = |at: usize, byte: u8| {
        let mut bytes = sound.clone();
        bytes[at] ^= byte;
        bytes
    };
    for (bytes, expected, is_damaged) in [
        (sound[..sound.len() - 1].to_vec(), &[1, 2][..], false),
        ([&sound[..], &[0; 64]].concat(), &[1, 2, 3], false),
        (sound[..4].to_vec(), &[], false),
        (with(sound.len() - 1, 1), &[1, 2], true),
        (with(8 + 3, 0x80), &[], true),
        (with(0, 1), &[], true),
    ] {
        fs::write(&file, &bytes).unwrap();
        let open = Open::new(Some(folder.path()), MIB, &["a"]);
        assert_eq!(numbers(&open.close()), expected, "{} bytes", bytes.len());
        for path in names(".damaged") {
            assert!(is_damaged);
            assert_eq!(fs::read(&path).unwrap(), bytes);
            fs::remove_file(path).unwrap();
        }
    }
}

#[test]
fn at_the_bound_the_oldest_of_the_least_severe_go_and_are_counted() {
    for folder in [None, Some(tempfile::tempdir().unwrap())] {
        let open = Open::new(folder.as_ref().map(tempfile::TempDir::path), MIB, &["a"]);
        let text = "x".repeat(10_000);
        for at in 0..300 {
            // The queue before the disk has a bound, too: it must not be the one that sheds.
            while open.outbox.queue().bytes > 1_000_000 {
                thread::yield_now();
            }
            let level = if at % 10 == 0 { Level::P1 } else { Level::P3 };
            open.outbox.push(level, body(&text));
        }
        let outbox = open.close();
        let owed = owed(&outbox);
        let severe = owed.iter().filter(|(_, level, _)| *level == Level::P1).count();
        assert_eq!(severe, 30, "none of the severe ones is shed");
        let shed = 300 - owed.len() as u64;
        assert!(shed > 150, "{shed}");
        assert_eq!(outbox.shed_by_level(), [0, 0, 0, shed]);
        assert_eq!(outbox.shed_total(), shed);
        let ordinary: Vec<u64> =
            owed.iter().filter(|(_, level, _)| *level == Level::P3).map(|&(at, ..)| at).collect();
        assert_eq!(ordinary.last(), Some(&300), "the newest stay");
        let bytes: u64 = owed.iter().map(|(.., text)| text.len() as u64).sum();
        assert!(bytes <= MIB && bytes > MIB / 2, "{bytes}");
    }
}

#[test]
fn an_alert_that_is_less_severe_than_all_that_is_full_is_shed_itself() {
    let open = Open::new(None, MIB, &["a"]);
    let text = "x".repeat(100_000);
    for _ in 0..10 {
        open.outbox.push(Level::P0, body(&text));
    }
    let sequence = open.outbox.push(Level::P3, body(&text));
    assert_eq!(sequence, 11, "its number is used all the same");
    let outbox = open.close();
    assert_eq!(numbers(&outbox), (1..=10).collect::<Vec<u64>>());
    assert_eq!(outbox.shed_by_level(), [0, 0, 0, 1]);
}

#[test]
fn what_every_sink_got_is_dropped_and_makes_room_without_shedding() {
    let folder = tempfile::tempdir().unwrap();
    let open = Open::new(Some(folder.path()), MIB, &["a", "b"]);
    let text = "x".repeat(10_000);
    for at in 1..=150_u64 {
        open.outbox.push(Level::P3, body(&text));
        while !matches!(open.outbox.next(at, 1, Duration::from_secs(5)), Next::Alerts { .. }) {}
        open.outbox.acknowledge(0, at + 1);
        // The slower of the two decides.
        open.outbox.acknowledge(1, at.saturating_sub(20));
    }
    let outbox = open.close();
    assert_eq!(outbox.shed_total(), 0);
    assert_eq!(outbox.owed(130, Level::P3), 21);
    assert!(fs::read_dir(folder.path()).unwrap().count() < 30);
}

#[test]
fn a_sink_that_is_new_starts_where_the_slowest_stood() {
    let folder = tempfile::tempdir().unwrap();
    let open = Open::new(Some(folder.path()), MIB, &["siem", "file"]);
    (1..=9).for_each(|_| push(&open.outbox, "x"));
    let outbox = open.close();
    outbox.acknowledge(0, 4);
    outbox.acknowledge(1, 10);
    drop(outbox);
    let open = Open::new(Some(folder.path()), MIB, &["moved siem", "file"]);
    assert_eq!(open.outbox.cursor(0), 4);
    assert_eq!(open.outbox.cursor(1), 10);
    assert_eq!(numbers(&open.close()), [4, 5, 6, 7, 8, 9]);
}

#[test]
fn two_sensors_do_not_share_an_outbox() {
    let folder = tempfile::tempdir().unwrap();
    let first = Outbox::open(Some(folder.path()), MIB, &[]).unwrap();
    let error = Outbox::open(Some(folder.path()), MIB, &[]).unwrap_err();
    assert!(error.to_string().contains("another Serval"), "{error}");
    drop(first);
    Outbox::open(Some(folder.path()), MIB, &[]).unwrap();
}

#[test]
fn an_alert_that_is_too_long_for_a_frame_is_shed_and_its_number_is_used() {
    let open = Open::new(None, MIB, &["a"]);
    open.outbox.push(Level::P0, vec![b'x'; BODY_MAX + 1].into());
    open.outbox.push(Level::P0, body("next"));
    let outbox = open.close();
    assert_eq!(numbers(&outbox), [2]);
    assert_eq!(outbox.shed_total(), 1);
}
