//! Values: each spelling and its canonical form, each refusal and its reason.

use super::{Key, Kind, Scope, ValueError, unicode_name};

fn shown(key: Result<Key, ValueError>) -> Result<(Kind, String), ValueError> {
    key.map(|key| (key.kind(), key.to_string()))
}

#[test]
fn values_are_recognised_by_their_looks() {
    for (written, kind, canonical) in [
        ("Evil.Example.", Kind::Domain, "evil.example"),
        (" evil[.]example ", Kind::Domain, "evil.example"),
        (".evil.example", Kind::Domain, ".evil.example"),
        ("*.evil.example", Kind::Domain, ".evil.example"),
        ("_ldap._tcp.evil.example", Kind::Domain, "_ldap._tcp.evil.example"),
        ("bücher.example", Kind::Domain, "xn--bcher-kva.example"),
        ("XN--BCHER-KVA.example", Kind::Domain, "xn--bcher-kva.example"),
        ("192.0.2.7", Kind::Address, "192.0.2.7"),
        ("192.0.2[.]7", Kind::Address, "192.0.2.7"),
        ("::ffff:192.0.2.7", Kind::Address, "192.0.2.7"),
        ("2001:DB8::0:1", Kind::Address, "2001:db8::1"),
        ("192.0.2.77/24", Kind::Network, "192.0.2.0/24"),
        ("192.0.2.77/32", Kind::Address, "192.0.2.77"),
        ("192.0.2.77/31", Kind::Network, "192.0.2.76/31"),
        ("2001:db8:ffff::/33", Kind::Network, "2001:db8:8000::/33"),
        ("::ffff:192.0.2.77/120", Kind::Network, "192.0.2.0/24"),
        ("192.0.2.7:443", Kind::Endpoint, "192.0.2.7:443"),
        ("[2001:db8::1]:443", Kind::Endpoint, "[2001:db8::1]:443"),
        ("hxxp://evil[.]example/a", Kind::Url, "evil.example/a"),
        ("HTTPS://u:p@Evil.example:443", Kind::Url, "evil.example/"),
        ("http://evil.example:8080?q#f", Kind::Url, "evil.example:8080/?q"),
        ("evil.example/Path/", Kind::Url, "evil.example/Path/"),
        ("evil.example/folder/*", Kind::Url, "evil.example/folder/*"),
        ("http://[2001:DB8::1]:81/x", Kind::Url, "[2001:db8::1]:81/x"),
        ("http://192.0.2.7/24", Kind::Url, "192.0.2.7/24"),
        ("D41D8CD98F00B204E9800998ECF8427E", Kind::FileMd5, "d41d8cd98f00b204e9800998ecf8427e"),
        (
            "da39a3ee5e6b4b0d3255bfef95601890afd80709",
            Kind::FileSha1,
            "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        ),
        ("t13d1516h2_8daaf6152771_e5627efa2ab1", Kind::Ja4, "t13d1516h2_8daaf6152771_e5627efa2ab1"),
    ] {
        assert_eq!(shown(Key::guess(written)), Ok((kind, canonical.to_owned())), "{written}");
    }
}

#[test]
fn what_is_nothing_is_refused_with_its_reason() {
    use ValueError::{Empty, Invalid, TooDeep, TooLong, TooWide, TopLevel, Unrecognised, Wildcard};
    let long = "a".repeat(8 * 1024 + 1);
    for (written, reason) in [
        ("  ", Empty),
        (&long[..], TooLong),
        ("com", TopLevel),
        (".zip", TopLevel),
        ("evil..example", Unrecognised),
        ("evil example.org", Unrecognised),
        ("192.0.2.256", Unrecognised),
        ("192.0.2", Unrecognised),
        ("ev*l.example", Wildcard),
        ("http://evil.example/a*", Wildcard),
        ("http:///path", Invalid(Kind::Url)),
        ("http://evil.example/a b", Invalid(Kind::Url)),
        ("http://evil.example:99999/", Invalid(Kind::Url)),
        ("0.0.0.0/0", TooWide),
        ("10.0.0.0/7", TooWide),
        ("2001::/15", TooWide),
        ("10.0.0.0/33", Invalid(Kind::Network)),
        (".1.2.3.4.5.6.7.8.example", TooDeep),
        ("t13d1516h2_8daaf6152771_e5627efa2abx", TopLevel),
    ] {
        assert_eq!(Key::guess(written).unwrap_err(), reason, "{written}");
    }
    assert!(Key::guess("10.0.0.0/8").is_ok());
    assert!(Key::guess("2001::/16").is_ok());
    assert!(Key::guess(".2.3.4.5.6.7.8.example").is_ok());
}

#[test]
fn a_stated_kind_decides_and_is_checked() {
    let md5 = "d41d8cd98f00b204e9800998ecf8427e";
    for (kind, written, canonical) in [
        (Kind::Ja3, md5, Some(md5)),
        (Kind::FileSha1, md5, None),
        (
            Kind::CertificateSha1,
            "DA:39:A3:EE:5E:6B:4B:0D:32:55:BF:EF:95:60:18:90:AF:D8:07:09",
            Some("da39a3ee5e6b4b0d3255bfef95601890afd80709"),
        ),
        (Kind::FileName, r"C:\Windows\Temp\X.EXE", Some("c:/windows/temp/x.exe")),
        (Kind::FileName, r"folder\", None),
        (Kind::UserAgent, "Mozilla/4.0 (compatible)", Some("Mozilla/4.0 (compatible)")),
        (Kind::Address, "evil.example", None),
        (Kind::Domain, "192.0.2.7", None),
        (Kind::Endpoint, "192.0.2.7", None),
        (Kind::Ja4, "t13d1516h2", None),
    ] {
        let key = Key::parse(kind, written).ok().map(|key| key.to_string());
        assert_eq!(key.as_deref(), canonical, "{kind:?} {written}");
    }
}

#[test]
fn each_kind_is_found_by_its_own_name() {
    for (number, kind) in (0_u8..).zip(Kind::ALL) {
        assert_eq!(Kind::parse(kind.name()), Some(kind));
        assert_eq!(kind.number(), number);
    }
    assert_eq!(Kind::parse("ip:port"), Some(Kind::Endpoint));
    assert_eq!(Kind::parse("colour"), None);
}

#[test]
fn names_are_shown_in_their_own_script() {
    assert_eq!(unicode_name("xn--bcher-kva.example").as_deref(), Some("bücher.example"));
    assert_eq!(unicode_name("plain.example"), None);
    let key = Key::guess("例え.テスト").unwrap();
    assert_eq!(key.to_string(), "xn--r8jz45g.xn--zckzah");
    assert_eq!(key.scope(), Scope::Exact);
}
