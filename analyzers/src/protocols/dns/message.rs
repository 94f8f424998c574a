//! DNS messages (RFC 1035 §4): header, questions, records, and the response code that EDNS extends
//! (RFC 6891 §6.1.3).
//!
//! In: one message's bytes. Out: a [`Message`] with what the record keeps. A message that
//! contradicts itself or is cut gives what stands before the contradiction, and names it.

use super::dialect::Dialect;
use super::mnemonic::type_text;
use super::{name, rdata};
use crate::limits::DNS_ANSWER_TEXT_BYTES;
use crate::malformed::Malformed;
use crate::reader::Reader;
use crate::text::Text;

/// Type of the EDNS pseudo-record.
const OPT: u16 = 41;

/// Operation of DNS Stateful Operations, whose messages hold other things than records (RFC 8490).
const STATEFUL_OPERATION: u8 = 6;

/// Bytes of a header.
pub(super) const HEADER_BYTES: usize = 12;

/// The fixed start of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) id: u16,
    pub(super) flags: u16,
    pub(super) questions: u16,
    pub(super) answers: u16,
    pub(super) authorities: u16,
    pub(super) additionals: u16,
}

impl Header {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            id: reader.u16("id")?,
            flags: reader.u16("flags")?,
            questions: reader.u16("question count")?,
            answers: reader.u16("answer count")?,
            authorities: reader.u16("authority count")?,
            additionals: reader.u16("additional count")?,
        })
    }

    pub(super) const fn is_response(&self) -> bool {
        self.flags & 0x8000 != 0
    }

    pub(super) const fn opcode(&self) -> u8 {
        (self.flags >> 11) as u8 & 0x0f
    }

    pub(super) const fn authoritative(&self) -> bool {
        self.flags & 0x0400 != 0
    }

    pub(super) const fn truncated(&self) -> bool {
        self.flags & 0x0200 != 0
    }

    pub(super) const fn recursion_desired(&self) -> bool {
        self.flags & 0x0100 != 0
    }

    pub(super) const fn recursion_available(&self) -> bool {
        self.flags & 0x0080 != 0
    }

    pub(super) const fn rcode(&self) -> u16 {
        self.flags & 0x000f
    }

    /// Records of all sections.
    pub(super) fn records(&self) -> usize {
        let sections = [self.answers, self.authorities, self.additionals];
        sections.into_iter().fold(0, |sum, count| sum.saturating_add(usize::from(count)))
    }
}

/// What is asked, as far as it could be read; half a name is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Question {
    pub(super) name: Option<Text>,
    pub(super) rtype: Option<u16>,
    pub(super) class: Option<u16>,
}

/// The answer section, each record's data as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Answers {
    pub(super) texts: Vec<Text>,
    pub(super) types: Vec<Text>,
    pub(super) ttls: Vec<i64>,
}

/// One message.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) header: Header,
    /// The first question.
    pub(super) question: Option<Question>,
    /// Whose the first answer is, in a response of multicast DNS: those repeat no question
    /// (RFC 6762 §6).
    pub(super) announced: Option<Text>,
    /// Filled for responses only: what a query of multicast DNS already knows answers nothing.
    pub(super) answers: Answers,
    /// Bytes of text in `answers`.
    answer_text_bytes: usize,
    /// Whether answers were left out because their text grew beyond its bound.
    pub(super) answers_left_out: bool,
    /// The upper eight bits of the response code.
    extended_rcode: u8,
    /// The first contradiction.
    pub(super) malformed: Option<Malformed>,
}

impl Message {
    /// Reads a message.
    ///
    /// # Errors
    /// Not even the header is there.
    pub(super) fn read(bytes: &[u8], dialect: Dialect) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let mut message = Self {
            header: Header::read(&mut reader)?,
            question: None,
            announced: None,
            answers: Answers::default(),
            answer_text_bytes: 0,
            answers_left_out: false,
            extended_rcode: 0,
            malformed: None,
        };
        let sections = message.read_sections(&mut reader, dialect);
        message.note(sections.err());
        if !reader.is_empty() && message.header.opcode() != STATEFUL_OPERATION {
            message.note(Some(Malformed::bad_length("end of message", reader.offset())));
        }
        Ok(message)
    }

    /// The response code, EDNS's bits included.
    pub(super) fn rcode(&self) -> u16 {
        u16::from(self.extended_rcode) << 4 | self.header.rcode()
    }

    fn note(&mut self, malformed: Option<Malformed>) {
        self.malformed = self.malformed.or(malformed);
    }

    fn read_sections(&mut self, r: &mut Reader<'_>, dialect: Dialect) -> Result<(), Malformed> {
        for _ in 0..self.header.questions {
            self.read_question(r, dialect)?;
        }
        for _ in 0..self.header.answers {
            self.read_answer(r, dialect)?;
        }
        for _ in 0..self.header.authorities {
            Resource::read(r)?;
        }
        for _ in 0..self.header.additionals {
            let resource = Resource::read(r)?;
            if resource.rtype == OPT {
                [self.extended_rcode, ..] = resource.ttl.to_be_bytes();
            }
        }
        Ok(())
    }

    fn read_question(&mut self, r: &mut Reader<'_>, dialect: Dialect) -> Result<(), Malformed> {
        if self.question.is_some() {
            name::skip(r)?;
            return r.skip(4, "question");
        }
        let question = self.question.insert(Question::default());
        let mut name = Vec::with_capacity(64);
        let start = r.offset();
        let outcome = name::read(r, &mut name);
        if outcome.is_ok() {
            question.name = Some(match dialect {
                Dialect::Nbns => name::netbios(&name).unwrap_or(name).into(),
                _ => name.into(),
            });
        }
        // Behind a pointer that leads nowhere, the type still stands where it should.
        if r.offset() > start {
            question.rtype = Some(r.u16("question type")?);
            question.class = Some(dialect.class(r.u16("question class")?));
        }
        outcome
    }

    fn read_answer(&mut self, r: &mut Reader<'_>, dialect: Dialect) -> Result<(), Malformed> {
        if dialect == Dialect::Mdns && self.header.is_response() && self.answers.texts.is_empty() {
            let mut name = Vec::with_capacity(64);
            let owner = name::read(&mut r.clone(), &mut name);
            self.announced = owner.ok().map(|()| name.into());
        }
        let resource = Resource::read(r)?;
        if !self.header.is_response() {
            return Ok(());
        }
        if self.answer_text_bytes > DNS_ANSWER_TEXT_BYTES {
            self.answers_left_out = true;
            return Ok(());
        }
        let (text, malformed) = rdata::text(resource.rtype, &resource.data, dialect);
        self.answer_text_bytes = self.answer_text_bytes.saturating_add(text.as_bytes().len());
        self.answers.texts.push(text);
        self.answers.types.push(type_text(resource.rtype, dialect));
        self.answers.ttls.push(i64::from(resource.ttl));
        self.note(malformed);
        Ok(())
    }
}

/// A resource record without its owner's name.
struct Resource<'a> {
    rtype: u16,
    ttl: u32,
    /// Stands at the data's first byte and ends with it, but sees the message from its start.
    data: Reader<'a>,
}

impl<'a> Resource<'a> {
    fn read(r: &mut Reader<'a>) -> Result<Self, Malformed> {
        name::skip(r)?;
        let rtype = r.u16("record type")?;
        r.skip(2, "record class")?;
        let ttl = r.u32("time to live")?;
        let length = r.u16("record data length")?;
        let start = r.offset();
        r.skip(usize::from(length), "record data")?;
        let mut data = Reader::new(r.whole().get(..r.offset()).unwrap_or_default());
        data.seek(start, "record data")?;
        Ok(Self { rtype, ttl, data })
    }
}
