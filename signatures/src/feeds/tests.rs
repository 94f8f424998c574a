//! Each format in the shape in which its makers publish it, and broken: what is read, what is
//! refused, at which line or path and why.

mod stix;

use std::fs;
use std::path::Path;

use super::{Column, Feed, Format, Intake, Place, Refusal, detect};
use crate::{Indicator, Kind, Scope, limits};

#[derive(Default)]
struct Taken {
    indicators: Vec<Indicator>,
    withheld: usize,
    refusals: Vec<Refusal>,
}

impl Intake for Taken {
    fn indicator(&mut self, indicator: Indicator) {
        self.indicators.push(indicator);
    }

    fn withheld(&mut self) {
        self.withheld += 1;
    }

    fn refuse(&mut self, refusal: Refusal) {
        self.refusals.push(refusal);
    }
}

impl Taken {
    /// `line kind value` of each indicator.
    fn shown(&self) -> Vec<String> {
        let shown = |indicator: &Indicator| {
            let line = indicator.origin.line.map_or("-".to_owned(), |line| line.to_string());
            format!("{line} {} {}", indicator.key.kind().name(), indicator.key)
        };
        self.indicators.iter().map(shown).collect()
    }

    /// `place: reason` of each refusal.
    fn refused(&self) -> Vec<String> {
        let shown = |refusal: &Refusal| match &refusal.place {
            Place::File => refusal.reason.clone(),
            Place::Line(line) => format!("{line}: {}", refusal.reason),
            Place::Path(path) => format!("{path}: {}", refusal.reason),
        };
        self.refusals.iter().map(shown).collect()
    }
}

fn read_as(feed: impl Fn(Feed) -> Feed, content: &[u8]) -> Taken {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("feed");
    fs::write(&path, content).unwrap();
    let mut taken = Taken::default();
    feed(Feed::at(&path)).read(&mut taken);
    assert!(taken.refusals.iter().all(|refusal| refusal.file == path));
    taken
}

/// Reads by content, with the format that it must be told to be.
fn read(format: Format, content: &str) -> Taken {
    assert_eq!(detect::format(content.as_bytes()), format);
    read_as(|feed| feed, content.as_bytes())
}

#[test]
fn plain_lists_hosts_files_and_blocker_lists_are_read() {
    let taken = read(
        Format::Plain,
        "\u{feff}# a comment\r\nevil.example\r\n\r\n; another\n192.0.2.7 # why\n198.51.100.0/24\n\
         http://evil.example/a#b\n0.0.0.0 hosts.example\n||ads.example^\n\
          .below.example\nlocalhost\n\
         two words\n192.0.2.300",
    );
    assert_eq!(
        taken.shown(),
        [
            "2 domain evil.example",
            "5 address 192.0.2.7",
            "6 network 198.51.100.0/24",
            "7 url evil.example/a",
            "8 domain hosts.example",
            "9 domain .ads.example",
            "10 domain .below.example",
        ]
    );
    assert_eq!(
        taken.refused(),
        [
            "11: \"localhost\": one label alone would match a whole top-level domain",
            "12: \"two words\": neither address, name, URL, hash nor fingerprint; say its type",
            "13: \"192.0.2.300\": neither address, name, URL, hash nor fingerprint; say its type",
        ]
    );
}

#[test]
fn lines_are_bounded_and_must_be_text() {
    let fits = format!("http://a.example/{}", "x".repeat(1_000));
    let padded = |length: usize| format!("a.example{}", " ".repeat(length - 9));
    let (at, above) = (padded(limits::LINE_BYTES), padded(limits::LINE_BYTES + 1));
    let mut content = format!("{fits}\n{at}\r\n{above}\n{above}{above}\n").into_bytes();
    content.extend(b"\xff\xfe.example\nlast.example");
    let taken = read_as(|feed| feed, &content);
    assert_eq!(taken.indicators.len(), 3);
    assert_eq!(taken.indicators[2].origin.line, Some(6));
    assert_eq!(
        taken.refused(),
        ["3: longer than 16384 bytes", "4: longer than 16384 bytes", "5: not UTF-8"]
    );
}

#[test]
fn csv_columns_are_found_by_name_and_carry_the_context() {
    let taken = read(
        Format::Csv,
        "# made by hand\ntype,value,family,confidence,severity,\
          stage,technique,valid_until,scope,tags,advice\n\
         domain,evil.example,Badger,90,P1,c2,T1071.001,\
          2026-12-31,subdomains,a;b,\"say \"\"no\"\", then\"\n\
         ,192.0.2.7,,,,,,,,,\n",
    );
    assert_eq!(taken.refused(), [""; 0]);
    assert_eq!(taken.shown(), ["3 domain .evil.example", "4 address 192.0.2.7"]);
    let context = &taken.indicators[0].context;
    assert_eq!(&*context.source, "feed");
    assert_eq!(context.family.as_deref(), Some("Badger"));
    assert_eq!(context.confidence.map(|c| c.percent()), Some(90));
    assert_eq!(context.severity.map(|s| s.number()), Some(8));
    assert_eq!(context.stage.map(|s| s.name()), Some("command_and_control"));
    assert_eq!(context.technique.map(|t| t.to_string()).as_deref(), Some("T1071.001"));
    assert_eq!(context.tags, ["a", "b"]);
    assert_eq!(context.advice.as_deref(), Some("say \"no\", then"));
    assert_eq!(taken.indicators[0].validity.until, Some(1_798_761_600));
    assert_eq!(taken.indicators[1].context.family, None);
}

#[test]
fn csv_rows_that_mean_nothing_are_refused_one_by_one() {
    let taken = read(
        Format::Csv,
        "type;value;confidence;scope\ndomain;evil.example\ncolour;red;;\ndomain;\"open;;\n\
         domain;\"a.example\"x;;\ndomain;;;\nmd5;12;;\ndomain;b.example;110;\n\
         domain;c.example;;all\nip;192.0.2.7;;\n",
    );
    assert_eq!(taken.shown(), ["10 address 192.0.2.7"]);
    assert_eq!(
        taken.refused(),
        [
            "2: 2 columns where the header names 4",
            "3: unknown type \"colour\"",
            "4: a quote is not closed on its line",
            "5: text behind a closing quote",
            "6: the value is empty",
            "7: \"12\": not a valid md5",
            "8: confidence \"110\" is not understood",
            "9: scope \"all\" is neither exact nor subdomains",
        ]
    );
}

#[test]
fn csv_columns_may_be_renamed_and_a_header_must_be_there() {
    let renamed = |feed| Feed {
        format: Some(Format::Csv),
        columns: vec![(Column::Value, "Bad Thing".to_owned())],
        ..feed
    };
    let taken = read_as(renamed, b"when,bad thing\nx,evil.example\n");
    assert_eq!(taken.shown(), ["2 domain evil.example"]);
    let taken = read_as(renamed, b"a,b\nx,evil.example\n");
    assert_eq!(
        taken.refused(),
        [
            "1: no header with a column value before the first row",
            "2: no header with a column value before the first row"
        ]
    );
}

#[test]
fn zeek_files_are_read_in_any_order_of_columns() {
    let hash = "d41d8cd98f00b204e9800998ecf8427e";
    let sha1 = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
    let taken = read(
        Format::Zeek,
        &format!(
            "#fields\tindicator_type\tindicator\tmeta.source\tmeta.desc\tmeta.whitelist\n\
             Intel::DOMAIN\tevil.example\tlist A\tBadger\t-\n\
             Intel::ADDR\t192.0.2.7\t-\t-\tF\nIntel::SUBNET\t192.0.2.0/24\t-\t-\t-\n\
             Intel::URL\tevil.example/x\t-\t-\t-\nIntel::FILE_HASH\t{hash}\t-\t-\t-\n\
             Intel::CERT_HASH\t{sha1}\t-\t-\t-\nIntel::FILE_NAME\tx.exe\t-\t-\t-\n\
             Intel::DOMAIN\tgood.example\t-\t-\tT\n#comment\n\
             Intel::EMAIL\ta@evil.example\t-\t-\t-\nIntel::DOMAIN    spaces.example    -\n\
             Intel::ADDR\tevil.example\t-\t-\t-\n-\tevil.example\t-\t-\t-\n"
        ),
    );
    assert_eq!(
        taken.shown(),
        [
            "2 domain evil.example",
            "3 address 192.0.2.7",
            "4 network 192.0.2.0/24",
            "5 url evil.example/x",
            &format!("6 md5 {hash}"),
            &format!("7 cert_sha1 {sha1}"),
            "8 file_name x.exe",
        ]
    );
    assert_eq!(taken.withheld, 1);
    assert_eq!(taken.indicators[0].context.family.as_deref(), Some("Badger"));
    assert_eq!(taken.indicators[0].context.tags, ["list A"]);
    assert_eq!(
        taken.refused(),
        [
            "11: indicator_type \"Intel::EMAIL\" is not matched on",
            "12: 1 columns where #fields names 5; columns are parted by one tab each",
            "13: not a valid address",
            "14: indicator or indicator_type is empty",
        ]
    );
    let taken =
        read(Format::Zeek, "#fields indicator indicator_type\nevil.example\tIntel::DOMAIN\n");
    assert_eq!(
        taken.refused(),
        [
            "1: #fields must name indicator and indicator_type, with tabs between names",
            "2: no #fields line before the first row",
        ]
    );
}

#[test]
fn suricata_datasets_hold_base64_strings_hashes_and_addresses() {
    let taken = read(Format::SuricataDataset, "ZXZpbC5leGFtcGxl\nLmJlbG93LmV4YW1wbGU=\n");
    assert_eq!(taken.shown(), ["1 domain evil.example", "2 domain .below.example"]);
    let dataset = |feed| Feed { format: Some(Format::SuricataDataset), ..feed };
    let taken = read_as(
        dataset,
        b"d41d8cd98f00b204e9800998ecf8427e,7\n192.0.2.7\nnot base64!\nZXZpbC5leGFtcGxl,much\n",
    );
    assert_eq!(taken.shown(), ["1 md5 d41d8cd98f00b204e9800998ecf8427e", "2 address 192.0.2.7"]);
    assert_eq!(taken.indicators[0].context.tags, ["reputation 7"]);
    assert_eq!(
        taken.refused(),
        [
            "3: \"not base64!\" is no address, hash, or known thing in Base64",
            "4: reputation \"much\" is not a number",
        ]
    );
    let agents = |feed| Feed { kind: Some(Kind::UserAgent), ..dataset(feed) };
    assert_eq!(read_as(agents, b"QmFkZ2VyLzEuMA==\n").shown(), ["1 user_agent Badger/1.0"]);
}

#[test]
fn suricata_reputation_is_a_confidence() {
    let taken = read(Format::SuricataIprep, "192.0.2.7,1,127\n198.51.100.0/24,3,64\n");
    assert_eq!(taken.shown(), ["1 address 192.0.2.7", "2 network 198.51.100.0/24"]);
    let percent = |at: usize| taken.indicators[at].context.confidence.map(|c| c.percent());
    assert_eq!((percent(0), percent(1)), (Some(100), Some(50)));
    assert_eq!(taken.indicators[1].context.tags, ["category 3"]);
    let iprep = |feed| Feed { format: Some(Format::SuricataIprep), ..feed };
    let taken = read_as(iprep, b"192.0.2.7,1,0\n192.0.2.7,1,128\n192.0.2.7,1\nevil.example,1,5\n");
    let wrong = "not address,category,score with a score of 1 to 127";
    assert_eq!(
        taken.refused(),
        [
            format!("1: {wrong}"),
            format!("2: {wrong}"),
            format!("3: {wrong}"),
            "4: not a valid address".to_owned()
        ]
    );
}

#[test]
fn url_haus_is_read() {
    let taken = read(
        Format::AbuseCh,
        "################\r\n# abuse.ch URLhaus Database Dump (CSV - recent URLs only) #\r\n#\r\n\
         # id,dateadded,url,url_status,last_online,threat,tags,urlhaus_link,reporter\r\n\
         \"3\",\"2026-03-01 10:00:00\",\"http://192.0.2.7:34512/i\",\"online\",\"2026-03-01\",\
         \"malware_download\",\"elf,mozi\",\"https://urlhaus.example/url/3/\",\"x\"\r\n\
         \"4\",\"2026-03-01 10:00:00\",\"http:///\",\"online\",\"\",\"malware_download\",\"None\",\
         \"\",\"x\"\r\n\"5\",\"cut\r\n",
    );
    assert_eq!(taken.shown(), ["5 url 192.0.2.7:34512/i"]);
    let context = &taken.indicators[0].context;
    assert_eq!(context.tags, ["elf", "mozi", "malware_download"]);
    assert_eq!(context.reference.as_deref(), Some("https://urlhaus.example/url/3/"));
    assert_eq!(
        taken.refused(),
        ["6: \"http:///\": not a valid url", "7: a quote is not closed on its line"]
    );
}

#[test]
fn threat_fox_is_read_with_spaces_behind_commas() {
    let hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let row = |value: &str, kind: &str, confidence: &str| {
        format!(
            "\"2026-03-01 10:00:00\", \"7\", \"{value}\", \"{kind}\", \
            \"botnet_cc\", \"win.badger\", \
             \"None\", \"Badger\", \"None\", \"{confidence}\", \"None\", \"a,b\", \"0\", \"x\"\n"
        )
    };
    let taken = read(
        Format::AbuseCh,
        &format!(
            "# ThreatFox IOCs: recent - CSV format #\n# \"first_seen_utc\",\"ioc_id\",\
            \"ioc_value\",\
             \"ioc_type\",\"threat_type\",\"fk_malware\",\"malware_alias\",\"malware_printable\",\
             \"last_seen_utc\",\"confidence_level\",\"reference\",\"tags\",\
             \"anonymous\",\"reporter\"\n\
             {}{}{}{}{}",
            row("192.0.2.7:443", "ip:port", "75"),
            row("evil.example", "domain", "None"),
            row(hash, "sha256_hash", "100"),
            row("x", "envelope_from", "50"),
            row("evil.example", "url", "50"),
        ),
    );
    assert_eq!(
        taken.shown(),
        [
            "3 address_port 192.0.2.7:443",
            "4 domain evil.example",
            &format!("5 sha256 {hash}"),
            "7 url evil.example/"
        ]
    );
    let context = &taken.indicators[0].context;
    assert_eq!(context.family.as_deref(), Some("Badger"));
    assert_eq!(context.confidence.map(|c| c.percent()), Some(75));
    assert_eq!((context.reference.as_deref(), context.tags.len()), (None, 2));
    assert_eq!(taken.indicators[1].context.confidence, None);
    assert_eq!(taken.refused(), ["6: ioc_type \"envelope_from\" is not matched on"]);
}

#[test]
fn feodo_and_sslbl_are_read() {
    let taken = read(
        Format::AbuseCh,
        "# Feodo Tracker #\n\"first_seen_utc\",\"dst_ip\",\"dst_port\",\
          \"c2_status\",\"last_online\",\
         \"malware\"\n\"2026-01-01 00:00:00\",\"192.0.2.7\",\"995\",\"online\",\"2026-03-01\",\
         \"QakBot\"\n\"2026-01-01 00:00:00\",\"192.0.2.7\",\"99x\",\"\",\"\",\"QakBot\"\n# END\n",
    );
    assert_eq!(taken.shown(), ["3 address_port 192.0.2.7:995"]);
    assert_eq!(taken.refused(), ["4: \"192.0.2.7:99x\": not a valid address_port"]);
    let taken = read(
        Format::AbuseCh,
        "# Listingdate,SHA1,Listingreason\n\
         2026-03-01 10:00:00,da39a3ee5e6b4b0d3255bfef95601890afd80709,Dridex C&C\n\
         2026-03-01 10:00:00,da39,Dridex C&C\n",
    );
    assert_eq!(taken.shown(), ["2 cert_sha1 da39a3ee5e6b4b0d3255bfef95601890afd80709"]);
    assert_eq!(taken.indicators[0].context.family.as_deref(), Some("Dridex"));
    assert_eq!(taken.refused(), ["3: \"da39\": not a valid cert_sha1"]);
    let taken = read(
        Format::AbuseCh,
        "# ja3_md5,Firstseen,Lastseen,Listingreason\n\
         b386946a5a44d1ddcc843bc75336dfce,2017-07-14 18:08:15,2019-07-27 20:42:54,Dridex\n",
    );
    assert_eq!(taken.shown(), ["2 ja3 b386946a5a44d1ddcc843bc75336dfce"]);
    assert_eq!(taken.indicators[0].context.severity.map(|s| s.number()), Some(3));
    let empty = "# Listingdate,SHA1,Listingreason\n# END 0 entries\n";
    assert_eq!(read(Format::AbuseCh, empty).refused(), [""; 0]);
}

const MISP_EVENT: &str = r#"{"Event": {"info": "Badger campaign", "uuid": "5d2f",
    "threat_level_id": "1",
 "Tag": [{"name": "misp-galaxy:mitre-attack-pattern=\"Web Protocols - T1071.001\""}],
 "Attribute": [
  {"type": "domain", "value": "evil.example", "to_ids": true, "comment": "first\nseen"},
  {"type": "ip-dst|port", "value": "192.0.2.7|443", "to_ids": true},
  {"type": "ip-dst", "value": "198.51.100.0/24", "to_ids": "1"},
  {"type": "domain|ip", "value": "two.example|192.0.2.8", "to_ids": 1},
  {"type": "domain", "value": "context.example", "to_ids": false},
  {"type": "domain", "value": "gone.example", "to_ids": true, "deleted": true},
  {"type": "mutex", "value": "x", "to_ids": true},
  {"type": "ip-dst", "value": "evil.example", "to_ids": true}],
 "Object": [{"name": "file", "Attribute": [
  {"type": "filename|md5", "value": "x.exe|d41d8cd98f00b204e9800998ecf8427e", "to_ids": true},
  {"type": "md5", "value": "d41d", "to_ids": true}]}]}}"#;

#[test]
fn misp_events_give_what_is_meant_for_detection() {
    let taken = read_as(|feed| feed, MISP_EVENT.as_bytes());
    assert_eq!(
        taken.shown(),
        [
            "- domain evil.example",
            "- address_port 192.0.2.7:443",
            "- network 198.51.100.0/24",
            "- domain two.example",
            "- address 192.0.2.8",
            "- md5 d41d8cd98f00b204e9800998ecf8427e",
        ]
    );
    assert_eq!(taken.withheld, 2);
    let context = &taken.indicators[0].context;
    assert_eq!(context.technique.map(|t| t.to_string()).as_deref(), Some("T1071.001"));
    assert_eq!(context.severity.map(|s| s.number()), Some(8));
    assert_eq!(
        taken.refused(),
        [
            "Event.Attribute[6]: type \"mutex\" is not matched on",
            "Event.Attribute[7]: not a valid address",
            "Event.Object[0].Attribute[1]: not a valid md5",
        ]
    );
    let answer = format!("{{\"response\": [{MISP_EVENT}]}}");
    let taken = read_as(|feed| feed, answer.as_bytes());
    assert_eq!(taken.indicators.len(), 6);
    assert!(taken.refused()[0].starts_with("response[0].Event.Attribute[6]: "));
}

#[test]
fn a_misp_feed_is_read_by_its_manifest_and_checked_against_it() {
    use sha2::{Digest as _, Sha256};
    let uuid = |n: u8| format!("5d2f0000-0000-4000-8000-00000000000{n}");
    let hash = data_encoding::HEXLOWER.encode(&Sha256::digest(MISP_EVENT));
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    for n in [1, 2, 9] {
        fs::write(at(&format!("{}.json", uuid(n))), MISP_EVENT).unwrap();
    }
    let manifest = format!(
        r#"{{"{}": {{"info": "a", "integrity": "sha256:{hash}"}},
            "{}": {{"info": "b", "integrity": "sha256:{}"}},
            "{}": {{"info": "missing"}}, "../../etc/passwd": {{"info": "bad"}}}}"#,
        uuid(1),
        uuid(2),
        "0".repeat(64),
        uuid(3)
    );
    fs::write(at("manifest.json"), manifest).unwrap();
    for path in [directory.path(), &at("manifest.json")] {
        let mut taken = Taken::default();
        Feed::at(path).read(&mut taken);
        assert_eq!(taken.indicators.len(), 6);
        let refused: Vec<_> = taken.refusals.iter().map(ToString::to_string).collect();
        let told = |part: &str| refused.iter().any(|text| text.contains(part));
        assert!(told("manifest.json: \"../../etc/passwd\": not a UUID"), "{refused:?}");
        let hash = format!("{}.json: its SHA-256 is not the one in the manifest", uuid(2));
        assert!(told(&hash), "{refused:?}");
        assert!(told(&format!("{}.json: cannot be read", uuid(3))), "{refused:?}");
        assert_eq!(refused.len(), 3 + 3);
    }
}

#[test]
fn json_that_is_no_feed_is_refused_with_its_line() {
    for (content, expected) in [
        ("{\"a\": 1}", "JSON, but neither a MISP event nor a STIX bundle"),
        ("{\n\"a\": 1,\n}", "3: JSON: "),
        ("{\"Event\": {\n\"Attribute\": 5}}", "2: JSON: "),
    ] {
        let taken = read_as(|feed| feed, content.as_bytes());
        assert!(taken.refused()[0].starts_with(expected), "{:?}", taken.refused());
    }
    let misp = |feed| Feed { format: Some(Format::Misp), ..feed };
    assert_eq!(read_as(misp, b"{}").refused(), ["JSON without a MISP Event"]);
    let stix = |feed| Feed { format: Some(Format::Stix), ..feed };
    assert_eq!(read_as(stix, b"{}").refused(), ["JSON that is no STIX bundle"]);
}

#[test]
fn directories_are_read_file_by_file_and_what_is_missing_is_told() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("b.txt"), "two.example\nbad line\n").unwrap();
    fs::write(directory.path().join("a.csv"), "value\none.example\n").unwrap();
    fs::write(directory.path().join(".hidden"), "three.example\n").unwrap();
    let mut taken = Taken::default();
    Feed::at(directory.path()).read(&mut taken);
    assert_eq!(taken.shown(), ["2 domain one.example", "1 domain two.example"]);
    assert_eq!(taken.refusals[0].file, directory.path().join("b.txt"));
    assert_eq!(taken.refusals[0].place, Place::Line(2));
    let mut taken = Taken::default();
    Feed::at(&directory.path().join("none")).read(&mut taken);
    assert!(taken.refused()[0].starts_with("cannot be read: "));
}

#[test]
fn a_feed_can_say_that_its_names_mean_sub_domains() {
    let below = |feed| Feed { names: Scope::Beneath, ..feed };
    let taken = read_as(below, b"evil.example\n192.0.2.7\na.b.c.d.e.f.g.h.example\n");
    assert_eq!(taken.shown(), ["1 domain .evil.example", "2 address 192.0.2.7"]);
    assert_eq!(taken.refused(), ["3: names with sub-domains may have 8 labels at most"]);
}

#[test]
fn the_example_feed_is_whole_and_shows_every_kind() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("feeds/example.csv");
    let mut taken = Taken::default();
    Feed::at(&path).read(&mut taken);
    assert_eq!(taken.refused(), [""; 0]);
    let kinds = taken.indicators.iter().map(|indicator| indicator.key.kind());
    let kinds: std::collections::BTreeSet<Kind> = kinds.collect();
    let missing: Vec<_> = Kind::ALL.iter().filter(|kind| !kinds.contains(kind)).collect();
    assert_eq!(missing, [&Kind::FileSha1]);
}

#[test]
fn formats_are_found_by_their_names() {
    for format in Format::ALL {
        assert_eq!(Format::parse(format.name()), Some(format));
    }
    assert_eq!(Format::parse("auto"), None);
    for (column, names) in Column::NAMES {
        assert_eq!(Column::parse(names[0]), Some(column));
    }
}
