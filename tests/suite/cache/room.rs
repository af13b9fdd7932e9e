//! Whatever the memory of a cache is cut up into, no call is one too many for it.

use autotel_stores::{Cache, CacheEntries, ErrorKind, Limit, Limits};
use autotel_tests::HOST;

/// Lengths of most values in a round.
const LENGTHS: [u64; 8] = [10, 100, 300, 1000, 4000, 16_000, 60_000, 70_000];
const MEBIBYTES: [u64; 7] = [4, 6, 8, 12, 16, 24, 32];

/// Xorshift, from a seed.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) % bound
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }
}

fn limits(bytes: u64) -> Limits {
    Limits::default().with(Limit::Memory, bytes)
}

/// Calls of one cache, of which each is done or refused.
fn calls(random: &mut Random) {
    let (memory, policy) = (random.of(&MEBIBYTES) << 20, random.of(&["lru", "s3-fifo", "none"]));
    let (base, walks_max) = (random.of(&LENGTHS), random.of(&[0, 3, 40]));
    let builder = HOST.cache().limits(limits(memory)).policy(policy).entries(1 << 32).bytes(1 << 40).notices(1 << 20);
    let cache = builder.build().expect("there is memory for a cache");
    let (largest, keys) = (memory / 6, 1 + random.below(memory / base * 2));
    let mut walks: Vec<CacheEntries> = Vec::new();
    for call in 0..1000 + random.below(8000) {
        let mut key = random.below(keys).to_le_bytes().to_vec();
        if random.below(400) == 0 {
            key.resize(8 + random.below(3000) as usize, 1);
        }
        let length = if random.below(300) == 0 { largest } else { random.below(2 * base) };
        let length = length.min(largest - key.len() as u64);
        let done = match random.below(20) {
            0..12 => cache.put(&key, vec![0; length as usize]),
            12 | 13 => cache.remove(&key).map(drop),
            14..17 => cache.get(&key).map(drop),
            17 => cache.take_notices(random.below(100) as u32).map(drop),
            18 if walks.len() < walks_max => cache.entries().map(|walk| walks.push(walk)),
            _ if walks.is_empty() => Ok(()),
            _ => {
                let place = random.below(walks.len() as u64) as usize;
                if random.below(3) == 0 {
                    walks.swap_remove(place);
                    Ok(())
                } else {
                    walks[place].next().transpose().map(drop)
                }
            }
        };
        if let Err(error) = done {
            let is_refused = matches!(error.kind(), ErrorKind::Refused | ErrorKind::Usage);
            assert!(is_refused, "{policy}, {memory} bytes, values of {base}, call {call}: {error}");
        }
    }
}

#[test]
fn no_call_is_too_large_however_the_memory_is_cut_up() {
    let mut random = Random(7);
    (0..60).for_each(|_| calls(&mut random));
}

/// A cache full of small values, every second of which is gone.
fn holed(policy: &str) -> Cache {
    let cache = HOST.cache().limits(limits(16 << 20)).policy(policy).entries(1 << 32).bytes(1 << 40).build().unwrap();
    let full = (0..u32::MAX).take_while(|n| {
        let is_put = cache.put(n.to_le_bytes(), [0; 50]).is_ok();
        is_put && cache.counts().unwrap().over_bytes == 0
    });
    let count = full.count() as u32;
    (0..count).step_by(2).for_each(|n| drop(cache.remove(n.to_le_bytes()).unwrap()));
    cache
}

#[test]
fn a_large_value_among_holes_is_kept_or_refused() {
    for policy in ["lru", "s3-fifo", "none"] {
        let cache = holed(policy);
        let walks: Vec<_> = std::iter::from_fn(|| cache.entries().ok()).collect();
        assert!(!walks.is_empty());
        let held = cache.counts().unwrap().entries;
        let put = cache.put("large", vec![0; (16 << 20) / 6 - 5]);
        assert!(put.is_ok() || put.unwrap_err().kind() == ErrorKind::Refused, "{policy}");
        if policy == "none" {
            assert!(cache.counts().unwrap().entries >= held);
        }
        cache.put("small", b"1").unwrap();
        assert_eq!(cache.get("small").unwrap().as_deref(), Some(&b"1"[..]), "{policy}");
    }
}

#[test]
fn one_who_goes_through_the_entries_keeps_nobody_from_putting_others() {
    let cache = HOST.cache().limits(limits(16 << 20)).build().unwrap();
    (0..1000_u32).for_each(|n| cache.put(n.to_le_bytes(), b"1").unwrap());
    let mut entries = cache.entries().unwrap();
    entries.next().unwrap().unwrap();
    (0..100_000).for_each(|_| cache.put("h".repeat(100), b"1").unwrap());
    assert_eq!(cache.counts().unwrap().entries, 1001);
}

#[test]
fn going_through_the_entries_lets_none_go_where_none_may() {
    let cache = HOST.cache().limits(limits(8 << 20)).policy("none").build().unwrap();
    let full = (0..u32::MAX).take_while(|n| cache.put(n.to_le_bytes(), [0; 1000]).is_ok()).count() as u64;
    for entry in cache.entries().unwrap() {
        let entry = entry.unwrap();
        // Both have room for a moment, or the old one stays.
        let _ = cache.put(entry.key, entry.value);
    }
    assert_eq!(cache.counts().unwrap().entries, full);
}
