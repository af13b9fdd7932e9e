//! The interfaces that a component may export, each found by looking at its exports.

use wasmtime::component::{Instance, InstancePre};

use crate::call::State;
use crate::contract::{cache, inspect, layout, lint, patch, positions, query, schema, store};
use crate::error::Error;
use crate::outline::CONTRACT_VERSION;

/// One interface of an instance, whose functions can be called.
pub(crate) trait Face: Sized {
    /// Its name in the contract, without the version.
    const INTERFACE: &'static str;

    /// Where its functions are in a component.
    type Indices;

    fn indices(faces: &Faces) -> Option<&Self::Indices>;

    fn load(indices: &Self::Indices, store: &mut wasmtime::Store<State>, instance: &Instance)
    -> wasmtime::Result<Self>;
}

macro_rules! faces {
    ($($interface:ident),+) => {
        /// Which interfaces a component has.
        pub(crate) struct Faces {
            $($interface: Option<$interface::GuestIndices>,)+
        }

        impl Faces {
            /// Looks for each, and checks that those which are there are the contract's.
            pub fn of(pre: &InstancePre<State>) -> wasmtime::Result<Self> {
                Ok(Self {
                    $($interface: has::<$interface::Guest>(pre)
                        .then(|| $interface::GuestIndices::new(pre))
                        .transpose()?,)+
                })
            }
        }

        $(impl Face for $interface::Guest {
            const INTERFACE: &'static str = concat!("autotel:stores/", stringify!($interface));

            type Indices = $interface::GuestIndices;

            fn indices(faces: &Faces) -> Option<&Self::Indices> {
                faces.$interface.as_ref()
            }

            fn load(
                indices: &Self::Indices,
                store: &mut wasmtime::Store<State>,
                instance: &Instance,
            ) -> wasmtime::Result<Self> {
                indices.load(store, instance)
            }
        })+
    };
}
faces!(store, positions, lint, layout, inspect, query, schema, patch, cache);

fn has<F: Face>(pre: &InstancePre<State>) -> bool {
    pre.component().get_export_index(None, format!("{}@{CONTRACT_VERSION}", F::INTERFACE)).is_some()
}

/// What is said where a component lacks what it is called for.
pub(crate) fn lacks<F: Face>() -> Error {
    Error::usage(format!("the component does not export `{}`", F::INTERFACE))
}
