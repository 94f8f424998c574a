//! The `dns` table: what is kept of a query and its response.

use super::Response;
use super::dialect::Dialect;
use super::message::{Header, Question};
use super::mnemonic::{class_text, rcode_text, type_text};
use super::pending::Query;
use crate::record;
use crate::text::Text;

record! {
    /// One DNS, mDNS, LLMNR or NetBIOS name query with its response; either may be missing.
    pub struct DnsRecord: "dns" {
        /// `udp`, `tcp`, `mdns`, `llmnr` or `nbns`.
        transport: &'static str,
        /// Transaction id.
        id: u16,
        /// Operation, 0 for a standard query.
        opcode: u8,
        /// Name of the first question, lower-case without the final dot; the root is `.`. Where
        /// multicast DNS announces what nobody asked for: the first name that is announced.
        query: Option<Text> as Domain,
        /// Type of the first question by its IANA mnemonic, `TYPEn` where it has none.
        qtype: Option<Text>,
        /// Class of the first question by its IANA mnemonic, `CLASSn` where it has none.
        qclass: Option<Text>,
        /// Response code by its IANA mnemonic, EDNS extended codes included; null without response.
        rcode: Option<Text>,
        /// Authoritative answer; this bit and the next three are the response's where there is one.
        /// LLMNR has `tc` alone.
        aa: Option<bool>,
        /// The message was cut to fit its transport.
        tc: Option<bool>,
        /// Recursion desired.
        rd: Option<bool>,
        /// Recursion available.
        ra: Option<bool>,
        /// The answer section's data as text, in order; null without response.
        answers: Option<Vec<Text>> as Domain,
        /// Types of the answers, aligned with them.
        answer_types: Option<Vec<Text>>,
        /// Times to live of the answers in seconds, aligned with them.
        answer_ttls: Option<Vec<i64>>,
        /// Microseconds from the query to the response.
        rtt_us: Option<i64>,
        /// Size of the query's DNS message in bytes.
        query_bytes: Option<i64>,
        /// Size of the response's DNS message in bytes.
        response_bytes: Option<i64>,
    }
}

impl DnsRecord {
    /// A query that nobody answered.
    pub(super) fn unanswered(dialect: Dialect, query: Query) -> Self {
        let mut record = Self::asked(dialect, &query.header, query.question);
        record.query_bytes = bytes(query.bytes);
        record
    }

    /// A response, with the query that it answers.
    pub(super) fn answered(dialect: Dialect, query: Option<Query>, response: Response) -> Self {
        let message = response.message;
        let rcode = message.rcode();
        let mut record = Self::asked(dialect, &message.header, message.question);
        record.query = record.query.or(message.announced);
        if let Some(query) = query {
            record.rtt_us = Some(response.time.micros_since(query.time));
            let query = Self::unanswered(dialect, query);
            record.opcode = query.opcode;
            record.query_bytes = query.query_bytes;
            if query.query.is_some() {
                record.query = query.query;
                record.qtype = query.qtype;
                record.qclass = query.qclass;
            }
        }
        record.rcode = Some(rcode_text(rcode));
        record.answers = Some(message.answers.texts);
        record.answer_types = Some(message.answers.types);
        record.answer_ttls = Some(message.answers.ttls);
        record.response_bytes = bytes(response.bytes);
        record
    }

    /// What a header and a question say.
    fn asked(dialect: Dialect, header: &Header, question: Option<Question>) -> Self {
        // LLMNR gives two of these bits another meaning and reserves the third.
        let recursive = dialect != Dialect::Llmnr;
        let rtype = question.as_ref().and_then(|question| question.rtype);
        let class = question.as_ref().and_then(|question| question.class);
        Self {
            transport: dialect.name(),
            id: header.id,
            opcode: header.opcode(),
            query: question.and_then(|question| question.name),
            qtype: rtype.map(|number| type_text(number, dialect)),
            qclass: class.map(class_text),
            rcode: None,
            aa: recursive.then(|| header.authoritative()),
            tc: Some(header.truncated()),
            rd: recursive.then(|| header.recursion_desired()),
            ra: recursive.then(|| header.recursion_available()),
            answers: None,
            answer_types: None,
            answer_ttls: None,
            rtt_us: None,
            query_bytes: None,
            response_bytes: None,
        }
    }
}

/// A size as the archive counts it.
fn bytes(size: usize) -> Option<i64> {
    i64::try_from(size).ok()
}
