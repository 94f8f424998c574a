//! Alerts as HTTP requests: one POST of one JSON object an alert, so that a SOAR can act on it.
//!
//! In: alerts. Out: requests over HTTP or HTTPS, one after the other. 2xx has arrived. What a
//! server says about the alert itself (400, 413, 422, …) refuses that alert at once; what it says
//! about the way there (401, 403, 404, 408, 429, …) is tried [`TRIES_MAX`] times, so that a token
//! can be put right; a server that fails or is not there (5xx, no connection) is tried for ever.
//! `Idempotency-Key` is the same for an alert that comes twice.

use std::sync::Arc;
use std::time::Duration;

use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use super::tls::trusted;
use super::{Letter, Sink, Taken};
use crate::alerts::config::WebhookConfig;
use crate::alerts::formats::Format;

/// How long one request may take in all.
const REQUEST: Duration = Duration::from_secs(10);

/// How often an alert is offered to a server that says that the way is wrong: some three minutes.
const TRIES_MAX: u32 = 10;

/// The sink.
pub(super) struct Webhook {
    config: WebhookConfig,
    agent: Agent,
    /// The alert that was offered last, and how often.
    tries: (u64, u32),
}

impl Webhook {
    /// # Errors
    /// The certificates cannot be read.
    pub(super) fn new(config: &WebhookConfig) -> Result<Self, String> {
        let roots = if config.url.starts_with("https:") {
            trusted(config.ca.as_deref())?
        } else {
            Vec::new()
        };
        let roots = roots.iter().map(|root| Certificate::from_der(root).to_owned()).collect();
        let tls = TlsConfig::builder().root_certs(RootCerts::Specific(Arc::new(roots))).build();
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(REQUEST))
            .tls_config(tls)
            .user_agent(concat!("Serval/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        Ok(Self { config: config.clone(), agent, tries: (0, 0) })
    }

    fn post(&self, letter: &Letter<'_>) -> Result<u16, ureq::Error> {
        let key = format!("{}-{}-{}", letter.alert.sensor, letter.alert.alert_id, letter.sequence);
        let is_plain = |c: &char| c.is_ascii_graphic();
        let mut request = self
            .agent
            .post(&self.config.url)
            .header("Content-Type", "application/json")
            .header("Idempotency-Key", key.chars().filter(is_plain).collect::<String>());
        for (name, value) in &self.config.headers {
            request = request.header(name, &value.0);
        }
        let body = Format::Json(self.config.format).render(letter);
        Ok(request.send(&body[..])?.status().as_u16())
    }
}

impl Sink for Webhook {
    fn write(&mut self, letter: &Letter<'_>) -> Result<Taken, String> {
        let url = &self.config.url;
        let status = self.post(letter).map_err(|error| format!("cannot reach {url}: {error}"))?;
        let answer = format!("{url} answers with status {status}");
        match status {
            200..=299 => Ok(Taken::Whole),
            300..=308 | 401 | 403 | 404 | 405 | 407 | 408 | 425 | 429 => {
                let tries = if self.tries.0 == letter.sequence { self.tries.1 + 1 } else { 1 };
                self.tries = (letter.sequence, tries);
                let is_enough = tries >= TRIES_MAX;
                if is_enough { Ok(Taken::Refused(answer)) } else { Err(answer) }
            }
            400..=499 => Ok(Taken::Refused(answer)),
            _ => Err(answer),
        }
    }

    fn flush(&mut self) -> Result<(), String> {
        Ok(())
    }

    /// Each answer is final, so that nothing is sent twice because of what comes after it.
    fn batch(&self) -> usize {
        1
    }

    fn reset(&mut self) {}
}
