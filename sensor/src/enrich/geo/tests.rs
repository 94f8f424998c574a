//! Databases: what they say, what is refused and why, how they are exchanged.

use std::fs;
use std::path::{Path, PathBuf};

use super::samples::{Value, database};
use super::{GeoConfig, GeoFacts, GeoStore};

/// Where MaxMind's own test databases lie, beside the project; not part of it.
const SHARED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/geo");

fn countries(code: &'static str) -> Vec<u8> {
    let country = |code| Value::Map(vec![("iso_code", Value::Text(code))]);
    database(
        "Sample-Country",
        &[
            ("192.0.2.0", 24, Value::Map(vec![("country", country(code))])),
            ("198.51.100.0", 25, Value::Map(vec![("registered_country", country("SE"))])),
            ("203.0.113.7", 32, Value::Map(vec![("country_code", Value::Text("jp"))])),
            ("203.0.113.9", 32, Value::Map(vec![("country", country("xyz"))])),
            ("2001:db8::", 32, Value::Map(vec![("country", country("BR"))])),
        ],
    )
}

fn systems() -> Vec<u8> {
    let name = "A rather long name of an organisation, AG";
    database(
        "Sample-ASN",
        &[(
            "192.0.2.0",
            24,
            Value::Map(vec![
                ("autonomous_system_number", Value::Number(4_200_000_001)),
                ("autonomous_system_organization", Value::Text(name)),
            ]),
        )],
    )
}

fn written(directory: &Path, name: &str, content: &[u8]) -> PathBuf {
    let path = directory.join(name);
    fs::write(&path, content).unwrap();
    path
}

fn told(facts: &GeoFacts) -> (Option<&str>, Option<i64>, Option<&str>) {
    (facts.country.as_ref().map(|country| country.code()), facts.asn, facts.as_org.as_deref())
}

#[test]
fn an_address_has_its_country_and_system_however_a_database_spells_them() {
    let directory = tempfile::tempdir().unwrap();
    let config = GeoConfig {
        country: Some(written(directory.path(), "country.mmdb", &countries("DE"))),
        asn: Some(written(directory.path(), "asn.mmdb", &systems())),
    };
    let store = GeoStore::open(&config).unwrap();
    let mut geo = store.reader();
    let organisation = Some("A rather long name of an organisation, AG");
    // Twice: the second time from memory.
    for _ in 0..2 {
        for (address, expected) in [
            ("192.0.2.255", (Some("DE"), Some(4_200_000_001), organisation)),
            ("::ffff:192.0.2.1", (Some("DE"), Some(4_200_000_001), organisation)),
            ("198.51.100.127", (Some("SE"), None, None)),
            ("198.51.100.128", (None, None, None)),
            ("203.0.113.7", (Some("JP"), None, None)),
            ("203.0.113.9", (None, None, None)),
            ("2001:db8::1", (Some("BR"), None, None)),
            ("10.0.0.1", (None, None, None)),
            ("::", (None, None, None)),
        ] {
            assert_eq!(told(&geo.look_up(address.parse().unwrap())), expected, "{address}");
        }
    }
    assert!(store.describe()[0].ends_with("country.mmdb: Sample-Country, built 2026-05-28"));
    let nothing = GeoStore::open(&GeoConfig::default()).unwrap();
    assert_eq!(nothing.reader().look_up("192.0.2.1".parse().unwrap()), GeoFacts::default());
}

#[test]
fn a_changed_database_is_exchanged_and_a_broken_one_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = written(directory.path(), "country.mmdb", &countries("DE"));
    let config = GeoConfig { country: Some(path.clone()), asn: None };
    let store = GeoStore::open(&config).unwrap();
    let mut geo = store.reader();
    let mut country =
        || geo.look_up("192.0.2.1".parse().unwrap()).country.map(|c| c.code().to_owned());
    assert_eq!(country().as_deref(), Some("DE"));
    assert_eq!(store.reload_changed(), super::GeoReload::default());
    for (content, expected, refused) in [
        (countries("FR"), "FR", 0),
        (countries("IT")[..200].to_vec(), "FR", 1),
        (systems(), "FR", 1),
        (Vec::new(), "FR", 1),
        (countries("IT"), "IT", 0),
    ] {
        written(directory.path(), "next", &content);
        fs::rename(directory.path().join("next"), &path).unwrap();
        let done = store.reload_changed();
        assert_eq!((done.exchanged.len(), done.refused.len()), (1 - refused, refused));
        assert_eq!(country().as_deref(), Some(expected));
        // What was tried is not tried again until it changes.
        assert_eq!(store.reload_changed(), super::GeoReload::default());
    }
    fs::remove_file(&path).unwrap();
    assert_eq!(store.reload_changed().refused.len(), 1);
    assert_eq!(country().as_deref(), Some("IT"));
}

#[test]
fn what_cannot_be_used_is_refused_with_its_path_and_what_helps() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name, content: &[u8]| written(directory.path(), name, content);
    for (config, expected) in [
        ((Some(directory.path().join("none.mmdb")), None), "none.mmdb: cannot be read"),
        ((Some(file("text.mmdb", b"hello")), None), "text.mmdb: is not a whole MaxMind database"),
        (
            (Some(file("systems.mmdb", &systems())), None),
            "systems.mmdb: is a database of type \"Sample-ASN\", which holds no countries",
        ),
        (
            (None, Some(file("countries.mmdb", &countries("DE")))),
            "which holds no autonomous systems; name one that does",
        ),
    ] {
        let (country, asn) = config;
        let error = GeoStore::open(&GeoConfig { country, asn }).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn maxminds_own_test_databases_resolve_and_their_broken_ones_are_refused() {
    let shared = Path::new(SHARED);
    if !shared.is_dir() {
        eprintln!("skipped: {SHARED} is not there");
        return;
    }
    let store = |country: &str| {
        GeoStore::open(&GeoConfig {
            country: Some(shared.join(country)),
            asn: Some(shared.join("GeoLite2-ASN-Test.mmdb")),
        })
    };
    for file in ["GeoLite2-Country-Test.mmdb", "GeoLite2-City-Test.mmdb"] {
        let mut geo = store(file).unwrap().reader();
        for (address, country) in [
            ("2.125.160.216", "GB"),
            ("81.2.69.142", "GB"),
            ("89.160.20.112", "SE"),
            ("2001:218::", "JP"),
        ] {
            let facts = geo.look_up(address.parse().unwrap());
            assert_eq!(told(&facts).0, Some(country), "{file} {address}");
        }
        let facts = geo.look_up("1.128.0.0".parse().unwrap());
        assert_eq!((facts.asn, facts.as_org.as_deref()), (Some(1221), Some("Telstra Pty Ltd")));
    }
    for file in
        ["GeoIP2-City-Test-Broken-Double-Format.mmdb", "GeoIP2-City-Test-Invalid-Node-Count.mmdb"]
    {
        let error = store(file).unwrap_err().to_string();
        assert!(error.contains(file) && error.contains("download it again"), "{error}");
    }
}
