//! Values of an answer, one by one, in the few shapes that sinks tell apart.

use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, DataType};
use datafusion::arrow::compute::cast;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// None.
    Null,
    /// True or false.
    Bool(bool),
    /// A number, as it is written; it may be `NaN` or `inf`.
    Number(String),
    /// A text, not yet escaped.
    Text(String),
    /// Values in their order.
    List(Vec<Cell>),
}

/// How instants are written, as everywhere in Serval.
const FORMAT: FormatOptions<'static> = FormatOptions::new().with_display_error(true);

/// The values of a batch.
pub struct Cells {
    columns: Vec<ArrayRef>,
    rows: usize,
}

impl Cells {
    /// Prepares a batch.
    ///
    /// # Errors
    /// A column has a type that nothing here can show.
    pub fn new(batch: &RecordBatch) -> Result<Self, ArrowError> {
        let columns = batch.columns().iter().map(plain).collect::<Result<_, _>>()?;
        Ok(Self { columns, rows: batch.num_rows() })
    }

    /// Its rows, each with its values in column order.
    pub fn rows(&self) -> impl Iterator<Item = Result<Vec<Cell>, ArrowError>> + '_ {
        let formatters: Result<Vec<_>, _> = self
            .columns
            .iter()
            .map(|column| ArrayFormatter::try_new(column.as_ref(), &FORMAT))
            .collect();
        let formatters = formatters.unwrap_or_default();
        (0..self.rows).map(move |row| {
            let cell = |at: usize| cell(self.columns[at].as_ref(), formatters.get(at), row);
            (0..self.columns.len()).map(cell).collect()
        })
    }
}

/// Texts as one type, dictionaries as their values.
fn plain(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    match column.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 => cast(column, &DataType::Utf8View),
        DataType::Dictionary(_, values) => plain(&cast(column, values)?),
        _ => Ok(Arc::clone(column)),
    }
}

fn cell(
    column: &dyn Array,
    formatter: Option<&ArrayFormatter<'_>>,
    row: usize,
) -> Result<Cell, ArrowError> {
    if column.is_null(row) {
        return Ok(Cell::Null);
    }
    Ok(match column.data_type() {
        DataType::Null => Cell::Null,
        DataType::Utf8View => Cell::Text(column.as_string_view().value(row).to_owned()),
        DataType::Boolean => Cell::Bool(column.as_boolean().value(row)),
        DataType::List(_) => list(column.as_list::<i32>().value(row))?,
        DataType::LargeList(_) => list(column.as_list::<i64>().value(row))?,
        other => {
            let text = match formatter {
                Some(formatter) => formatter.value(row).try_to_string()?,
                None => ArrayFormatter::try_new(column, &FORMAT)?.value(row).try_to_string()?,
            };
            if other.is_numeric() { Cell::Number(text) } else { Cell::Text(text) }
        }
    })
}

fn list(values: ArrayRef) -> Result<Cell, ArrowError> {
    let values = plain(&values)?;
    let cells = (0..values.len()).map(|at| cell(values.as_ref(), None, at));
    Ok(Cell::List(cells.collect::<Result<_, _>>()?))
}
