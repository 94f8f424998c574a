//! Domain names as people register them, by the Public Suffix List.
//!
//! In: names as records carry them: lower-case, without the final dot. Out: the part that somebody
//! bought or was given, and what stands in front of it.

/// Suffixes that are no part of the public tree: whatever is below them is a house's own affair.
const SPECIAL: &[&[u8]] = &[b"local", b"localhost", b"localdomain", b"invalid"];

/// Suffixes that are not on the list and yet lead to others: those that Namecoin, Emercoin and
/// OpenNIC resolve, where implants have their names when they fear for those of registrars; and
/// those that stand for the public tree in laboratories (RFC 2606).
const OTHER_ROOTS: &[&[u8]] = &[
    b"bazar", b"bbs", b"bit", b"chan", b"coin", b"cyb", b"dyn", b"emc", b"epic", b"example",
    b"geek", b"gopher", b"indy", b"lib", b"libre", b"neo", b"null", b"o", b"oss", b"oz", b"parody",
    b"pirate", b"sea", b"test",
];

/// The registrable domain of a name, such as `example.co.uk` of `www.example.co.uk`. The private
/// part of the list counts: `evil.github.io` belongs to someone else than `github.io`. Below a
/// suffix that is not on the list, one label belongs to someone.
///
/// `None` for addresses, for names of one label, for suffixes alone, and below `.local` and its
/// like.
#[must_use]
pub fn registrable(name: &[u8]) -> Option<&[u8]> {
    let domain = psl::domain(name)?;
    let suffix = domain.suffix();
    let is_ours = !suffix.is_known() && SPECIAL.contains(&suffix.as_bytes());
    let is_number = suffix.as_bytes().iter().all(u8::is_ascii_digit);
    (!is_ours && !is_number).then(|| domain.as_bytes())
}

/// The registrable domain of a name that anyone may have registered; `None` where the suffix is one
/// that houses make up for names of their own.
#[must_use]
pub fn public(name: &[u8]) -> Option<&[u8]> {
    let is_public = |domain: &&[u8]| {
        let suffix = psl::suffix(domain);
        suffix.is_some_and(|suffix| suffix.is_known() || OTHER_ROOTS.contains(&suffix.as_bytes()))
    };
    registrable(name).filter(is_public)
}

/// What stands in front of the registrable domain, without the dot between: `www`.
#[must_use]
pub fn below<'a>(name: &'a [u8], registrable: &[u8]) -> &'a [u8] {
    let rest = name.strip_suffix(registrable).unwrap_or_default();
    rest.strip_suffix(b".").unwrap_or(rest)
}

/// Whether a name is a domain or one below it.
#[must_use]
pub fn is_within(name: &[u8], domain: &[u8]) -> bool {
    name.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with(b"."))
}

/// A host header's name: without its port, in lower case. `None` for an address or nothing.
#[must_use]
pub fn of_host(host: &[u8]) -> Option<Vec<u8>> {
    if host.starts_with(b"[") {
        return None;
    }
    let name = host.split(|byte| *byte == b':').next().unwrap_or_default();
    let name = name.strip_suffix(b".").unwrap_or(name);
    let is_address =
        str::from_utf8(name).is_ok_and(|text| text.parse::<std::net::IpAddr>().is_ok());
    (!name.is_empty() && !is_address).then(|| name.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registrable_domains_are_those_of_the_list() {
        for (name, expected) in [
            ("www.example.com", Some("example.com")),
            ("example.com", Some("example.com")),
            ("a.b.example.co.uk", Some("example.co.uk")),
            ("evil.github.io", Some("evil.github.io")),
            ("x.evil.github.io", Some("evil.github.io")),
            ("com", None),
            ("co.uk", None),
            ("data.pirate.sea", Some("pirate.sea")),
            ("192.0.2.1", None),
            ("localhost", None),
            ("printer.local", None),
            ("", None),
            (".", None),
            ("..", None),
        ] {
            let found = registrable(name.as_bytes()).map(|name| str::from_utf8(name).unwrap());
            assert_eq!(found, expected, "{name:?}");
        }
    }

    #[test]
    fn names_that_a_house_made_up_are_not_public() {
        assert_eq!(public(b"dc1.corp.lan"), None);
        assert_eq!(public(b"www.example.com"), Some(&b"example.com"[..]));
        assert_eq!(public(b"a.qnjwed.bazar"), Some(&b"qnjwed.bazar"[..]));
    }

    #[test]
    fn what_is_below_a_domain_stands_without_its_dot() {
        assert_eq!(below(b"a.b.example.com", b"example.com"), b"a.b");
        assert_eq!(below(b"example.com", b"example.com"), b"");
        assert!(is_within(b"a.example.com", b"example.com"));
        assert!(!is_within(b"anexample.com", b"example.com"));
    }

    #[test]
    fn hosts_lose_their_port_and_addresses_are_no_names() {
        for (host, expected) in [
            ("Example.COM:8080", Some("example.com")),
            ("example.com.", Some("example.com")),
            ("192.0.2.1:80", None),
            ("[2001:db8::1]:443", None),
            ("", None),
            (":80", None),
        ] {
            let found = of_host(host.as_bytes());
            assert_eq!(found.as_deref(), expected.map(str::as_bytes), "{host:?}");
        }
    }
}
