//! STIX patterns (OASIS STIX 2.1 §9), as far as a single packet or record can answer them: equality
//! of one property, all sub-domains of a name, alternatives of such, an address together with its
//! port, a file by its hash. Everything that needs two observations, an order or a time is refused
//! with its reason.

use crate::{Key, Kind, limits};

/// `object:path = value`, or `IN` with several.
#[derive(Debug, Default)]
struct Term {
    path: String,
    values: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    /// A word, an object path, a number.
    Word(String),
    /// A string.
    Text(String),
    /// `[ ] ( ) , =` and comparison signs.
    Sign(&'static str),
    End,
}

/// The values for which a pattern looks.
pub(super) fn keys(pattern: &str) -> Result<Vec<Key>, String> {
    let mut parser = Parser { rest: pattern, terms: 0, next: Token::End };
    parser.step()?;
    let mut keys = Vec::new();
    loop {
        parser.sign("[")?;
        parser.alternatives(&mut keys)?;
        parser.sign("]")?;
        match std::mem::replace(&mut parser.next, Token::End) {
            Token::End => return Ok(keys),
            Token::Word(word) if word == "OR" => parser.step()?,
            Token::Word(word) if ["AND", "FOLLOWEDBY"].contains(&word.as_str()) => {
                return Err(format!("{word} between observations is not matched on"));
            }
            Token::Word(word) if ["WITHIN", "REPEATS", "START"].contains(&word.as_str()) => {
                return Err(format!("the qualifier {word} is not matched on"));
            }
            other => return Err(unexpected(&other)),
        }
    }
}

struct Parser<'a> {
    rest: &'a str,
    terms: usize,
    next: Token,
}

impl Parser<'_> {
    /// Conjunctions between `OR`.
    fn alternatives(&mut self, keys: &mut Vec<Key>) -> Result<(), String> {
        loop {
            let mut terms = vec![self.term()?];
            while self.word("AND")? {
                terms.push(self.term()?);
            }
            keys.extend(keys_of(&terms)?);
            if !self.word("OR")? {
                return Ok(());
            }
        }
    }

    fn term(&mut self) -> Result<Term, String> {
        self.terms += 1;
        if self.terms > limits::PATTERN_TERMS {
            return Err(format!("more than {} terms", limits::PATTERN_TERMS));
        }
        let path = match self.take()? {
            Token::Word(word) if word == "NOT" => return Err("NOT is not matched on".to_owned()),
            Token::Word(path) if path.contains(':') => path,
            Token::Sign("(") => return Err("parentheses are not read".to_owned()),
            other => return Err(unexpected(&other)),
        };
        let mut term = Term { path, values: Vec::new() };
        match self.take()? {
            Token::Sign("=") => term.values.push(self.value()?),
            Token::Word(word) if word == "IN" => {
                self.sign("(")?;
                term.values.push(self.value()?);
                while self.next == Token::Sign(",") {
                    self.step()?;
                    term.values.push(self.value()?);
                }
                self.sign(")")?;
            }
            Token::Word(word) if word == "LIKE" && term.path == "domain-name:value" => {
                let like = self.value()?;
                let name = like.strip_prefix('%').filter(|name| name.starts_with('.'));
                let name = name.filter(|name| !name.contains(['%', '_']));
                let only = || "LIKE is read for all sub-domains ('%.example.org') only".to_owned();
                term.values.push(name.ok_or_else(only)?.to_owned());
            }
            Token::Word(word) => return Err(format!("the comparison {word} is not matched on")),
            Token::Sign(sign) => return Err(format!("the comparison {sign} is not matched on")),
            other => return Err(unexpected(&other)),
        }
        Ok(term)
    }

    fn value(&mut self) -> Result<String, String> {
        match self.take()? {
            Token::Text(text) | Token::Word(text) => Ok(text),
            other => Err(unexpected(&other)),
        }
    }

    fn word(&mut self, word: &str) -> Result<bool, String> {
        let found = matches!(&self.next, Token::Word(next) if next == word);
        if found {
            self.step()?;
        }
        Ok(found)
    }

    fn sign(&mut self, sign: &'static str) -> Result<(), String> {
        match self.take()? {
            Token::Sign(found) if found == sign => Ok(()),
            other => Err(format!("{} where {sign} should be", unexpected(&other))),
        }
    }

    fn take(&mut self) -> Result<Token, String> {
        let token = std::mem::replace(&mut self.next, Token::End);
        self.step()?;
        Ok(token)
    }

    fn step(&mut self) -> Result<(), String> {
        self.rest = self.rest.trim_start();
        self.next = if self.rest.is_empty() {
            Token::End
        } else if let Some(inner) = self.rest.strip_prefix('\'') {
            let (text, rest) = string(inner)?;
            self.rest = rest;
            Token::Text(text)
        } else if let Some(sign) = SIGNS.iter().find(|sign| self.rest.starts_with(**sign)) {
            self.rest = &self.rest[sign.len()..];
            Token::Sign(if *sign == "==" { "=" } else { sign })
        } else {
            let (word, rest) = word(self.rest)?;
            self.rest = rest;
            Token::Word(word)
        };
        Ok(())
    }
}

const SIGNS: [&str; 12] = ["[", "]", "(", ")", ",", "==", "=", "!=", "<=", ">=", "<", ">"];

/// A string up to its quote, `\` taken off, and what follows.
fn string(inner: &str) -> Result<(String, &str), String> {
    let mut text = String::new();
    let mut chars = inner.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\'' => return Ok((text, &inner[at + 1..])),
            '\\' => text.extend(chars.next().map(|(_, escaped)| escaped)),
            _ => text.push(c),
        }
    }
    Err("a string is not closed".to_owned())
}

/// A word or an object path, whose steps may be quoted (`file:hashes.'SHA-256'`), and what follows.
fn word(text: &str) -> Result<(String, &str), String> {
    let mut word = String::new();
    let mut rest = text;
    loop {
        let end = rest
            .find(|c: char| c.is_whitespace() || "[](),=!<>'".contains(c))
            .unwrap_or(rest.len());
        word.push_str(&rest[..end]);
        rest = &rest[end..];
        match rest.strip_prefix('\'') {
            Some(inner) if word.ends_with('.') => {
                let (step, after) = string(inner)?;
                word.push_str(&step);
                rest = after;
            }
            _ if word.is_empty() => {
                let sign = rest.chars().next().unwrap_or_default();
                return Err(format!("{} is not understood", super::quoted(&sign.to_string())));
            }
            _ => return Ok((word, rest)),
        }
    }
}

fn unexpected(token: &Token) -> String {
    match token {
        Token::Word(text) => format!("unexpected {}", super::quoted(text)),
        Token::Text(text) => format!("unexpected string {}", super::quoted(text)),
        Token::Sign(sign) => format!("unexpected {sign}"),
        Token::End => "the pattern ends too early".to_owned(),
    }
}

/// What terms that must all hold look for.
fn keys_of(terms: &[Term]) -> Result<Vec<Key>, String> {
    match terms {
        [term] => keys_of_term(term),
        [one, other] if is_endpoint(one, other) => endpoints(one, other),
        [one, other] if is_endpoint(other, one) => endpoints(other, one),
        // A hash names the file whatever else is said of it.
        _ if terms.iter().all(|term| term.path.starts_with("file:")) => {
            let hashes = terms.iter().filter(|term| term.path.starts_with("file:hashes."));
            let keys: Result<Vec<_>, _> = hashes.map(keys_of_term).collect();
            let keys: Vec<Key> = keys?.into_iter().flatten().collect();
            if keys.is_empty() { Err(AND.to_owned()) } else { Ok(keys) }
        }
        _ => Err(AND.to_owned()),
    }
}

const AND: &str = "AND is read for an address with its port and for a file with its hash only";

fn is_endpoint(address: &Term, port: &Term) -> bool {
    address.path == "network-traffic:dst_ref.value" && port.path == "network-traffic:dst_port"
}

fn endpoints(address: &Term, port: &Term) -> Result<Vec<Key>, String> {
    let pairs = address.values.iter().flat_map(|address| {
        port.values.iter().map(move |port| {
            if address.contains(':') {
                format!("[{address}]:{port}")
            } else {
                format!("{address}:{port}")
            }
        })
    });
    pairs.map(|pair| key(Kind::Endpoint, &pair)).collect()
}

fn keys_of_term(term: &Term) -> Result<Vec<Key>, String> {
    let kind = match term.path.as_str() {
        "domain-name:value" => Kind::Domain,
        "ipv4-addr:value" | "ipv6-addr:value" | "network-traffic:dst_ref.value" => Kind::Address,
        "url:value" => Kind::Url,
        "file:hashes.MD5" => Kind::FileMd5,
        "file:hashes.SHA-1" | "file:hashes.SHA1" => Kind::FileSha1,
        "file:hashes.SHA-256" | "file:hashes.SHA256" => Kind::FileSha256,
        "file:name" => Kind::FileName,
        "x509-certificate:hashes.SHA-1" | "x509-certificate:hashes.SHA1" => Kind::CertificateSha1,
        "x509-certificate:hashes.SHA-256" | "x509-certificate:hashes.SHA256" => {
            Kind::CertificateSha256
        }
        "network-traffic:extensions.http-request-ext.request_header.User-Agent" => Kind::UserAgent,
        other => return Err(format!("{} is not matched on", super::quoted(other))),
    };
    let keys = term.values.iter().map(|value| match kind {
        Kind::Address if value.contains('/') => key(Kind::Network, value),
        Kind::Address if value.parse::<std::net::IpAddr>().is_err() => key(Kind::Domain, value),
        _ => key(kind, value),
    });
    keys.collect()
}

fn key(kind: Kind, value: &str) -> Result<Key, String> {
    Key::parse(kind, value).map_err(|error| format!("{}: {error}", super::quoted(value)))
}
