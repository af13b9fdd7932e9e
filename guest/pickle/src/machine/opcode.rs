//! The opcodes of protocols 0 to 5, as CPython 3.13's `pickletools` has them.

/// How the argument of an opcode is written behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    None,
    /// Unsigned, little-endian, of as many bytes.
    Unsigned(u8),
    /// Signed, little-endian, of four bytes.
    Int4,
    /// A float of eight bytes, big-endian.
    Float8,
    /// A decimal integer on a line; `00` and `01` are false and true.
    IntLine,
    /// A decimal integer of any size on a line, which may end with `L`.
    LongLine,
    /// A float on a line.
    FloatLine,
    /// A quoted string on a line, with the escapes of Python's literals.
    QuotedLine,
    /// Text on a line, in raw-unicode-escape.
    UnicodeLine,
    /// Text on a line.
    Line,
    /// A module and a name, a line each.
    TwoLines,
    /// Bytes behind their length, which has as many bytes.
    Bytes(u8),
    /// UTF-8, surrogates let through, behind its length, which has as many bytes.
    Text(u8),
    /// An integer in two's complement, little-endian, behind its length, which has as many bytes.
    Long(u8),
    /// A string of Python 2 behind its length, which has as many bytes; of four they are signed.
    String(u8),
}

/// An opcode of the pickle machine.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Opcode {
    pub code: u8,
    pub name: &'static str,
    pub form: Form,
    /// The protocol that brought it.
    pub protocol: u8,
}

macro_rules! opcodes {
    ($($name:ident $code:literal $form:expr, $protocol:literal;)*) => {
        /// The codes by their names.
        pub(crate) mod code {
            $(pub(crate) const $name: u8 = $code;)*
        }

        const ALL: &[Opcode] = &[$(Opcode { code: $code, name: stringify!($name), form: $form, protocol: $protocol },)*];
    };
}

opcodes! {
    INT b'I' Form::IntLine, 0;
    BININT b'J' Form::Int4, 1;
    BININT1 b'K' Form::Unsigned(1), 1;
    BININT2 b'M' Form::Unsigned(2), 1;
    LONG b'L' Form::LongLine, 0;
    LONG1 0x8a Form::Long(1), 2;
    LONG4 0x8b Form::Long(4), 2;
    STRING b'S' Form::QuotedLine, 0;
    BINSTRING b'T' Form::String(4), 1;
    SHORT_BINSTRING b'U' Form::String(1), 1;
    BINBYTES b'B' Form::Bytes(4), 3;
    SHORT_BINBYTES b'C' Form::Bytes(1), 3;
    BINBYTES8 0x8e Form::Bytes(8), 4;
    BYTEARRAY8 0x96 Form::Bytes(8), 5;
    NEXT_BUFFER 0x97 Form::None, 5;
    READONLY_BUFFER 0x98 Form::None, 5;
    NONE b'N' Form::None, 0;
    NEWTRUE 0x88 Form::None, 2;
    NEWFALSE 0x89 Form::None, 2;
    UNICODE b'V' Form::UnicodeLine, 0;
    SHORT_BINUNICODE 0x8c Form::Text(1), 4;
    BINUNICODE b'X' Form::Text(4), 1;
    BINUNICODE8 0x8d Form::Text(8), 4;
    FLOAT b'F' Form::FloatLine, 0;
    BINFLOAT b'G' Form::Float8, 1;
    EMPTY_LIST b']' Form::None, 1;
    APPEND b'a' Form::None, 0;
    APPENDS b'e' Form::None, 1;
    LIST b'l' Form::None, 0;
    EMPTY_TUPLE b')' Form::None, 1;
    TUPLE b't' Form::None, 0;
    TUPLE1 0x85 Form::None, 2;
    TUPLE2 0x86 Form::None, 2;
    TUPLE3 0x87 Form::None, 2;
    EMPTY_DICT b'}' Form::None, 1;
    DICT b'd' Form::None, 0;
    SETITEM b's' Form::None, 0;
    SETITEMS b'u' Form::None, 1;
    EMPTY_SET 0x8f Form::None, 4;
    ADDITEMS 0x90 Form::None, 4;
    FROZENSET 0x91 Form::None, 4;
    POP b'0' Form::None, 0;
    DUP b'2' Form::None, 0;
    MARK b'(' Form::None, 0;
    POP_MARK b'1' Form::None, 1;
    GET b'g' Form::IntLine, 0;
    BINGET b'h' Form::Unsigned(1), 1;
    LONG_BINGET b'j' Form::Unsigned(4), 1;
    PUT b'p' Form::IntLine, 0;
    BINPUT b'q' Form::Unsigned(1), 1;
    LONG_BINPUT b'r' Form::Unsigned(4), 1;
    MEMOIZE 0x94 Form::None, 4;
    EXT1 0x82 Form::Unsigned(1), 2;
    EXT2 0x83 Form::Unsigned(2), 2;
    EXT4 0x84 Form::Int4, 2;
    GLOBAL b'c' Form::TwoLines, 0;
    STACK_GLOBAL 0x93 Form::None, 4;
    REDUCE b'R' Form::None, 0;
    BUILD b'b' Form::None, 0;
    INST b'i' Form::TwoLines, 0;
    OBJ b'o' Form::None, 1;
    NEWOBJ 0x81 Form::None, 2;
    NEWOBJ_EX 0x92 Form::None, 4;
    PROTO 0x80 Form::Unsigned(1), 2;
    STOP b'.' Form::None, 0;
    FRAME 0x95 Form::Unsigned(8), 4;
    PERSID b'P' Form::Line, 0;
    BINPERSID b'Q' Form::None, 1;
}

/// The opcodes by their codes.
static BY_CODE: [Option<&Opcode>; 256] = {
    let mut table = [None; 256];
    let mut next = 0;
    while next < ALL.len() {
        table[ALL[next].code as usize] = Some(&ALL[next]);
        next += 1;
    }
    table
};

impl Opcode {
    pub fn of(code: u8) -> Option<&'static Self> {
        BY_CODE[usize::from(code)]
    }
}
