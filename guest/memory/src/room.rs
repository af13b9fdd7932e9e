//! Memory in one piece: what is free may be cut up, and an instance that takes what is not there is lost.

/// Bytes of entries or of notices that go out at once, at most, and what a call takes beside all this.
const PAGE_BYTES: u64 = 1 << 20;
const REST_BYTES: u64 = 64 << 10;

/// Bytes that go in or out with a call of a cache whose entries may take so much: a value of a third of that, or a page.
pub(crate) fn room_of_call(memory_max: u64) -> u64 {
    memory_max / 3 + (memory_max / 16).min(PAGE_BYTES) + REST_BYTES
}

/// Whether so many bytes can be taken now.
pub(crate) fn has_room(bytes: u64) -> bool {
    let mut room = Vec::<u8>::new();
    let is_there = usize::try_from(bytes).is_ok_and(|bytes| room.try_reserve_exact(bytes).is_ok());
    // What nobody uses is not allocated.
    std::hint::black_box(&mut room);
    is_there
}
