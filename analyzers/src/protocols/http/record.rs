//! The table `http`: what is kept of one exchange. In: an [`Exchange`]. Out: its row.

use super::exchange::Exchange;
use crate::record;
use crate::text::Text;

record! {
    /// One HTTP request with its response; HTTP/2 without TLS included.
    pub struct HttpRecord: "http" {
        /// 1 for the first request of the flow.
        depth: Option<i32>,
        /// Request method as sent.
        method: Option<Text>,
        /// Host header or `:authority` as sent, with its port, without user information.
        host: Option<Text> as Domain,
        /// Request target as sent.
        uri: Option<Text> as Url,
        /// Version of the request, else of the response: `1.0`, `1.1`, `2`.
        version: Option<Text>,
        /// User-Agent of the request.
        user_agent: Option<Text> as UserAgent,
        /// Referer of the request.
        referrer: Option<Text> as Url,
        /// Origin of the request.
        origin: Option<Text> as Url,
        /// X-Forwarded-For of the request; several are joined by a comma.
        x_forwarded_for: Option<Text>,
        /// User name of Basic or Digest authorization; never a password.
        username: Option<Text>,
        /// Status of the response; null when none was seen.
        status: Option<u16>,
        /// Reason phrase of the response.
        reason: Option<Text>,
        /// Media type of the request's body, without its parameters.
        request_content_type: Option<Text>,
        /// Media type of the response's body, without its parameters.
        content_type: Option<Text>,
        /// Server of the response.
        server: Option<Text>,
        /// Bytes of the request's body, without chunk headers.
        request_body_bytes: Option<i64>,
        /// Bytes of the response's body, without chunk headers, before content decoding.
        response_body_bytes: Option<i64>,
        /// SHA-256 of the complete response body after content decoding.
        response_sha256: Option<String> as FileSha256,
        /// Type of the complete response body by its first bytes.
        response_mime: Option<&'static str>,
    }
}

impl From<Exchange> for HttpRecord {
    fn from(exchange: Exchange) -> Self {
        let Exchange { depth, request, response, .. } = exchange;
        let request_body_bytes = request.as_ref().map(|request| request.body.bytes);
        let response_body_bytes = response.as_ref().map(|response| response.body.bytes);
        let request = request.unwrap_or_default();
        let response = response.unwrap_or_default();
        Self {
            depth,
            method: request.line.method,
            host: request.fields.host,
            uri: request.line.uri,
            version: request.line.version.or(response.line.version),
            user_agent: request.fields.user_agent,
            referrer: request.fields.referrer,
            origin: request.fields.origin,
            x_forwarded_for: request.fields.forwarded_for,
            username: request.fields.username,
            status: response.line.status,
            reason: response.line.reason,
            request_content_type: request.fields.content_type,
            content_type: response.fields.content_type,
            server: response.fields.server,
            request_body_bytes: request_body_bytes.map(clamp),
            response_body_bytes: response_body_bytes.map(clamp),
            response_sha256: response.body.sha256,
            response_mime: response.body.mime,
        }
    }
}

/// Counts are signed in the archive; what passes them does not occur in a lifetime.
fn clamp(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
