//! The entries of a cache, a page at a time.

use std::vec::IntoIter;

use wasmtime::component::ResourceAny;

use super::{Cache, CacheEntry, PAGE_BYTES};
use crate::error::{Error, ErrorKind};

/// The entries of a cache: see [`Cache::entries`]. The last is an error where the cache breaks meanwhile.
pub struct CacheEntries {
    cache: Cache,
    /// Where it is, in which of the cache's instances; none at the end.
    walk: Option<(ResourceAny, u64)>,
    page: IntoIter<CacheEntry>,
}

impl CacheEntries {
    pub(super) fn begin(cache: &Cache) -> Result<Self, Error> {
        let mut live = cache.0.lock();
        let walk = cache.0.call(&mut live, |face, store, now| face.walk().call_begin(store, now))?;
        Ok(Self { cache: cache.clone(), walk: Some((walk, live.generation)), page: IntoIter::default() })
    }

    fn next_page(&mut self) -> Option<Result<Vec<CacheEntry>, Error>> {
        let (walk, generation) = self.walk?;
        let mut live = self.cache.0.lock();
        if live.generation != generation {
            self.walk = None;
            return Some(Err(Error::new(ErrorKind::Store, "the cache broke while its entries were gone through")));
        }
        let next =
            |face: &super::Guest, store: &mut super::Instance, now| face.walk().call_next(store, walk, PAGE_BYTES, now);
        let page = self.cache.0.call(&mut live, next);
        drop(live);
        match page {
            Ok(page) if page.is_empty() => {
                self.end();
                None
            }
            Ok(page) => Some(Ok(page.into_iter().map(CacheEntry::from).collect())),
            Err(error) => {
                self.walk = None;
                Some(Err(error))
            }
        }
    }

    /// Has the cache forget where it is.
    fn end(&mut self) {
        let Some((walk, generation)) = self.walk.take() else { return };
        let mut live = self.cache.0.lock();
        if live.generation == generation {
            // One that breaks at that is made anew by whoever calls it next.
            let _ = self.cache.0.call(&mut live, |_, store, _| walk.resource_drop(store));
        }
    }
}

impl Iterator for CacheEntries {
    type Item = Result<CacheEntry, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(entry) = self.page.next() {
                return Some(Ok(entry));
            }
            match self.next_page()? {
                Ok(page) => self.page = page.into_iter(),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

impl Drop for CacheEntries {
    fn drop(&mut self) {
        self.end();
    }
}
