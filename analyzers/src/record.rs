//! Records: one declaration per table, from which come the archive's columns, the JSON, the printed
//! schema and the reference page.
//!
//! In: a struct declared with [`record!`](crate::record!). Out: a [`Table`] that describes it and
//! [`Record::cells`], which walks a row's values in column order. Sinks implement [`Row`] once and
//! know no protocol.

use std::any::Any;
use std::net::IpAddr;

use crate::flow_id::{Transport, Uid};
use crate::text::Text;
use crate::time::{StatedTime, Timestamp};

/// The type of a column, as engines see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ColumnKind {
    /// UTF-8 text.
    Text,
    /// True or false.
    Bool,
    /// Unsigned 8-bit integer.
    U8,
    /// Unsigned 16-bit integer.
    U16,
    /// Signed 32-bit integer.
    I32,
    /// Signed 64-bit integer.
    I64,
    /// 64-bit floating point number.
    F64,
    /// Microseconds since the Unix epoch, UTC.
    Time,
    /// List of texts.
    TextList,
    /// List of signed 64-bit integers.
    I64List,
}

/// What a column's values stand for: decides which indexes and encodings pay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Meaning {
    /// Nothing that a hunter looks up by its value alone.
    Plain,
    /// A value that hardly repeats, such as a uid.
    Identifier,
    /// An IP address.
    Address,
    /// A domain name.
    Domain,
    /// A URL or its path.
    Url,
    /// SHA-1 of a certificate.
    CertificateSha1,
    /// SHA-256 of a certificate.
    CertificateSha256,
    /// SHA-256 of a file.
    FileSha256,
    /// JA3, the fingerprint of a client's hello.
    Ja3,
    /// JA4, the fingerprint of a client's hello.
    Ja4,
    /// A fingerprint of a server's hello.
    ServerFingerprint,
    /// A file's name or path.
    FileName,
    /// A client's description of itself.
    UserAgent,
}

/// One column of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name, snake_case.
    pub name: &'static str,
    /// Its type.
    pub kind: ColumnKind,
    /// What its values stand for.
    pub meaning: Meaning,
    /// Its sentence of documentation; may start with a space, as doc comments do.
    pub doc: &'static str,
}

/// One table: what a record type looks like from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name, which is the folder in the archive.
    pub name: &'static str,
    /// Its sentence of documentation.
    pub doc: &'static str,
    /// Its own columns, which follow those of [`Header`].
    pub columns: &'static [Column],
}

/// One value on its way into a sink.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// Not seen.
    Null,
    /// Text of ours or bytes of the wire; the sink escapes it.
    Text(&'a Text),
    /// Text of ours.
    Str(&'a str),
    /// True or false.
    Bool(bool),
    /// Unsigned 8-bit integer.
    U8(u8),
    /// Unsigned 16-bit integer.
    U16(u16),
    /// Signed 32-bit integer.
    I32(i32),
    /// Signed 64-bit integer.
    I64(i64),
    /// 64-bit floating point number.
    F64(f64),
    /// An instant of packet time.
    Time(Timestamp),
    /// An instant that a message states.
    StatedTime(StatedTime),
    /// An address, written in its canonical text.
    Ip(IpAddr),
    /// A MAC address, written as `00:11:22:33:44:55`.
    Mac([u8; 6]),
    /// A flow's name.
    Uid(Uid),
    /// List of texts.
    TextList(&'a [Text]),
    /// List of integers.
    I64List(&'a [i64]),
}

/// A sink for one row: takes the values in column order.
pub trait Row {
    /// Takes the next value.
    fn put(&mut self, value: Value<'_>);
}

/// A row of a table, declared with [`record!`](crate::record!).
pub trait Record: Any + Send + std::fmt::Debug {
    /// The table that it belongs to.
    fn table(&self) -> &'static Table;

    /// Puts its values into `row`, in the order of the table's columns.
    fn cells(&self, row: &mut dyn Row);
}

/// A Rust type that can stand in a record's field.
pub trait Cell {
    /// The column's type.
    const KIND: ColumnKind;

    /// Puts the value.
    fn put(&self, row: &mut dyn Row);
}

impl<T: Cell> Cell for Option<T> {
    const KIND: ColumnKind = T::KIND;

    fn put(&self, row: &mut dyn Row) {
        match self {
            Some(value) => value.put(row),
            None => row.put(Value::Null),
        }
    }
}

macro_rules! cell {
    ($($type:ty => $kind:ident, |$value:ident| $put:expr;)+) => {$(
        impl Cell for $type {
            const KIND: ColumnKind = ColumnKind::$kind;

            fn put(&self, row: &mut dyn Row) {
                let $value = self;
                row.put($put);
            }
        }
    )+};
}

cell! {
    Text => Text, |text| Value::Text(text);
    &'static str => Text, |word| Value::Str(word);
    String => Text, |text| Value::Str(text);
    bool => Bool, |value| Value::Bool(*value);
    u8 => U8, |value| Value::U8(*value);
    u16 => U16, |value| Value::U16(*value);
    i32 => I32, |value| Value::I32(*value);
    i64 => I64, |value| Value::I64(*value);
    f64 => F64, |value| Value::F64(*value);
    Timestamp => Time, |value| Value::Time(*value);
    StatedTime => Time, |value| Value::StatedTime(*value);
    IpAddr => Text, |value| Value::Ip(*value);
    [u8; 6] => Text, |value| Value::Mac(*value);
    Uid => Text, |value| Value::Uid(*value);
    Vec<Text> => TextList, |list| Value::TextList(list);
    Vec<i64> => I64List, |list| Value::I64List(list);
}

impl Cell for Transport {
    const KIND: ColumnKind = ColumnKind::Text;

    fn put(&self, row: &mut dyn Row) {
        match self.name() {
            Some(name) => row.put(Value::Str(name)),
            None => row.put(Value::Str(&self.0.to_string())),
        }
    }
}

/// Declares a record: a struct whose every field carries a doc sentence, with its [`Table`].
///
/// `field: Type as Meaning` tells what the values stand for; without it they are `Plain`.
#[macro_export]
macro_rules! record {
    (
        $(#[doc = $doc:literal])+
        $visibility:vis struct $name:ident: $table:literal {
            $(
                $(#[doc = $field_doc:literal])+
                $field:ident: $type:ty $(as $meaning:ident)?
            ),+ $(,)?
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(Clone, Debug, PartialEq)]
        $visibility struct $name {
            $( $(#[doc = $field_doc])+ pub $field: $type, )+
        }

        impl $name {
            /// What the table looks like from outside.
            $visibility const TABLE: $crate::record::Table = $crate::record::Table {
                name: $table,
                doc: concat!($($doc),+),
                columns: &[$(
                    $crate::record::Column {
                        name: stringify!($field),
                        kind: <$type as $crate::record::Cell>::KIND,
                        meaning: $crate::record!(@meaning $($meaning)?),
                        doc: concat!($($field_doc),+),
                    },
                )+],
            };
        }

        impl $crate::record::Record for $name {
            fn table(&self) -> &'static $crate::record::Table {
                &Self::TABLE
            }

            fn cells(&self, row: &mut dyn $crate::record::Row) {
                $( $crate::record::Cell::put(&self.$field, row); )+
            }
        }
    };
    (@meaning) => { $crate::record::Meaning::Plain };
    (@meaning $meaning:ident) => { $crate::record::Meaning::$meaning };
}

record! {
    /// The columns that every table starts with: when, which flow, which sensor.
    pub struct Header: "" {
        /// Packet time of the record's first packet.
        ts: Timestamp,
        /// The flow this belongs to; the same capture gives the same uid on every run.
        uid: Option<Uid> as Identifier,
        /// Address of the flow's originator.
        src_ip: Option<IpAddr> as Address,
        /// Port of the flow's originator; ICMP: the type.
        src_port: Option<u16>,
        /// Address of the flow's responder.
        dst_ip: Option<IpAddr> as Address,
        /// Port of the flow's responder; ICMP: the code.
        dst_port: Option<u16>,
        /// `tcp`, `udp`, `icmp`, `icmp6`, `sctp`, else the IANA protocol number.
        proto: Option<Transport>,
        /// The sensor's name from its configuration.
        sensor: Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Words(Vec<String>);

    impl Row for Words {
        fn put(&mut self, value: Value<'_>) {
            self.0.push(format!("{value:?}"));
        }
    }

    record! {
        /// A table for this test.
        struct Sample: "sample" {
            /// A name.
            name: Option<Text> as Domain,
            /// A number.
            number: u16,
        }
    }

    #[test]
    fn one_declaration_gives_columns_and_cells_in_the_same_order() {
        let columns: Vec<_> = Sample::TABLE
            .columns
            .iter()
            .map(|c| (c.name, c.kind, c.meaning, c.doc.trim()))
            .collect();
        assert_eq!(
            columns,
            [
                ("name", ColumnKind::Text, Meaning::Domain, "A name."),
                ("number", ColumnKind::U16, Meaning::Plain, "A number."),
            ]
        );
        let mut row = Words::default();
        Sample { name: None, number: 7 }.cells(&mut row);
        assert_eq!(row.0, ["Null", "U16(7)"]);
    }
}
