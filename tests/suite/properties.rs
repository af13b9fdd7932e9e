//! Laws that hold for whatever comes: generated from one seed, which `PROPTEST_RNG_SEED` changes, as `PROPTEST_CASES`
//! does how much.

mod properties {
    pub mod cbor;
    pub mod files;
    pub mod kept;
    pub mod layout;
    pub mod round_trip;
}

use proptest::test_runner::{Config, RngSeed};

/// So many cases of a law, the same each time unless the environment says otherwise.
fn cases(count: u32) -> Config {
    let default = Config::default();
    let is_said = std::env::var_os("PROPTEST_CASES").is_some();
    let seed = if std::env::var_os("PROPTEST_RNG_SEED").is_some() { default.rng_seed } else { RngSeed::Fixed(7) };
    Config { cases: if is_said { default.cases } else { count }, rng_seed: seed, failure_persistence: None, ..default }
}
