//! A file that is whole or not there: it grows under a hidden name beside its own.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;

use super::Sink;
use crate::error::HuntError;

/// A file that grows. Dropped before [`publish`](Self::publish), it is removed.
pub(crate) struct Draft {
    file: File,
    path: PathBuf,
    published: PathBuf,
}

impl Draft {
    /// Begins a file.
    ///
    /// # Errors
    /// The folder does not exist or cannot be written to.
    pub(crate) fn create(published: &Path) -> Result<Self, HuntError> {
        let name = published.file_name().ok_or_else(|| {
            HuntError::Usage(format!("{} is not the name of a file", published.display()))
        })?;
        let hidden = format!(".{}.{}.inprogress", name.to_string_lossy(), std::process::id());
        let path = published.with_file_name(hidden);
        let what = format!("cannot write {}", published.display());
        let file = File::create(&path).map_err(HuntError::io(what))?;
        Ok(Self { file, path, published: published.to_owned() })
    }

    /// Writes into it.
    ///
    /// # Errors
    /// The system has no descriptor left.
    pub(crate) fn writer(&self) -> Result<BufWriter<File>, HuntError> {
        let what = format!("cannot write {}", self.published.display());
        Ok(BufWriter::new(self.file.try_clone().map_err(HuntError::io(what))?))
    }

    /// Gives it its name.
    ///
    /// # Errors
    /// The name is taken by a directory, or the disk is full.
    pub(crate) fn publish(self) -> Result<(), HuntError> {
        let what = format!("cannot write {}", self.published.display());
        let outcome = self.file.sync_all().and_then(|()| fs::rename(&self.path, &self.published));
        outcome.map_err(HuntError::io(what))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // After publish there is nothing of this name.
        let _ = fs::remove_file(&self.path);
    }
}

/// A sink whose file appears when the answer is whole.
pub(super) struct FileSink {
    pub(super) inner: Box<dyn Sink>,
    pub(super) draft: Draft,
}

impl Sink for FileSink {
    fn rows(&mut self, batch: &RecordBatch) -> Result<(), HuntError> {
        self.inner.rows(batch)
    }

    fn finish(self: Box<Self>) -> Result<(), HuntError> {
        let Self { inner, draft } = *self;
        inner.finish()?;
        draft.publish()
    }
}
