//! Traces of requests for caches: the same each time, from a seeded generator.

use crate::Numbers;

/// Things that are asked for in all but the loop.
const THINGS: usize = 100_000;
/// The exponent of their popularity.
const SKEW: f64 = 0.9;
const REQUESTS: usize = 500_000;
/// Every so many requests of the scan come things that are asked for once.
const SCAN_EVERY: usize = 50_000;
const SCAN_LENGTH: u64 = 20_000;
/// Things in the loop: a few more than the larger of the caches holds.
const LOOP_THINGS: u64 = 12_000;

/// Numbers of the things that are asked for, by the trace's name.
pub fn traces() -> [(&'static str, Vec<u64>); 3] {
    [("Zipf", zipf()), ("Zipf with scans", scan()), ("loop", (0..REQUESTS as u64).map(|n| n % LOOP_THINGS).collect())]
}

/// Things of which the n-th is asked for as often as 1/n to the power of the skew.
pub fn zipf() -> Vec<u64> {
    let mut sum = 0.0;
    let sums: Vec<f64> = (1..=THINGS)
        .map(|rank| {
            sum += (rank as f64).powf(-SKEW);
            sum
        })
        .collect();
    let mut numbers = Numbers(1);
    let mut next = || {
        const PARTS: u64 = 1 << 30;
        let at = sum * numbers.below(PARTS) as f64 / PARTS as f64;
        sums.partition_point(|&sum| sum <= at) as u64
    };
    (0..REQUESTS).map(|_| next()).collect()
}

/// The same, now and then with a scan of things that are asked for once.
fn scan() -> Vec<u64> {
    let mut fresh = 10 * THINGS as u64;
    let mut requests = Vec::new();
    for part in zipf().chunks(SCAN_EVERY) {
        requests.extend_from_slice(part);
        requests.extend(fresh..fresh + SCAN_LENGTH);
        fresh += SCAN_LENGTH;
    }
    requests
}
