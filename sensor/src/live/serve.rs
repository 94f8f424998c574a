//! The loopback address where a running sensor is asked: `/metrics`, `/health`, `/ready` and
//! `/status` over HTTP/1 (RFC 9112), the little of it that a GET without a body needs.
//!
//! In: requests. Out: one answer each, then the connection is closed. A peer that is slow or many
//! gets nothing: this side must never be what the sensor waits for.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::metrics;
use super::status::Status;

/// Bytes of a request that are read: its first line is all that counts.
const REQUEST_BYTES_MAX: usize = 8 * 1024;

/// Requests at a time; whoever comes later is not answered.
const CONNECTIONS_MAX: usize = 16;

/// How long a request and its answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the answers are made of.
pub(super) trait Asked: Send + Sync + 'static {
    /// The latest look at the sensor.
    fn status(&self) -> Status;
    /// Whether packets are being looked for: the reading thread has moved lately.
    fn is_alive(&self) -> bool;
}

/// Answers for ever.
pub(super) async fn serve(listener: TcpListener, asked: Arc<impl Asked>) {
    let seats = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of descriptors, say; the next moment may be better.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let Ok(seat) = Arc::clone(&seats).try_acquire_owned() else { continue };
        let asked = Arc::clone(&asked);
        tokio::spawn(async move {
            // Whoever asks again gets the next answer; there is nobody to tell of a failure.
            let _ = timeout(PATIENCE, answer(stream, asked.as_ref())).await;
            drop(seat);
        });
    }
}

async fn answer(mut stream: TcpStream, asked: &impl Asked) -> std::io::Result<()> {
    let mut request = Vec::new();
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        if request.len() >= REQUEST_BYTES_MAX || stream.read_buf(&mut request).await? == 0 {
            break;
        }
    }
    let (status, content_type, body) = response(&request, asked);
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    stream.shutdown().await
}

const TEXT: &str = "text/plain; charset=utf-8";

/// Status line, content type and body.
fn response(request: &[u8], asked: &impl Asked) -> (&'static str, &'static str, String) {
    let line = request.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let mut words = line.split(|byte| *byte == b' ');
    let (method, target) = (words.next(), words.next().unwrap_or_default());
    if method != Some(b"GET") {
        return ("405 Method Not Allowed", TEXT, "only GET is answered\n".to_owned());
    }
    match target {
        b"/metrics" => {
            let text = metrics::exposition(asked.status());
            ("200 OK", metrics::CONTENT_TYPE, text)
        }
        b"/status" => match serde_json::to_string(&asked.status()) {
            Ok(json) => ("200 OK", "application/json", json + "\n"),
            Err(error) => ("500 Internal Server Error", TEXT, format!("{error}\n")),
        },
        b"/health" if asked.is_alive() => ("200 OK", TEXT, "alive\n".to_owned()),
        b"/health" => ("503 Service Unavailable", TEXT, "packets are not being read\n".to_owned()),
        b"/ready" => {
            let status = asked.status();
            let lost = status.interfaces.iter().find(|(_, heard)| !**heard);
            match lost {
                None if asked.is_alive() => ("200 OK", TEXT, "ready\n".to_owned()),
                None => ("503 Service Unavailable", TEXT, "not reading\n".to_owned()),
                Some((name, _)) => {
                    ("503 Service Unavailable", TEXT, format!("{name} is not heard\n"))
                }
            }
        }
        _ => ("404 Not Found", TEXT, "/metrics /health /ready /status\n".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Sensor {
        is_alive: bool,
        is_heard: bool,
    }

    impl Asked for Sensor {
        fn status(&self) -> Status {
            let mut status = Status::default();
            status.interfaces.insert("eth0".to_owned(), self.is_heard);
            status
        }

        fn is_alive(&self) -> bool {
            self.is_alive
        }
    }

    #[test]
    fn requests_are_answered_by_their_first_line() {
        for (request, is_alive, is_heard, expected) in [
            (&b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"[..], true, true, "200 OK"),
            (b"GET /health HTTP/1.1\r\n\r\n", false, true, "503 Service Unavailable"),
            (b"GET /ready HTTP/1.1\r\n\r\n", true, true, "200 OK"),
            (b"GET /ready HTTP/1.1\r\n\r\n", true, false, "503 Service Unavailable"),
            (b"GET /ready HTTP/1.1\r\n\r\n", false, true, "503 Service Unavailable"),
            (b"GET /metrics HTTP/1.0\r\n\r\n", true, true, "200 OK"),
            (b"GET /status HTTP/1.0\r\n\r\n", true, true, "200 OK"),
            (b"GET / HTTP/1.0\r\n\r\n", true, true, "404 Not Found"),
            (b"GET", true, true, "404 Not Found"),
            (b"POST /metrics HTTP/1.0\r\n\r\n", true, true, "405 Method Not Allowed"),
            (b"\xff\xfe", true, true, "405 Method Not Allowed"),
            (b"", true, true, "405 Method Not Allowed"),
        ] {
            let (status, _, _) = response(request, &Sensor { is_alive, is_heard });
            assert_eq!(status, expected, "{}", String::from_utf8_lossy(request));
        }
    }
}
