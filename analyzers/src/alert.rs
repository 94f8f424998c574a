//! The row of the `alert` table: what the sensor found, with the reasons.
//!
//! In: findings of detectors, matches of indicators, incidents. Out: the columns that the archive,
//! the JSON stream and every alert sink carry. The header's `ts` is `first_ts`; its flow is the
//! first of the flows behind the alert.

use crate::record;
use crate::text::Text;
use crate::time::Timestamp;

record! {
    /// One finding about a host: an indicator that matched, a behaviour, or an incident that joins
    /// several.
    pub struct AlertRecord: "alert" {
        /// Stable: the same capture and configuration give the same id.
        alert_id: Text as Identifier,
        /// Who found it: `intel`, `beacon`, `smb_scan`, `rdp_off_hours`, …, `incident`.
        detector: &'static str,
        /// One line that tells what happened.
        title: Text,
        /// A paragraph with the figures that led to it.
        description: Text,
        /// `P0` special, `P1` major, `P2` larger, `P3` ordinary: the levels of GB/T 20986-2023.
        severity: &'static str,
        /// Severity from 1 to 10, for SIEMs.
        severity_number: u8,
        /// How likely it is what the title says, 0 to 1.
        confidence: f64,
        /// Techniques of MITRE ATT&CK by their ids.
        technique: Vec<Text>,
        /// Stage of the attack: `reconnaissance`, `command_and_control`, `lateral_movement`, …
        stage: &'static str,
        /// The address to go and look at.
        host: Option<Text> as Address,
        /// The indicator that matched.
        indicator: Option<Text>,
        /// Its kind: `domain`, `address`, `url`, `ja4`, …
        indicator_type: Option<&'static str>,
        /// Malware family or actor that the feed names.
        family: Option<Text>,
        /// The feed that the indicator came from.
        intel_source: Option<Text>,
        /// Packet time of the first thing that the alert sums up.
        first_ts: Timestamp,
        /// Packet time of the last thing that the alert sums up.
        last_ts: Timestamp,
        /// How many things the alert sums up.
        count: i64,
        /// JSON object: the figures and the uids behind the alert.
        evidence: Text,
        /// A SQL query over the archive that shows the evidence.
        hunt: Option<Text>,
        /// The incident that this belongs to.
        incident: Option<Text> as Identifier,
    }
}
