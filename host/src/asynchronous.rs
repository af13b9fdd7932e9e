//! The same calls without blocking: each runs on a thread for such work, whichever runtime the caller has.

use std::sync::Arc;

use autotel_document::Value;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::contract::{Finding, InspectedPart, Loss, Problem};
use crate::error::Error;
use crate::patch::Patch;
use crate::query::{Match, Query};
use crate::reader::Reader;
use crate::schema::{Schema, Violation};
use crate::store::Store;
use crate::writer::Writer;

/// A [`Store`] whose calls do not block. Made by [`Store::into_async`].
///
/// A future that is dropped lets its call run to its end: a save is whole or does not happen either way.
#[derive(Clone)]
pub struct AsyncStore(Arc<Store>);

impl AsyncStore {
    pub(crate) fn new(store: Store) -> Self {
        Self(Arc::new(store))
    }

    /// The file, its store, and what is known of both.
    pub fn store(&self) -> &Store {
        &self.0
    }

    /// Like [`Store::load`].
    pub async fn load<T: DeserializeOwned + Send + 'static>(&self) -> Result<T, Error> {
        self.run(|store| store.load()).await
    }

    /// Like [`Store::load_value`].
    pub async fn load_value(&self) -> Result<Value, Error> {
        self.run(|store| store.load_value()).await
    }

    /// Like [`Store::load_values`].
    pub async fn load_values(&self) -> Result<Vec<Value>, Error> {
        self.run(|store| store.load_values()).await
    }

    /// Like [`Store::load_cbor`].
    pub async fn load_cbor(&self) -> Result<Vec<u8>, Error> {
        self.run(|store| store.load_cbor()).await
    }

    /// Like [`Store::reader`].
    pub async fn reader(&self) -> Result<AsyncReader, Error> {
        self.run(|store| store.reader()).await.map(|reader| AsyncReader(Some(reader)))
    }

    /// Like [`Store::save`], of a value that can move to another thread.
    pub async fn save<T: Serialize + Send + 'static>(&self, value: T) -> Result<Vec<Loss>, Error> {
        self.run(move |store| store.save(&value)).await
    }

    /// Like [`Store::save_values`].
    pub async fn save_values(&self, values: Vec<Value>) -> Result<Vec<Loss>, Error> {
        self.run(move |store| store.save_values(&values)).await
    }

    /// Like [`Store::save_cbor`].
    pub async fn save_cbor(&self, documents: Vec<u8>) -> Result<Vec<Loss>, Error> {
        self.run(move |store| store.save_cbor(documents)).await
    }

    /// Like [`Store::save_from`].
    pub async fn save_from(&self, from: &Self) -> Result<Vec<Loss>, Error> {
        let from = Arc::clone(&from.0);
        self.run(move |store| store.save_from(&from)).await
    }

    /// Like [`Store::writer`].
    pub async fn writer(&self) -> Result<AsyncWriter, Error> {
        self.run(|store| store.writer()).await.map(|writer| AsyncWriter(Some(writer)))
    }

    /// Like [`Store::validate`].
    pub async fn validate(&self) -> Result<Vec<Problem>, Error> {
        self.run(|store| store.validate()).await
    }

    /// Like [`Store::lint`].
    pub async fn lint(&self) -> Result<Vec<Finding>, Error> {
        self.run(|store| store.lint()).await
    }

    /// Like [`Store::inspect`].
    pub async fn inspect(&self) -> Result<Vec<InspectedPart>, Error> {
        self.run(|store| store.inspect()).await
    }

    /// Like [`Store::validate_against`].
    pub async fn validate_against(&self, schema: Schema) -> Result<Vec<Violation>, Error> {
        self.run(move |store| store.validate_against(&schema)).await
    }

    /// Like [`Store::query`].
    pub async fn query(&self, query: Query) -> Result<Vec<Match>, Error> {
        self.run(move |store| store.query(&query)).await
    }

    /// Like [`Store::patch`].
    pub async fn patch(&self, patch: Patch) -> Result<Vec<Loss>, Error> {
        self.run(move |store| store.patch(&patch)).await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let store = Arc::clone(&self.0);
        blocking::unblock(move || work(&store)).await
    }
}

/// A [`Reader`] whose calls do not block.
pub struct AsyncReader(Option<Reader>);

impl AsyncReader {
    /// Like [`Reader::next_page`].
    pub async fn next_page(&mut self) -> Result<Option<Vec<u8>>, Error> {
        lend(&mut self.0, Reader::next_page).await
    }

    /// Like [`Reader::next`].
    pub async fn next<T: DeserializeOwned + Send + 'static>(&mut self) -> Result<Option<T>, Error> {
        lend(&mut self.0, Reader::next).await
    }

    /// Like [`Reader::next_value`].
    pub async fn next_value(&mut self) -> Result<Option<Value>, Error> {
        lend(&mut self.0, Reader::next_value).await
    }
}

/// A [`Writer`] whose calls do not block.
pub struct AsyncWriter(Option<Writer>);

impl AsyncWriter {
    /// Like [`Writer::write`], of a document that can move to another thread.
    pub async fn write<T: Serialize + Send + 'static>(&mut self, document: T) -> Result<(), Error> {
        lend(&mut self.0, move |writer| writer.write(&document)).await
    }

    /// Like [`Writer::write_page`].
    pub async fn write_page(&mut self, page: Vec<u8>) -> Result<(), Error> {
        lend(&mut self.0, move |writer| writer.write_page(page)).await
    }

    /// Like [`Writer::finish`].
    pub async fn finish(mut self) -> Result<Vec<Loss>, Error> {
        let writer = self.0.take().ok_or_else(dropped)?;
        blocking::unblock(move || writer.finish()).await
    }
}

/// Has `work` done on another thread, and takes back what was lent to it.
async fn lend<L: Send + 'static, T: Send + 'static>(
    lent: &mut Option<L>,
    work: impl FnOnce(&mut L) -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let mut taken = lent.take().ok_or_else(dropped)?;
    let (taken, result) = blocking::unblock(move || {
        let result = work(&mut taken);
        (taken, result)
    })
    .await;
    *lent = Some(taken);
    result
}

fn dropped() -> Error {
    Error::usage("the future of an earlier call was dropped before it was ready")
}
