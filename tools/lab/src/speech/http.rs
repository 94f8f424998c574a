//! HTTP/1.1 requests and responses (RFC 9112).

use super::noise;

/// A request.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// `GET`, `POST`, …
    pub method: &'a str,
    /// Path and query.
    pub target: &'a str,
    /// Whom it is for.
    pub host: &'a str,
    /// Which program asks.
    pub user_agent: &'a str,
    /// Bytes of a body.
    pub body: usize,
}

impl Request<'_> {
    /// As it is sent; the connection is kept alive.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let Self { method, target, host, user_agent, body } = *self;
        let length = if body == 0 && method == "GET" {
            String::new()
        } else {
            format!("Content-Type: application/octet-stream\r\nContent-Length: {body}\r\n")
        };
        let head = format!(
            "{method} {target} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {user_agent}\r\n\
             Accept: */*\r\n{length}\r\n"
        );
        [head.into_bytes(), noise(body)].concat()
    }
}

/// A response with a body of so many bytes.
#[must_use]
pub fn response(status: &str, content_type: &str, body: usize) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status}\r\nServer: nginx\r\nContent-Type: {content_type}\r\n\
         Content-Length: {body}\r\n\r\n"
    );
    [head.into_bytes(), noise(body)].concat()
}
