//! Clocks and random numbers, as they were granted.

use std::time::{Duration, Instant, SystemTime};

use wasmtime::component::{HasData, Resource};
use wasmtime_wasi::clocks::WasiClocksCtxView;
use wasmtime_wasi::p2::DynPollable;
use wasmtime_wasi::p2::bindings::clocks::wall_clock::Datetime;
use wasmtime_wasi::p2::bindings::clocks::{monotonic_clock, wall_clock};
use wasmtime_wasi::p2::bindings::random::random::Host as _;
use wasmtime_wasi::p2::bindings::random::{insecure, insecure_seed, random};

use super::{Clock, Randomness};

/// Random bytes that are given at once.
const RANDOM_BYTES_MAX: u64 = 1 << 20;

/// Where a call's time and random numbers come from.
pub(crate) struct Source {
    clock: Clock,
    random: Random,
    /// When the call is to be over: no sleep is longer.
    pub ends: Instant,
}

enum Random {
    System,
    Seeded(Box<blake3::OutputReader>),
    None,
}

impl Source {
    pub fn new(clock: Clock, randomness: Randomness) -> Self {
        let random = match randomness {
            Randomness::Secure => Random::System,
            Randomness::Seeded(seed) => {
                Random::Seeded(Box::new(blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof()))
            }
            Randomness::None => Random::None,
        };
        Self { clock, random, ends: Instant::now() }
    }
}

/// Gives a call its [`Source`], with what makes something of it that can be waited for.
pub(crate) struct Ambient<'a> {
    pub source: &'a mut Source,
    pub clocks: WasiClocksCtxView<'a>,
}

pub(crate) struct HasAmbient;

impl HasData for HasAmbient {
    type Data<'a> = Ambient<'a>;
}

fn not_granted<T>(what: &str) -> wasmtime::Result<T> {
    wasmtime::bail!("it asked for {what}, which it was not granted")
}

impl wall_clock::Host for Ambient<'_> {
    fn now(&mut self) -> wasmtime::Result<Datetime> {
        match self.source.clock {
            Clock::System => wall_clock::Host::now(&mut self.clocks),
            Clock::Fixed(time) => {
                let time = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
                Ok(Datetime { seconds: time.as_secs(), nanoseconds: time.subsec_nanos() })
            }
            Clock::None => not_granted("the time"),
        }
    }

    fn resolution(&mut self) -> wasmtime::Result<Datetime> {
        wall_clock::Host::resolution(&mut self.clocks)
    }
}

impl monotonic_clock::Host for Ambient<'_> {
    fn now(&mut self) -> wasmtime::Result<u64> {
        match self.source.clock {
            Clock::System => monotonic_clock::Host::now(&mut self.clocks),
            Clock::Fixed(_) => Ok(0),
            Clock::None => not_granted("the time"),
        }
    }

    fn resolution(&mut self) -> wasmtime::Result<u64> {
        monotonic_clock::Host::resolution(&mut self.clocks)
    }

    fn subscribe_instant(&mut self, instant: u64) -> wasmtime::Result<Resource<DynPollable>> {
        let now = monotonic_clock::Host::now(self)?;
        self.subscribe_duration(instant.saturating_sub(now))
    }

    fn subscribe_duration(&mut self, duration: u64) -> wasmtime::Result<Resource<DynPollable>> {
        let longest = match self.source.clock {
            Clock::System => self.source.ends.saturating_duration_since(Instant::now()),
            Clock::Fixed(_) => Duration::ZERO,
            Clock::None => return not_granted("a sleep"),
        };
        let longest = u64::try_from(longest.as_nanos()).unwrap_or(u64::MAX);
        self.clocks.subscribe_duration(duration.min(longest))
    }
}

impl Ambient<'_> {
    fn random<const BYTES: usize>(&mut self) -> wasmtime::Result<[u8; BYTES]> {
        let mut bytes = [0; BYTES];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn random_bytes(&mut self, length: u64) -> wasmtime::Result<Vec<u8>> {
        if length > RANDOM_BYTES_MAX {
            wasmtime::bail!("it asked for {length} random bytes at once, of {RANDOM_BYTES_MAX} that are given");
        }
        let mut bytes = vec![0; length as usize];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn fill(&mut self, bytes: &mut [u8]) -> wasmtime::Result<()> {
        match &mut self.source.random {
            Random::System => Ok(getrandom::fill(bytes)?),
            Random::Seeded(random) => {
                random.fill(bytes);
                Ok(())
            }
            Random::None => not_granted("random numbers"),
        }
    }
}

impl random::Host for Ambient<'_> {
    fn get_random_bytes(&mut self, length: u64) -> wasmtime::Result<Vec<u8>> {
        self.random_bytes(length)
    }

    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        self.random().map(u64::from_le_bytes)
    }
}

impl insecure::Host for Ambient<'_> {
    fn get_insecure_random_bytes(&mut self, length: u64) -> wasmtime::Result<Vec<u8>> {
        self.random_bytes(length)
    }

    fn get_insecure_random_u64(&mut self) -> wasmtime::Result<u64> {
        self.random().map(u64::from_le_bytes)
    }
}

impl insecure_seed::Host for Ambient<'_> {
    fn insecure_seed(&mut self) -> wasmtime::Result<(u64, u64)> {
        Ok((self.get_random_u64()?, self.get_random_u64()?))
    }
}
