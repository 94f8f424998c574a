//! The check, and the sample held against the declarations.

use std::collections::BTreeMap;
use std::fs;

use serde::Deserialize;
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};

use super::sample::{SETTINGS, knobs, sample};
use super::source::Step::{Item, Key};
use super::*;

/// Asks a type which fields it reads, by playing a file of one key.
struct Asking<'a> {
    path: &'a [&'static str],
    fields: &'a mut Option<&'static [&'static str]>,
}

type Stop = serde::de::value::Error;

impl<'de> Deserializer<'de> for Asking<'_> {
    type Error = Stop;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Stop> {
        Err(Stop::custom("no table"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        if self.path.is_empty() {
            *self.fields = Some(fields);
            return Err(Stop::custom("this is what was asked"));
        }
        visitor.visit_map(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

impl<'de> MapAccess<'de> for Asking<'_> {
    type Error = Stop;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Stop> {
        let key = self.path.first().copied().ok_or_else(|| Stop::custom("no key"))?;
        seed.deserialize(StrDeserializer::new(key)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Stop> {
        let path = self.path.get(1..).unwrap_or_default();
        seed.deserialize(Asking { path, fields: self.fields })
    }
}

/// The fields of the table at that path; `None` where there is no table.
fn fields(path: &[&'static str]) -> Option<&'static [&'static str]> {
    let mut fields = None;
    let _ = Config::deserialize(Asking { path, fields: &mut fields });
    fields
}

/// The keys of each section, as the declarations have them; `[a.b]` is a section of its own.
fn declared() -> BTreeMap<String, Vec<&'static str>> {
    let mut sections = BTreeMap::new();
    for section in fields(&[]).unwrap() {
        let mut keys = Vec::new();
        for key in fields(&[section]).unwrap() {
            match fields(&[section, key]) {
                None => keys.push(*key),
                Some(below) => drop(sections.insert(format!("{section}.{key}"), below.to_vec())),
            }
        }
        sections.insert((*section).to_owned(), keys);
    }
    sections.retain(|_, keys| !keys.is_empty());
    sections
}

/// The keys of each section in the sample, commented out or not.
fn sampled() -> BTreeMap<String, Vec<&'static str>> {
    let mut sections: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let mut section = String::new();
    for line in SETTINGS.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            section = name.to_owned();
        } else if let Some((key, _)) = line.trim_start_matches("# ").split_once(" = ")
            && key.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c.is_ascii_digit())
        {
            sections.entry(section.clone()).or_default().push(key);
        }
    }
    sections
}

#[test]
fn the_sample_shows_every_setting_and_no_other() {
    let sorted = |mut sections: BTreeMap<String, Vec<&'static str>>| {
        sections.values_mut().for_each(|keys| {
            keys.sort_unstable();
            keys.dedup();
        });
        sections
    };
    let mut declared = declared();
    declared.retain(|section, _| !section.starts_with("detect."));
    assert_eq!(sorted(sampled()), sorted(declared));
}

#[test]
fn the_sample_names_every_knob_of_every_detector() {
    let sample = sample();
    for detector in analyzers::detectors::ALL {
        let documentation = detector.documentation();
        let text: String = knobs(&documentation).collect();
        for knob in fields(&["detect", detector.name]).unwrap() {
            assert!(text.contains(&format!("`{knob}`")), "{}: {knob}", detector.name);
        }
        assert!(sample.contains(&format!("# [detect.{}]", detector.name)));
    }
    assert_eq!(toml::from_str::<Config>(&sample).unwrap(), Config::default());
}

#[test]
fn the_sample_is_the_default() {
    assert_eq!(toml::from_str::<Config>(SETTINGS).unwrap(), Config::default());
}

#[test]
fn what_the_sample_shows_in_comments_can_be_used() {
    let used: String = SETTINGS
        .lines()
        .map(|line| {
            let text = line.strip_prefix("# ").unwrap_or_default();
            let is_key = text.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '));
            let is_setting = is_key || text.trim_start().starts_with(['{', ']']);
            format!("{}\n", if is_setting { text } else { line })
        })
        .collect();
    if let Err(error) = toml::from_str::<Config>(&used) {
        panic!("{error}");
    }
}

/// A file with that text, and what a check says about it.
fn problems(text: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("serval.toml");
    fs::write(&path, text).unwrap();
    let config = Config::load(Some(&path)).unwrap_or_else(|error| panic!("{error}"));
    let source = Source::read(Some(&path)).unwrap();
    let mut findings = Findings::default();
    for check in CHECKS {
        (check.run)(&Checked { config: &config, source: &source }, &mut findings);
    }
    let problems = findings.problems.iter().map(Problem::to_string);
    problems.map(|text| text.replace(&format!("{}/", folder.path().display()), "")).collect()
}

#[test]
fn the_default_has_no_problem() {
    assert_eq!(problems(""), [""; 0]);
    assert_eq!(problems(SETTINGS), [""; 0]);
}

#[test]
fn problems_have_file_line_and_remedy() {
    for (text, place, remedy) in [
        ("[sensor]\n\ntimezone = \"Mars/Base\"", "serval.toml:3: ", "IANA name"),
        ("[sensor]\nhome_networks = []", "serval.toml:2: ", "name the guarded networks"),
        ("[sensor]\nstate = \"/proc/version\"", "serval.toml:2: ", "choose another"),
        ("[watch]\noff = [\n\"canary\",\n\"nothing\"]", "serval.toml:4: ", "canary"),
        ("[schedule]\ncalendar = \"/no\"", "serval.toml:2: ", "holiday-cn"),
        ("[archive]\npath = \"/proc/version\"", "serval.toml:2: ", "choose another"),
        ("[intel]\nfeeds = [{ path = \"/no\" }]", "serval.toml:2: ", "correct `path`"),
        ("[intel]\nallow = [\"/no\"]", "serval.toml:2: ", "/no"),
        ("[geoip]\nasn = \"/no\"", "serval.toml", "fetch the database again"),
        (
            "[alerts]\nsinks = [\n{ type = \"stdout\" },\n{ type = \"stdout\" }]",
            "serval.toml:4: ",
            "another `name`",
        ),
        (
            "[alerts]\nsinks = [{ type = \"syslog\", address = \"tls://a\", ca = \"/no\" }]",
            "serval.toml:2: ",
            "`ca`: /no",
        ),
    ] {
        let found = problems(text);
        let [problem] = &found[..] else { panic!("{text}: {found:?}") };
        assert!(problem.starts_with(place) && problem.contains(remedy), "{problem}");
    }
}

#[test]
fn a_feeds_own_lines_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let feed = folder.path().join("feed.txt");
    fs::write(&feed, "evil.example\nnot a name at all\n").unwrap();
    let found = problems(&format!("[intel]\nfeeds = [{{ path = {feed:?}, type = \"domain\" }}]"));
    let [problem] = &found[..] else { panic!("{found:?}") };
    assert!(problem.contains("feed.txt") && problem.contains('2'), "{problem}");
}

#[test]
fn the_effective_configuration_is_whole_and_hides_keys() {
    let text = "[sensor]\nname = \"x\"\n[intel]\nfeeds = [{ url = \"https://a.example/b\", \
                headers = { Auth-Key = \"secret\" } }]\n[alerts]\nsinks = [{ type = \"jsonl\", \
                path = \"a.jsonl\" }]";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("serval.toml");
    fs::write(&path, text).unwrap();
    let config = Config::load(Some(&path)).unwrap();
    let source = Source::read(Some(&path)).unwrap();
    let printed = print::effective(&config, &source).unwrap();
    assert!(!printed.contains("secret"), "{printed}");
    let again: Config = toml::from_str(&printed).unwrap();
    assert_eq!(again.alerts, config.alerts);
    assert_eq!((&again.sensor, &again.flow), (&config.sensor, &config.flow));
    assert!(printed.contains("rotate = \"100MiB\""), "a sink's defaults are shown: {printed}");
}

#[test]
fn lines_of_settings_are_found() {
    let text = "[a]\nb = [\n  { c = 1 },\n  { c = 2 },\n]\n[a.d]\ne = 3\n";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.toml");
    fs::write(&path, text).unwrap();
    let source = Source::read(Some(&path)).unwrap();
    let at = |steps: &[_]| source.place(steps).rsplit_once(".toml").unwrap().1.to_owned();
    assert_eq!(at(&[Key("a"), Key("b"), Item(1)]), ":4");
    assert_eq!(at(&[Key("a"), Key("d"), Key("e")]), ":7");
    assert_eq!(at(&[Key("a"), Key("nowhere")]), "");
}
