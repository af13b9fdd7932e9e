//! Attacks by components, and by files that pretend to be some.

mod elsewhere;
mod files;
mod forged;
mod lies;
mod memory;
mod time;

use crate::Attack;

/// Every attack, by its class.
pub fn all() -> Vec<Attack> {
    [files::ATTACKS, elsewhere::ATTACKS, memory::ATTACKS, time::ATTACKS, lies::ATTACKS, forged::ATTACKS].concat()
}
