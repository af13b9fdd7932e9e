//! The entries of a cache, a page at a time.

use std::vec::IntoIter;

use wasmtime::component::ResourceAny;

use super::{Cache, CacheEntry, Inner, Live, no_room, page_bytes};
use crate::error::{Error, ErrorKind};
use crate::limits::Limit;

/// Walks of one cache at once.
const WALKS_MAX: u64 = 1000;
/// Bytes that an entry takes at least, beside its key and its value.
const ENTRY_BYTES: u64 = 32;

/// Where it is among the entries of an instance.
pub(super) struct Walk {
    at: ResourceAny,
    /// The instance's.
    generation: u64,
    /// Bytes of entries that may still come: there are no more of them than the cache has memory for.
    bytes_left: u64,
}

impl Walk {
    pub fn begin(inner: &Inner, live: &mut Live) -> Result<Self, Error> {
        // Each is a handle of the instance's.
        let walks_max = WALKS_MAX.min(inner.source.limits.get(Limit::Handles) / 2);
        if live.walks >= walks_max {
            return Err(Error::usage(format!("{walks_max} are going through the entries already")));
        }
        let at = inner.call(live, |face, store, now| face.walk().call_begin(store, now))?.map_err(no_room)?;
        live.walks += 1;
        Ok(Self { at, generation: live.generation, bytes_left: inner.source.limits.get(Limit::Memory) })
    }

    /// The next entries, or none at the end.
    pub fn next(&mut self, inner: &Inner, live: &mut Live) -> Result<Vec<CacheEntry>, Error> {
        if live.generation != self.generation {
            return Err(Error::new(ErrorKind::Store, "the cache broke while its entries were gone through"));
        }
        let (at, page_bytes) = (self.at, page_bytes(&inner.source.limits));
        let page = inner.call(live, |face, store, now| face.walk().call_next(store, at, page_bytes, now))?;
        let bytes = page.iter().map(|entry| ENTRY_BYTES + (entry.key.len() + entry.value.len()) as u64).sum();
        let left = self.bytes_left.checked_sub(bytes);
        self.bytes_left = left.ok_or_else(|| Error::limit(Limit::Memory, &inner.source.limits))?;
        Ok(page.into_iter().map(CacheEntry::from).collect())
    }

    /// Has the instance forget where it is, unless that broke.
    pub fn end(self, inner: &Inner, live: &mut Live) {
        if live.generation == self.generation {
            live.walks -= 1;
            // One that breaks at that is made anew by whoever calls it next.
            let _ = inner.call(live, |_, store, _| self.at.resource_drop(store));
        }
    }
}

/// The entries of a cache: see [`Cache::entries`]. The last is an error where the cache breaks meanwhile.
pub struct CacheEntries {
    cache: Cache,
    /// None at the end.
    walk: Option<Walk>,
    page: IntoIter<CacheEntry>,
}

impl CacheEntries {
    pub(super) fn begin(cache: &Cache) -> Result<Self, Error> {
        let mut live = cache.0.lock();
        let walk = Walk::begin(&cache.0, &mut live)?;
        Ok(Self { cache: cache.clone(), walk: Some(walk), page: IntoIter::default() })
    }

    /// The next entries; `None` behind the last.
    fn next_page(&mut self) -> Result<Option<Vec<CacheEntry>>, Error> {
        let Some(walk) = &mut self.walk else { return Ok(None) };
        let page = walk.next(&self.cache.0, &mut self.cache.0.lock())?;
        Ok((!page.is_empty()).then_some(page))
    }

    fn end(&mut self) {
        if let Some(walk) = self.walk.take() {
            walk.end(&self.cache.0, &mut self.cache.0.lock());
        }
    }
}

impl Iterator for CacheEntries {
    type Item = Result<CacheEntry, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(entry) = self.page.next() {
            return Some(Ok(entry));
        }
        match self.next_page() {
            Ok(Some(page)) => {
                self.page = page.into_iter();
                self.page.next().map(Ok)
            }
            Ok(None) => {
                self.end();
                None
            }
            Err(error) => {
                self.end();
                Some(Err(error))
            }
        }
    }
}

impl Drop for CacheEntries {
    fn drop(&mut self) {
        self.end();
    }
}
