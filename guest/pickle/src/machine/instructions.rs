//! Splits a pickle into its instructions: each an opcode and its argument.

use autotel_store_sdk::Fault;

use crate::machine::opcode::{Form, Opcode, code};

/// One step of the pickle machine, as it is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Instruction<'a> {
    /// Where it begins.
    pub offset: usize,
    pub opcode: &'static Opcode,
    pub argument: Argument<'a>,
    /// Where the next one begins.
    pub end: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Argument<'a> {
    None,
    Integer(i64),
    Float(f64),
    /// What stands on the line, or behind the length.
    Bytes(&'a [u8]),
    TwoLines(&'a [u8], &'a [u8]),
}

impl<'a> Instruction<'a> {
    /// Reads the instruction at an offset.
    #[inline(always)]
    pub fn at(bytes: &'a [u8], offset: usize) -> Result<Self, Fault> {
        let Some(&first) = bytes.get(offset) else {
            return Err(Fault::syntax("there is no STOP before the end", offset));
        };
        let opcode = Opcode::of(first).ok_or_else(|| unknown(first, offset))?;
        let mut input = Input { bytes, at: offset + 1, offset, opcode };
        let argument = input.argument()?;
        let instruction = Self { offset, opcode, argument, end: input.at };
        match (first, argument) {
            (code::FRAME, Argument::Integer(length)) => input.check_frame(length)?,
            (code::PROTO, Argument::Integer(6..)) => return Err(input.fault("protocols 0 to 5 are known")),
            _ => {}
        }
        Ok(instruction)
    }

    /// Where the frame ends that begins with it.
    pub fn frame_end(&self) -> usize {
        let Argument::Integer(length) = self.argument else { return self.end };
        self.end.saturating_add(usize::try_from(length).unwrap_or(usize::MAX))
    }

    /// Says that the instruction cannot be done.
    pub fn fault(&self, why: &str) -> Fault {
        fault(self.opcode, self.offset, why)
    }
}

/// Names the instruction that goes beyond a bound, if that is the fault.
pub(crate) fn naming(fault: Fault, bytes: &[u8]) -> Fault {
    fault.naming(|offset| Some(Opcode::of(*bytes.get(offset as usize)?)?.name.to_owned()))
}

fn unknown(code: u8, offset: usize) -> Fault {
    Fault::syntax(format!("0x{code:02x} is no opcode of protocols 0 to 5"), offset)
}

fn fault(opcode: &Opcode, offset: usize, why: &str) -> Fault {
    Fault::syntax(format!("{}: {why}", opcode.name), offset)
}

/// What is behind an opcode.
struct Input<'a> {
    bytes: &'a [u8],
    at: usize,
    offset: usize,
    opcode: &'static Opcode,
}

impl<'a> Input<'a> {
    #[inline(always)]
    fn argument(&mut self) -> Result<Argument<'a>, Fault> {
        Ok(match self.opcode.form {
            Form::None => Argument::None,
            Form::Unsigned(width) => Argument::Integer(self.unsigned(width)?.cast_signed()),
            Form::Int4 => Argument::Integer(i64::from(self.int4()?)),
            Form::Float8 => Argument::Float(f64::from_be_bytes(self.array()?)),
            Form::Bytes(width) | Form::Text(width) => Argument::Bytes(self.counted(width)?),
            Form::Long(4) | Form::String(4) => {
                let length = self.int4()?;
                let length = u64::try_from(length).map_err(|_| self.fault("a length below zero"))?;
                Argument::Bytes(self.take(length)?)
            }
            Form::Long(width) | Form::String(width) => Argument::Bytes(self.counted(width)?),
            Form::TwoLines => Argument::TwoLines(self.line()?, self.line()?),
            Form::IntLine | Form::LongLine | Form::FloatLine | Form::QuotedLine | Form::UnicodeLine | Form::Line => {
                Argument::Bytes(self.line()?)
            }
        })
    }

    fn fault(&self, why: &str) -> Fault {
        fault(self.opcode, self.offset, why)
    }

    #[inline]
    fn counted(&mut self, width: u8) -> Result<&'a [u8], Fault> {
        let length = self.unsigned(width)?;
        self.take(length)
    }

    #[inline]
    fn unsigned(&mut self, width: u8) -> Result<u64, Fault> {
        if width == 1 {
            let [byte] = self.array()?;
            return Ok(byte.into());
        }
        let mut bytes = [0; 8];
        bytes[..usize::from(width)].copy_from_slice(self.take(width.into())?);
        Ok(u64::from_le_bytes(bytes))
    }

    fn int4(&mut self) -> Result<i32, Fault> {
        Ok(i32::from_le_bytes(self.array()?))
    }

    #[inline]
    fn array<const LENGTH: usize>(&mut self) -> Result<[u8; LENGTH], Fault> {
        let array = self.bytes[self.at..].first_chunk().copied();
        self.at += LENGTH;
        array.ok_or_else(|| self.fault("the file ends within its argument"))
    }

    #[inline]
    fn take(&mut self, length: u64) -> Result<&'a [u8], Fault> {
        let rest = &self.bytes[self.at..];
        let taken = usize::try_from(length).ok().and_then(|length| rest.get(..length));
        let taken = taken.ok_or_else(|| self.fault(&format!("{length} bytes, of which {} are there", rest.len())))?;
        self.at += taken.len();
        Ok(taken)
    }

    fn line(&mut self) -> Result<&'a [u8], Fault> {
        let rest = &self.bytes[self.at..];
        let end = rest.iter().position(|&byte| byte == b'\n');
        let line = &rest[..end.ok_or_else(|| self.fault("a line that does not end"))?];
        self.at += line.len() + 1;
        Ok(line)
    }

    /// What a frame promises must be there; where it ends means nothing, as in CPython's own unpickler.
    fn check_frame(&self, length: i64) -> Result<(), Fault> {
        let left = self.bytes.len() - self.at;
        if usize::try_from(length).is_ok_and(|length| length <= left) {
            return Ok(());
        }
        Err(self.fault(&format!("a frame of {} bytes, of which {left} are there", length.cast_unsigned())))
    }
}
