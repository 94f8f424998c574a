//! Where rows come from: the archive as it lies in a directory or an object store.
//!
//! In: a path or URL. Out: its tables, the days of a table, the files of a day, each with the hour
//! that its rows belong to. What time rules out is never opened. What does not look like
//! `TABLE/date=YYYY-MM-DD/hour=HH/NAME.parquet` is not the archive's and is passed over.

mod columns;
mod files;
mod filters;
mod ledger;
mod paged;
mod pieces;
mod rows;
mod table;

use std::path::Path;
use std::sync::Arc;

use arrow_schema::SchemaRef;
use datafusion::datasource::object_store::ObjectStoreUrl;
use futures::StreamExt as _;
use futures::stream::{self, TryStreamExt as _};
use jiff::civil::Date;
use object_store::local::LocalFileSystem;
use object_store::path::Path as StorePath;
use object_store::{ObjectStore, ObjectStoreExt as _};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};

pub use columns::{arrow_type, schema};
pub use files::{ArchiveFile, Hour};
pub use ledger::{Ledger, Reading};
pub use rows::{columns_of, write_rows};
pub use table::ArchiveTable;

use crate::error::HuntError;

/// Folders that are listed at the same time: listing an object store is waiting.
const LISTINGS: usize = 16;

/// An archive.
#[derive(Clone, Debug)]
pub struct Archive {
    store: Arc<dyn ObjectStore>,
    /// The same, if it is a directory of this machine.
    here: Option<Arc<LocalFileSystem>>,
    /// The store's name for the query engine.
    url: ObjectStoreUrl,
    /// The archive's folder in the store.
    root: StorePath,
    /// What the user called it.
    name: String,
}

impl Archive {
    /// The archive at a path, or at an `s3://bucket/folder` where that is built in.
    ///
    /// # Errors
    /// There is no such directory, or the URL is of a kind that is not built in.
    pub fn open(location: &str) -> Result<Self, HuntError> {
        match location.split_once("://") {
            Some(("file", path)) => Self::directory(Path::new(path), location),
            Some(("s3", bucket)) => Self::bucket(bucket, location),
            Some(_) => Err(HuntError::Archive {
                name: location.to_owned(),
                reason: "an archive is a directory or s3://BUCKET/FOLDER".to_owned(),
            }),
            None => Self::directory(Path::new(location), location),
        }
    }

    fn directory(path: &Path, name: &str) -> Result<Self, HuntError> {
        let at_fault = |reason: String| HuntError::Archive { name: name.to_owned(), reason };
        let path = path.canonicalize().map_err(|error| {
            at_fault(format!("{error}; `serval replay --archive DIR PATH` makes one"))
        })?;
        if !path.is_dir() {
            return Err(at_fault("it is a file; name the directory that holds the tables".into()));
        }
        let store = Arc::new(LocalFileSystem::new());
        Ok(Self {
            store: Arc::<LocalFileSystem>::clone(&store),
            here: Some(store),
            url: ObjectStoreUrl::local_filesystem(),
            root: StorePath::from_absolute_path(&path)
                .map_err(|error| at_fault(error.to_string()))?,
            name: name.to_owned(),
        })
    }

    #[cfg(not(feature = "s3"))]
    fn bucket(_: &str, name: &str) -> Result<Self, HuntError> {
        Err(HuntError::Archive {
            name: name.to_owned(),
            reason: "this build reads directories only; build hunt with `--features s3`".to_owned(),
        })
    }

    #[cfg(feature = "s3")]
    fn bucket(bucket_and_folder: &str, name: &str) -> Result<Self, HuntError> {
        use object_store::aws::AmazonS3Builder;

        let at_fault = |reason: String| HuntError::Archive { name: name.to_owned(), reason };
        let (bucket, folder) = bucket_and_folder.split_once('/').unwrap_or((bucket_and_folder, ""));
        let store = AmazonS3Builder::from_env()
            .with_bucket_name(bucket)
            .build()
            .map_err(|error| at_fault(error.to_string()))?;
        Ok(Self {
            store: Arc::new(store),
            here: None,
            url: ObjectStoreUrl::parse(format!("s3://{bucket}"))
                .map_err(|error| at_fault(error.to_string()))?,
            root: StorePath::parse(folder.trim_end_matches('/'))
                .map_err(|error| at_fault(error.to_string()))?,
            name: name.to_owned(),
        })
    }

    /// What the user called it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The store that holds it.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn ObjectStore> {
        &self.store
    }

    /// The archive's folder in the store.
    #[must_use]
    pub fn root(&self) -> &StorePath {
        &self.root
    }

    /// The store's name for the query engine.
    #[must_use]
    pub fn url(&self) -> &ObjectStoreUrl {
        &self.url
    }

    /// Names of the tables that have a folder, in alphabetical order.
    ///
    /// # Errors
    /// The archive cannot be listed.
    pub async fn tables(&self) -> Result<Vec<String>, HuntError> {
        let listing = self.store.list_with_delimiter(Some(&self.root)).await?;
        let mut tables: Vec<String> = listing
            .common_prefixes
            .iter()
            .filter_map(|folder| folder.filename())
            .filter(|name| is_table_name(name))
            .map(str::to_owned)
            .collect();
        tables.sort();
        Ok(tables)
    }

    /// Days of a table that have a folder, in their order.
    ///
    /// # Errors
    /// The archive cannot be listed.
    pub async fn days(&self, table: &str) -> Result<Vec<Date>, HuntError> {
        let listing = self.store.list_with_delimiter(Some(&self.root.clone().join(table))).await?;
        let mut days: Vec<Date> = listing
            .common_prefixes
            .iter()
            .filter_map(|folder| folder.filename())
            .filter_map(files::day)
            .collect();
        days.sort_unstable();
        Ok(days)
    }

    /// Files of a table of some days, in the order of their hours, then names.
    ///
    /// # Errors
    /// The archive cannot be listed.
    pub async fn files(&self, table: &str, days: &[Date]) -> Result<Vec<ArchiveFile>, HuntError> {
        let mut found: Vec<ArchiveFile> = stream::iter(days.to_vec())
            .map(|day| self.files_of(table, day))
            .buffer_unordered(LISTINGS)
            .try_concat()
            .await?;
        found.sort_by(|a, b| {
            let key = |file: &ArchiveFile| (file.hour, file.object.location.clone());
            key(a).cmp(&key(b))
        });
        Ok(found)
    }

    async fn files_of(&self, table: &str, day: Date) -> Result<Vec<ArchiveFile>, HuntError> {
        let folder = self.root.clone().join(table).join(format!("date={day}"));
        let mut listing = self.store.list(Some(&folder));
        let mut found = Vec::new();
        while let Some(object) = listing.next().await {
            match object {
                Ok(object) => found.extend(ArchiveFile::new(day, object)),
                // Compaction or retention was faster than the listing.
                Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(found)
    }

    /// The columns of a table that the contract does not know, as its newest file has them; none
    /// where there is no file that can be read.
    ///
    /// # Errors
    /// The archive cannot be listed.
    pub async fn columns_of_newest_file(
        &self,
        table: &str,
    ) -> Result<Option<SchemaRef>, HuntError> {
        let Some(newest) = self.days(table).await?.pop() else { return Ok(None) };
        let Some(file) = self.files(table, &[newest]).await?.pop() else { return Ok(None) };
        let bytes = self.store.get(&file.object.location).await?.bytes().await?;
        let file = ArrowReaderMetadata::load(&bytes, ArrowReaderOptions::default()).ok();
        Ok(file.map(|file| columns::of_file(file.schema())))
    }
}

/// Names that SQL can say without quotes; hidden and foreign folders are no tables.
fn is_table_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}
