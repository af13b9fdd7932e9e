//! How far a file can be trusted, and what in it says so.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, sync_channel};

use crate::call::Call;
use crate::contract::{InspectedPart, Operations, inspect};
use crate::error::Error;
use crate::grants::FileGrant;
use crate::limits::Limit;
use crate::reader::{off_runtime, on_guest_thread};
use crate::store::Store;
use crate::words::{printable, printable_part};

/// Pieces of text that a store may be ahead of whoever reads them.
const PIECES_AHEAD: usize = 2;

impl Store {
    /// Tells how far the file and its parts can be trusted, and why: where the store looks for such things, as those made
    /// with the SDK do. A damaged file is looked through too.
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("model.pkl");
    /// use autotel_stores::Verdict;
    ///
    /// std::fs::write(&path, b"cos\nsystem\n(S'reboot'\ntR.")?;
    /// let parts = autotel_stores::Host::new()?.open(&path)?.inspect()?;
    /// assert_eq!(parts[0].verdict, Verdict::Dangerous);
    /// assert_eq!(parts[0].elements[0].name, "os.system");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn inspect(&self) -> Result<Vec<InspectedPart>, Error> {
        let store = self.clone();
        let inspect = move || {
            let file = FileGrant::Read(store.readable()?);
            let mut call: Call<inspect::Guest> = store.begin(Operations::LOAD, file)?;
            let parts = call.invoke(|face, instance, path| face.call_inspect(instance, path, store.settings()))?;
            Ok(parts.into_iter().map(printable_part).collect())
        };
        off_runtime(inspect).map_err(|error| error.on(self.shown_path()))
    }

    /// Lists all that the file says, step by step, where its format has steps: the instructions of a pickle.
    pub fn listing(&self) -> Result<Listing, Error> {
        let (sender, pieces) = sync_channel(PIECES_AHEAD);
        let store = self.clone();
        on_guest_thread(move || {
            let ended = list(&store, |piece| sender.send(Ok(piece)).is_ok());
            if let Err(error) = ended {
                let _ = sender.send(Err(error));
            }
        })?;
        Ok(Listing { pieces, path: self.shown_path().to_owned() })
    }
}

/// Gives the pieces of a listing until nobody wants more.
fn list(store: &Store, mut give: impl FnMut(String) -> bool) -> Result<(), Error> {
    let mut call: Call<inspect::Guest> = store.begin(Operations::LOAD, FileGrant::Read(store.readable()?))?;
    let listing = call.invoke(|face, instance, path| face.listing().call_open(instance, path, store.settings()))?;
    let bytes_max = u32::try_from(store.limits().get(Limit::Page)).unwrap_or(u32::MAX).max(1);
    while let Some(text) = call.invoke(|face, instance, _| face.listing().call_next(instance, listing, bytes_max))? {
        let lines: String = text.lines().flat_map(|line| [printable(line), "\n".to_owned()]).collect();
        if !give(lines) {
            break;
        }
    }
    Ok(())
}

/// All that a file says, as text: an iterator over pieces of whole lines. The last is an error where the file is damaged.
pub struct Listing {
    pieces: Receiver<Result<String, Error>>,
    path: PathBuf,
}

impl Iterator for Listing {
    type Item = Result<String, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let piece = self.pieces.recv().ok()?;
        Some(piece.map_err(|error| error.on(&self.path)))
    }
}
