//! A server on loopback that takes alerts by POST, and what is made of its answers.

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::Mutex;

use super::*;
use crate::alerts::config::SinkKind;
use crate::alerts::sinks::{self, Letter, Taken};

/// A request that came.
#[derive(Clone, Debug)]
struct Request {
    line: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Request {
    fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// A server that answers with these states, then with 204 for ever.
struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    fn start(states: &[u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::<Mutex<Vec<Request>>>::default();
        let (seen, states) = (Arc::clone(&requests), states.to_vec());
        thread::spawn(move || {
            let mut states = states.into_iter();
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let request = read_request(&mut BufReader::new(&stream));
                seen.lock().unwrap().push(request);
                let state = states.next().unwrap_or(204);
                let answer = format!(
                    "HTTP/1.1 {state} X\r\nContent-Length: 0\r\nLocation: /other\r\n\
                     Connection: close\r\n\r\n"
                );
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        Self { address, requests }
    }

    fn sink(&self) -> String {
        format!(
            "{{ type = \"webhook\", url = \"http://{}/hook?x=1\", headers = {{ Authorization = \
             \"Bearer t\" }} }}",
            self.address
        )
    }

    fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

fn read_request(reader: &mut impl BufRead) -> Request {
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).unwrap();
        let Some((name, value)) = header.trim_end().split_once(": ") else { break };
        headers.push((name.to_owned(), value.to_owned()));
    }
    let mut request = Request { line: line.trim_end().to_owned(), headers, body: String::new() };
    let length = request.header("content-length").unwrap().parse().unwrap();
    reader.take(length).read_to_string(&mut request.body).unwrap();
    request
}

#[test]
fn every_alert_is_one_request() {
    let server = Server::start(&[]);
    let summary = deliver(&config(&server.sink()), None, 30);
    assert!(summary.is_complete(), "{summary}");
    let requests = server.requests();
    assert_eq!(requests.len(), 30);
    for (at, request) in (0..).zip(&requests) {
        assert_eq!(request.line, "POST /hook?x=1 HTTP/1.1");
        assert_eq!(request.header("content-type"), Some("application/json"));
        assert_eq!(request.header("authorization"), Some("Bearer t"));
        let key = format!("edge-1-{at:016x}-{}", at + 1);
        assert_eq!(request.header("idempotency-key"), Some(key.as_str()));
        assert_eq!(json(&request.body)["seq"], at + 1);
    }
}

#[test]
fn a_server_that_fails_is_asked_again_with_the_same_key() {
    let server = Server::start(&[204, 503, 500, 204]);
    let summary = deliver(&config(&server.sink()), None, 3);
    assert!(summary.is_complete(), "{summary}");
    let keys: Vec<_> = server
        .requests()
        .iter()
        .map(|request| {
            request.header("idempotency-key").unwrap().rsplit_once('-').unwrap().1.to_owned()
        })
        .collect();
    assert_eq!(keys, ["1", "2", "2", "2", "3"]);
}

#[test]
fn an_alert_that_the_server_does_not_want_is_counted_and_the_next_goes_on() {
    let server = Server::start(&[204, 422]);
    let summary = deliver(&config(&server.sink()), None, 3);
    let progress = &summary.sinks[0].progress;
    assert_eq!((progress.delivered, progress.refused, summary.sinks[0].owed), (2, 1, 0));
    assert!(!summary.is_complete());
    let told = summary.to_string();
    assert!(told.contains("1 refused") && told.contains("answers with status 422"), "{told}");
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn a_server_that_says_the_way_is_wrong_is_not_asked_for_ever() {
    for state in [401, 404, 429, 302] {
        let server = Server::start(&[state; 20]);
        let alerts = config(&server.sink());
        let SinkKind::Webhook(_) = &alerts.sinks[0] else { panic!() };
        let mut sink = sinks::make(&alerts.sinks[0]).unwrap();
        let alert = Alert::default();
        let letter = Letter { sequence: 1, alert: &alert, json: b"{}" };
        for _ in 0..9 {
            assert!(sink.write(&letter).unwrap_err().ends_with(&state.to_string()));
        }
        assert!(matches!(sink.write(&letter), Ok(Taken::Refused(_))));
        let requests = server.requests();
        assert!(requests.iter().all(|request| request.line.contains("/hook")), "no redirection");
    }
}

#[test]
fn what_the_server_wants_to_know_is_not_printed() {
    let server = Server::start(&[]);
    let config = config(&server.sink());
    assert!(!format!("{config:?}").contains("Bearer"));
    assert!(!toml::to_string(&config).unwrap().contains("Bearer"));
}
