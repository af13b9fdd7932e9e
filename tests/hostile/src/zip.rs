//! Zip archives of one member that say of it what they are told to.

use flate2::Crc;

/// What an archive says of its member that may not be so.
#[derive(Default)]
pub struct Lie {
    /// Bits by which the checksum is another.
    pub crc: u32,
    pub flags: u16,
    /// Another name, in the header before the member alone.
    pub name: Option<&'static str>,
    /// Bytes by which its length is another, in the directory.
    pub length: u32,
    /// What its content is compressed with: nothing, or else [`DEFLATE`].
    pub method: u16,
}

pub const DEFLATE: u16 = 8;

/// An archive of a member whose content is written as it is.
pub fn archive(name: &str, content: &[u8], lie: &Lie) -> Vec<u8> {
    let mut crc = Crc::new();
    crc.update(content);
    let header = |name: &str, length: u32| {
        let halves = [20, lie.flags, lie.method, 0, 0x21].map(u16::to_le_bytes).concat();
        let words = [crc.sum() ^ lie.crc, length, length].map(u32::to_le_bytes).concat();
        [halves, words, (name.len() as u16).to_le_bytes().to_vec(), vec![0, 0]].concat()
    };
    let length = content.len() as u32;
    let own_name = lie.name.unwrap_or(name);
    let member = [b"PK\x03\x04", &*header(own_name, length), own_name.as_bytes(), content].concat();
    let directory = [b"PK\x01\x02\x14\0", &*header(name, length + lie.length), &[0; 14], name.as_bytes()].concat();
    let end = [directory.len() as u32, member.len() as u32].map(u32::to_le_bytes).concat();
    [member, directory, b"PK\x05\x06\0\0\0\0\x01\0\x01\0".to_vec(), end, vec![0, 0]].concat()
}
