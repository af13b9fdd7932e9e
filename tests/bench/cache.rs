//! What a cache in the sandbox costs beside native ones and Redis, and how often its policies hit.
//!
//! Redis takes part where `redis-server` can be started, and libCacheSim's policies with `STORE_TOOLS=python`.

use std::hint::black_box;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use autotel_bench::traces::traces;
use autotel_stores::{Cache, Limit, Limits};
use autotel_tests::HOST;
use autotel_tests::tools::{is_asked_for, python, run};
use lru::LruCache;

const POLICIES: [&str; 2] = ["lru", "s3-fifo"];
/// Entries of the caches whose hits are counted.
const SIZES: [u64; 2] = [1_000, 10_000];
const VALUE: [u8; 100] = [7; 100];
/// Entries of the caches whose time is taken: a few, and more than the processor's caches hold.
const FEW: u64 = 1_000;
const MANY: u64 = 1_000_000;
const GETS: u64 = 1_000_000;
const ROUNDS: usize = 5;
/// Calls of Redis, each of which waits for its answer.
const REDIS_CALLS: u64 = 100_000;
const REDIS_PORT: &str = "46379";

fn main() {
    println!("| cache | put, µs | get of {FEW}, µs | get of {MANY}, µs |\n|---|---|---|---|");
    for policy in POLICIES {
        // Many values and what is noted of each take more than half of what a cache may have unless it is said.
        let builder = HOST.cache().limits(Limits::default().with(Limit::Memory, 1 << 30));
        let cache = builder.policy(policy).entries(2 * MANY).bytes(1 << 30).build().expect("a cache is made");
        row(
            &format!("sandboxed, {policy}"),
            GETS,
            |key| cache.put(key, VALUE).expect("it fits"),
            |key| cache.get(key).expect("the cache is well").is_some(),
        );
    }
    native();
    redis();
    hits();
}

/// The least that a call takes, of several rounds: in a cache of few values, and then in one of many.
fn row(name: &str, calls: u64, mut put: impl FnMut([u8; 16]), mut get: impl FnMut([u8; 16]) -> bool) {
    let many = MANY.min(calls);
    let mut best = |among: u64| {
        let mut round = || (0..calls).for_each(|n| assert!(get(key(scattered(n) % among))));
        (0..ROUNDS).map(|_| per_call(calls, &mut round)).min().unwrap_or_default()
    };
    (0..FEW).for_each(|n| put(key(n)));
    let of_few = best(FEW);
    let puts = per_call(many, || (0..many).for_each(|n| put(key(n))));
    let shown = |time: Duration| format!("{:.2}", time.as_secs_f64() * 1e6);
    println!("| {name} | {} | {} | {} |", shown(puts), shown(of_few), shown(best(many)));
}

fn per_call(calls: u64, work: impl FnOnce()) -> Duration {
    let started = Instant::now();
    work();
    started.elapsed() / u32::try_from(calls).unwrap_or(u32::MAX)
}

fn key(n: u64) -> [u8; 16] {
    let mut key = *b"key-\0\0\0\0\0\0\0\0----";
    key[4..12].copy_from_slice(&n.to_be_bytes());
    key
}

/// Numbers in an order that no processor foresees.
fn scattered(n: u64) -> u64 {
    n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20
}

/// The libraries that programs use without a sandbox, with a copy of the value as the sandbox gives one.
fn native() {
    let lru = Mutex::new(LruCache::<Vec<u8>, Vec<u8>>::unbounded());
    let put = |key: [u8; 16]| drop(lru.lock().expect("nothing panicked").put(key.to_vec(), VALUE.to_vec()));
    let get = |key: [u8; 16]| black_box(lru.lock().expect("nothing panicked").get(&key[..]).cloned()).is_some();
    row("native, lru in a Mutex", GETS, put, get);
    let moka = moka::sync::Cache::<Vec<u8>, Vec<u8>>::new(2 * MANY);
    let put = |key: [u8; 16]| moka.insert(key.to_vec(), VALUE.to_vec());
    row("native, moka", GETS, put, |key| black_box(moka.get(&key[..])).is_some());
}

/// A server of Redis that goes with this program.
struct Redis(Child);

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn redis() {
    let arguments = ["--port", REDIS_PORT, "--save", "", "--appendonly", "no"];
    let Ok(server) = Command::new("redis-server").args(arguments).stdout(Stdio::null()).spawn() else {
        return println!("| Redis over loopback | not there | | |");
    };
    let _server = Redis(server);
    let connect = || TcpStream::connect(format!("127.0.0.1:{REDIS_PORT}")).ok();
    let connection = (0..100).find_map(|_| {
        std::thread::sleep(Duration::from_millis(50));
        connect()
    });
    let Some(connection) = connection else { return println!("| Redis over loopback | does not answer | | |") };
    connection.set_nodelay(true).expect("the socket takes it");
    let connection = Mutex::new(connection);
    let put = |key: [u8; 16]| {
        let mut request = b"*3\r\n$3\r\nSET\r\n$16\r\n".to_vec();
        request.extend([&key[..], b"\r\n$100\r\n", &VALUE, b"\r\n"].concat());
        assert_eq!(answer(&connection, &request, 5), b"+OK\r\n");
    };
    let get = |key: [u8; 16]| {
        let request = [b"*2\r\n$3\r\nGET\r\n$16\r\n", &key[..], b"\r\n"].concat();
        answer(&connection, &request, 108).starts_with(b"$100")
    };
    row("Redis over loopback", REDIS_CALLS, put, get);
}

/// Sends a request of Redis' protocol, and reads an answer of this length.
fn answer(connection: &Mutex<TcpStream>, request: &[u8], length: usize) -> Vec<u8> {
    let mut connection = connection.lock().expect("nothing panicked");
    connection.write_all(request).expect("the server reads");
    let mut answer = vec![0; length];
    connection.read_exact(&mut answer).expect("the server answers");
    answer
}

/// How often each policy hits, beside the same of libCacheSim's.
fn hits() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let reference = is_asked_for("python", "libCacheSim's policies").then(|| reference(folder.path()));
    println!("\n| trace | entries | policy | hits, % | libCacheSim, % |\n|---|---|---|---|---|");
    for (name, requests) in traces() {
        for entries in SIZES {
            for policy in POLICIES {
                let cache = HOST.cache().policy(policy).entries(entries).notices(0).build().expect("a cache is made");
                let hits = requests.iter().filter(|thing| is_hit(&cache, **thing)).count();
                let ratio = 100.0 * hits as f64 / requests.len() as f64;
                let row = format!("{name},{entries},{policy},");
                let told =
                    reference.as_deref().and_then(|lines| lines.lines().find_map(|line| line.strip_prefix(&row)));
                println!("| {name} | {entries} | {policy} | {ratio:.2} | {} |", told.unwrap_or("—"));
            }
        }
    }
}

fn is_hit(cache: &Cache, thing: u64) -> bool {
    let key = thing.to_be_bytes();
    let is_hit = cache.get(key).expect("the cache is well").is_some();
    if !is_hit {
        cache.put(key, []).expect("it fits");
    }
    is_hit
}

/// What libCacheSim's policies hit on the same traces, a line each.
fn reference(folder: &Path) -> String {
    let mut arguments = vec![concat!(env!("CARGO_MANIFEST_DIR"), "/policies.py").to_owned()];
    for (name, requests) in traces() {
        let path = folder.join(name);
        let bytes: Vec<u8> = requests.iter().flat_map(|thing| thing.to_le_bytes()).collect();
        std::fs::write(&path, bytes).expect("the disk has room");
        arguments.push(path.to_string_lossy().into_owned());
    }
    let all = autotel_tests::target().join("bench");
    std::fs::create_dir_all(&all).expect("the target folder takes folders");
    let interpreter = python(&all, concat!(env!("CARGO_MANIFEST_DIR"), "/policies.txt"));
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    String::from_utf8(run(folder, interpreter, &arguments)).expect("Python prints UTF-8")
}
