//! Row groups that bloom filters rule out, before a scan is planned.
//!
//! In: files, and conditions that hold only for certain values of a column. Out: the files that may
//! hold such values, with the row groups of them that may. A filter of 128 KiB is asked by reading
//! the one block of 32 bytes that answers for a value; of a file that is ruled out only the footer
//! was read. Specification: the split block bloom filter of Apache Parquet (BloomFilter.md).

use std::ops::Range;
use std::slice;
use std::sync::Arc;

use bytes::Bytes;
use datafusion::common::ScalarValue;
use datafusion::datasource::physical_plan::parquet::ParquetAccessPlan;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::utils::{Guarantee, LiteralGuarantee};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use parquet::errors::ParquetError;
use parquet::file::metadata::{
    ColumnChunkMetaData, PageIndexPolicy, ParquetMetaData, ParquetMetaDataOptions,
    ParquetMetaDataReader, ParquetStatisticsPolicy,
};
use twox_hash::XxHash64;

use super::Archive;
use super::files::ArchiveFile;
use super::pieces::Pieces;

/// Files that are asked at the same time: asking an object store is waiting.
const ASKED_AT_ONCE: usize = 16;

/// Bytes of a file's end that are read for its footer; longer footers are read again, whole.
const FOOTER_BYTES: u64 = 16 * 1024;

/// Values for which filters are asked. With more, hardly a row group is without one that its filter
/// lets pass in error, and filters are read for nothing.
const VALUES: usize = 64;

/// Bytes of a block, the part of a filter that answers for a value.
const BLOCK_BYTES: u64 = 32;

/// Bytes of a filter's header that tell how long it is: a field's tag and a number of five bytes.
const HEADER_BYTES: u64 = 6;

/// Odd numbers by which a hash is spread over the words of a block.
const SALT: [u32; 8] = [
    0x47b6_137b,
    0x4497_4d91,
    0x8824_ad5b,
    0xa2b7_289d,
    0x7054_95c7,
    0x2df1_424b,
    0x9efc_4947,
    0x5c6b_fb31,
];

/// A column, and the values of which a row must have one.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Wanted {
    column: String,
    hashes: Vec<u64>,
}

/// What a condition wants of columns that may have filters.
#[derive(Clone, Debug, Default)]
pub(super) struct Needles(Arc<Vec<Wanted>>);

/// A file that may hold what is wanted.
#[derive(Debug)]
pub(super) struct Sifted {
    pub(super) file: ArchiveFile,
    /// The row groups that may; none where all may, or nobody asked.
    pub(super) access: Option<ParquetAccessPlan>,
}

/// What asking took, and what it spared.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Asked {
    pub(super) bytes_read: u64,
    pub(super) groups_ruled_out: u64,
}

impl Needles {
    /// The values that a condition wants: of equality and of short lists, joined by AND.
    pub(super) fn of(condition: &Arc<dyn PhysicalExpr>) -> Self {
        let wanted = LiteralGuarantee::analyze(condition).into_iter().filter_map(|known| {
            let is_few = known.guarantee == Guarantee::In && known.literals.len() <= VALUES;
            let hashes = known.literals.iter().map(hash).collect::<Option<Vec<u64>>>();
            let hashes = hashes.filter(|_| is_few)?;
            Some(Wanted { column: known.column.name().to_owned(), hashes })
        });
        Self(Arc::new(wanted.collect()))
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The files that may hold what is wanted, in their order.
    ///
    /// # Errors
    /// A file cannot be read or is no Parquet.
    pub(super) async fn sift(
        &self,
        archive: &Archive,
        files: Vec<ArchiveFile>,
    ) -> datafusion::error::Result<(Vec<Sifted>, Asked)> {
        let whole = |file| Sifted { file, access: None };
        if self.is_empty() {
            return Ok((files.into_iter().map(whole).collect(), Asked::default()));
        }
        let archive = Arc::new(archive.clone());
        let asking = stream::iter(files).map(|file| {
            let (wanted, archive) = (Arc::clone(&self.0), Arc::clone(&archive));
            // Footers are decoded by all threads.
            tokio::spawn(async move { ask(&wanted, &archive, file).await })
        });
        let answers: Vec<_> = asking
            .buffered(ASKED_AT_ONCE)
            .try_collect()
            .await
            .map_err(|error| datafusion::error::DataFusionError::External(Box::new(error)))?;
        let mut sifted = Vec::new();
        let mut asked = Asked::default();
        for answer in answers {
            let (file, effort) = answer?;
            asked.bytes_read += effort.bytes_read;
            asked.groups_ruled_out += effort.groups_ruled_out;
            sifted.extend(file);
        }
        Ok((sifted, asked))
    }
}

/// A text as filters know it; none of what no column of an archive has a filter for.
fn hash(value: &ScalarValue) -> Option<u64> {
    let text = value.try_as_str().flatten()?;
    Some(XxHash64::oneshot(0, text.as_bytes()))
}

/// Asks the filters of one file.
async fn ask(
    wanted: &[Wanted],
    archive: &Archive,
    file: ArchiveFile,
) -> datafusion::error::Result<(Option<Sifted>, Asked)> {
    let mut asked = Asked::default();
    let pieces = Pieces::open(archive, &file.object.location)?;
    let footer = footer(&pieces, file.object.size, &mut asked).await?;
    let mut access = ParquetAccessPlan::new_all(footer.num_row_groups());
    for wanted in wanted {
        let filters: Vec<(usize, Filter)> = filters(&footer, &wanted.column)
            .filter(|(group, _)| access.should_scan(*group))
            .collect();
        let ranges: Vec<_> = filters.iter().flat_map(|(_, filter)| filter.ranges(wanted)).collect();
        let parts = pieces.read(&ranges).await?;
        asked.bytes_read += ranges.iter().map(|range| range.end - range.start).sum::<u64>();
        for ((group, filter), parts) in filters.iter().zip(parts.chunks(1 + wanted.hashes.len())) {
            if !filter.may_hold(wanted, parts) {
                access.skip(*group);
                asked.groups_ruled_out += 1;
            }
        }
    }
    let left = (0..access.len()).filter(|group| access.should_scan(*group)).count();
    let sifted = match left {
        0 if !access.is_empty() => None,
        _ if left == access.len() => Some(Sifted { file, access: None }),
        _ => Some(Sifted { file, access: Some(access) }),
    };
    Ok((sifted, asked))
}

async fn footer(
    pieces: &Pieces<'_>,
    size: u64,
    asked: &mut Asked,
) -> datafusion::error::Result<ParquetMetaData> {
    // Of a footer only the places of filters are wanted.
    let options = ParquetMetaDataOptions::new()
        .with_column_stats_policy(ParquetStatisticsPolicy::SkipAll)
        .with_encoding_stats_policy(ParquetStatisticsPolicy::SkipAll)
        .with_size_stats_policy(ParquetStatisticsPolicy::SkipAll);
    let mut reader = ParquetMetaDataReader::new()
        .with_page_index_policy(PageIndexPolicy::Skip)
        .with_metadata_options(Some(options));
    let mut length = FOOTER_BYTES.min(size);
    loop {
        let bytes =
            pieces.read(slice::from_ref(&(size - length..size))).await?.pop().unwrap_or_default();
        asked.bytes_read += length;
        match reader.try_parse_sized(&bytes, size) {
            Ok(()) => return Ok(reader.finish()?),
            // The reader says how much it lacks; once more is then enough.
            Err(ParquetError::NeedMoreData(needed)) if length < size => {
                length = u64::try_from(needed).unwrap_or(size).max(length + 1).min(size);
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// The filters that a column has, by row group.
fn filters<'a>(
    footer: &'a ParquetMetaData,
    column: &'a str,
) -> impl Iterator<Item = (usize, Filter)> + 'a {
    footer.row_groups().iter().enumerate().filter_map(move |(group, metadata)| {
        let mut chunks = metadata.columns().iter();
        let chunk = chunks.find(|chunk| chunk.column_path().string() == column)?;
        Some((group, Filter::of(chunk)?))
    })
}

/// Where a filter lies in its file.
#[derive(Clone, Copy, Debug)]
struct Filter {
    offset: u64,
    /// Bytes of header and blocks.
    length: u64,
}

impl Filter {
    /// A column's filter, if it has one and says how long it is.
    fn of(chunk: &ColumnChunkMetaData) -> Option<Self> {
        let offset = u64::try_from(chunk.bloom_filter_offset()?).ok()?;
        let length = u64::try_from(chunk.bloom_filter_length()?).ok()?;
        (length > BLOCK_BYTES).then_some(Self { offset, length })
    }

    /// Bytes of its blocks: the largest power of two that leaves room for a header.
    const fn blocks_bytes(self) -> u64 {
        1 << self.length.ilog2()
    }

    /// What must be read of it: its header, and a block for each value.
    fn ranges(self, wanted: &Wanted) -> impl Iterator<Item = Range<u64>> {
        let bytes = self.blocks_bytes();
        let blocks = self.offset + self.length - bytes;
        let block = move |hash: &u64| {
            let start = blocks + block_of(*hash, bytes / BLOCK_BYTES) * BLOCK_BYTES;
            start..start + BLOCK_BYTES
        };
        std::iter::once(self.offset..self.offset + HEADER_BYTES)
            .chain(wanted.hashes.iter().map(block))
    }

    /// Whether the row group may hold one of the values, by what was read. A filter that is not as
    /// expected rules nothing out.
    fn may_hold(self, wanted: &Wanted, parts: &[Bytes]) -> bool {
        let Some((header, blocks)) = parts.split_first() else { return true };
        stated_bytes(header) != Some(self.blocks_bytes())
            || wanted.hashes.iter().zip(blocks).any(|(hash, block)| is_set(block, *hash))
    }
}

/// The block that answers for a hash.
const fn block_of(hash: u64, blocks: u64) -> u64 {
    ((hash >> 32) * blocks) >> 32
}

/// Whether a block has all bits of a hash.
fn is_set(block: &[u8], hash: u64) -> bool {
    #[allow(clippy::cast_possible_truncation)] // the lower half, as the specification says
    let low = hash as u32;
    block.chunks_exact(4).zip(SALT).all(|(word, salt)| {
        let bit = 1 << (low.wrapping_mul(salt) >> 27);
        word.try_into().is_ok_and(|word| u32::from_le_bytes(word) & bit != 0)
    })
}

/// The number of bytes that a header states: field 1, an `i32` of Thrift's compact protocol.
fn stated_bytes(header: &[u8]) -> Option<u64> {
    const FIELD_1_I32: u8 = 0x15;
    let (tag, digits) = header.split_first()?;
    let mut zigzag = 0_u64;
    for (at, digit) in digits.iter().enumerate() {
        zigzag |= u64::from(digit & 0x7f) << (7 * at);
        if digit & 0x80 == 0 {
            return (*tag == FIELD_1_I32 && zigzag & 1 == 0).then_some(zigzag >> 1);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_states_the_bytes_of_its_blocks() {
        for (header, expected) in [
            (&[0x15, 0x40, 0x1c][..], Some(32)),
            (&[0x15, 0x80, 0x80, 0x10, 0x1c], Some(131_072)),
            (&[0x16, 0x40], None),
            (&[0x15, 0x41], None),
            (&[0x15, 0x80, 0x80, 0x80, 0x80, 0x80], None),
            (&[0x15], None),
            (&[], None),
        ] {
            assert_eq!(stated_bytes(header), expected, "{header:?}");
        }
    }

    #[test]
    fn hashes_fall_into_blocks_by_their_upper_half() {
        for (hash, blocks, expected) in
            [(0, 4_096, 0), (u64::MAX, 4_096, 4_095), (1 << 63, 4_096, 2_048), (u64::MAX, 1, 0)]
        {
            assert_eq!(block_of(hash, blocks), expected, "{hash:#x}");
        }
        assert_eq!(hash(&ScalarValue::from("")), Some(0xef46_db37_51d8_e999));
        assert_eq!(hash(&ScalarValue::from(1_i64)), None);
    }
}
