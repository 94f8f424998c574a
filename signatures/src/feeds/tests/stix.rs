//! STIX bundles as feeds: what their patterns give, and what is refused.

use super::{Format, read};
use crate::feeds::stix_pattern;
use crate::limits;

#[test]
fn stix_bundles_give_patterns_with_what_they_indicate() {
    let taken = read(
        Format::Stix,
        r#"{"type": "bundle", "id": "bundle--1", "objects": [
        {"type": "identity", "id": "identity--1", "name": "x"},
        {"type": "indicator", "id": "indicator--1", "pattern_type": "stix", "confidence": 80,
         "pattern": "[domain-name:value = 'evil.example' OR domain-name:value = 'two.example']",
         "valid_from": "2026-01-01T00:00:00Z", "valid_until": "2026-07-01T00:00:00.000Z",
         "indicator_types": ["malicious-activity"],
         "kill_chain_phases": [
            {"kill_chain_name": "mitre-attack", "phase_name": "command-and-control"}]},
        {"type": "malware", "id": "malware--1", "name": "Badger"},
        {"type": "relationship", "id": "r--1", "relationship_type": "indicates",
         "source_ref": "indicator--1", "target_ref": "malware--1"},
        {"type": "indicator", "id": "i--2", "revoked": true,
          "pattern": "[domain-name:value = 'x.example']"},
        {"type": "indicator", "id": "i--3", "pattern_type": "snort", "pattern": "alert"},
        {"type": "indicator", "id": "i--4", "pattern": 7},
        {"type": "indicator", "id": "i--5", "pattern": "[email-addr:value = 'a@b']"},
        {"type": "indicator", "id": "i--6", "pattern": "[url:value = 'http://a.example/']",
         "valid_from": "soon"}]}"#,
    );
    assert_eq!(taken.shown(), ["- domain evil.example", "- domain two.example"]);
    let indicator = &taken.indicators[0];
    assert_eq!(indicator.context.family.as_deref(), Some("Badger"));
    assert_eq!(indicator.context.stage.map(|s| s.name()), Some("command_and_control"));
    assert_eq!(indicator.validity.from, Some(1_767_225_600));
    assert_eq!(indicator.validity.until, Some(1_782_864_000));
    assert_eq!(taken.withheld, 1);
    assert_eq!(
        taken.refused(),
        [
            "objects[5].pattern_type: patterns of type \"snort\" are not read",
            "objects[6]: a property is not of the type that STIX gives it",
            "objects[7].pattern: \"email-addr:value\" is not matched on",
            "objects[8].valid_from: \"soon\" is no time",
        ]
    );
}

#[test]
fn stix_patterns_are_read_as_far_as_they_are_points() {
    let md5 = "d41d8cd98f00b204e9800998ecf8427e";
    for (pattern, expected) in [
        ("[ipv4-addr:value = '198.51.100.0/24']", Ok("198.51.100.0/24")),
        ("[ipv6-addr:value='2001:db8::1']", Ok("2001:db8::1")),
        ("[domain-name:value IN ('a.example', 'b.example')]", Ok("a.example b.example")),
        ("[url:value == 'http://a.example/it\\'s']", Ok("a.example/it's")),
        (
            "[domain-name:value='a.example'] OR [ipv4-addr:value='192.0.2.7']",
            Ok("a.example 192.0.2.7"),
        ),
        (
            "[network-traffic:dst_ref.value = '192.0.2.7' AND network-traffic:dst_port = 443]",
            Ok("192.0.2.7:443"),
        ),
        ("[file:name = 'x.exe' AND file:hashes.MD5 = 'd41d8cd98f00b204e9800998ecf8427e']", Ok(md5)),
        ("[file:hashes.'SHA-256' = 'd4']", Err("not a valid sha256")),
        ("[domain-name:value LIKE '%.evil.example']", Ok(".evil.example")),
        ("[domain-name:value LIKE '%.example']", Err("one label alone")),
        ("[domain-name:value LIKE 'evil%']", Err("LIKE is read for all sub-domains")),
        ("[domain-name:value LIKE '%.e_il.example']", Err("LIKE is read for all sub-domains")),
        ("[url:value LIKE '%.evil.example']", Err("the comparison LIKE is not matched on")),
        ("[domain-name:value != 'a.example']", Err("the comparison != is not matched on")),
        ("[domain-name:value = 'a.example' AND ipv4-addr:value = '192.0.2.7']", Err("AND is read")),
        ("[domain-name:value = 'a.example'] FOLLOWEDBY [url:value = 'x']", Err("FOLLOWEDBY")),
        ("[domain-name:value = 'a.example'] WITHIN 5 SECONDS", Err("qualifier WITHIN")),
        ("[NOT domain-name:value = 'a.example']", Err("NOT is not matched on")),
        ("[(domain-name:value = 'a.example')]", Err("parentheses are not read")),
        ("[domain-name:value = 'a.example", Err("a string is not closed")),
        ("[domain-name:value = 'a.example'", Err("the pattern ends too early")),
        ("domain-name:value = 'a.example'", Err("unexpected \"domain-name:value\" where [")),
        ("[domain-name:value]", Err("the comparison ] is not matched on")),
        ("[@]", Err("unexpected")),
        ("[!]", Err("is not understood")),
        ("", Err("the pattern ends too early")),
    ] {
        let keys = stix_pattern::keys(pattern)
            .map(|keys| keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "));
        match expected {
            Ok(text) => assert_eq!(keys.as_deref(), Ok(text), "{pattern}"),
            Err(part) => assert!(keys.as_ref().is_err_and(|why| why.contains(part)), "{keys:?}"),
        }
    }
    let many = |terms: usize| {
        let terms = vec!["domain-name:value = 'a.example'"; terms];
        stix_pattern::keys(&format!("[{}]", terms.join(" OR "))).map(|keys| keys.len())
    };
    assert_eq!(many(limits::PATTERN_TERMS), Ok(limits::PATTERN_TERMS));
    assert!(many(limits::PATTERN_TERMS + 1).is_err());
}
