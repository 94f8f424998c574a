//! A server on loopback that gives the answers it was told to give, one for each request.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

#[derive(Default)]
struct State {
    answers: VecDeque<String>,
    requests: Vec<String>,
    ended: bool,
}

pub(super) struct Server {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Server {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                if shared.lock().unwrap().ended {
                    return;
                }
                let request = read_request(&stream);
                let mut state = shared.lock().unwrap();
                state.requests.push(request);
                let answer = state.answers.pop_front().unwrap_or_default();
                let _ = (&stream).write_all(answer.as_bytes());
            }
        });
        Self { address, state }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Gives this answer to one request, and closes the connection. Its length is told unless the
    /// headers say something about it.
    pub(super) fn answers(&self, status: &str, headers: &str, body: &str) {
        let says_length = headers.contains("Content-Length") || headers.contains("Transfer-");
        let length =
            if says_length { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
        let headers = if headers.is_empty() { String::new() } else { format!("{headers}\r\n") };
        let answer =
            format!("HTTP/1.1 {status}\r\n{headers}{length}Connection: close\r\n\r\n{body}");
        self.state.lock().unwrap().answers.push_back(answer);
    }

    /// The last request, in lower case.
    pub(super) fn asked(&self) -> String {
        self.state.lock().unwrap().requests.pop().unwrap_or_default()
    }

    /// Drops answers that nobody asked for.
    pub(super) fn forget(&self) {
        self.state.lock().unwrap().answers.clear();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.state.lock().unwrap().ended = true;
        let _ = TcpStream::connect(self.address);
    }
}

fn read_request(stream: &TcpStream) -> String {
    let mut request = String::new();
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        if line.is_empty() {
            break;
        }
        request.push_str(&line.to_lowercase());
        request.push('\n');
    }
    request
}
