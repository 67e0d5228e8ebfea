//! The format's fixed parts.

use std::fs::File;

use super::error::BtfError;
use super::stream::{Section, read_exact};

/// The kind of a type (`BTF_KIND_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypeKind {
    /// No type: void.
    Void,
    /// An integer.
    Int,
    /// A pointer.
    Pointer,
    /// An array.
    Array,
    /// A struct.
    Struct,
    /// A union.
    Union,
    /// An enumeration of 32-bit values.
    Enum,
    /// A struct or union that is only declared.
    Forward,
    /// A typedef.
    Typedef,
    /// The qualifier `volatile`.
    Volatile,
    /// The qualifier `const`.
    Const,
    /// The qualifier `restrict`.
    Restrict,
    /// A function.
    Function,
    /// A function's result and parameters.
    FunctionPrototype,
    /// A global variable.
    Variable,
    /// A section of variables.
    DataSection,
    /// A floating-point number.
    Float,
    /// A tag on a declaration.
    DeclarationTag,
    /// A tag on a type, such as `__user`.
    TypeTag,
    /// An enumeration of 64-bit values.
    Enum64,
}

impl TypeKind {
    /// In the order of `BTF_KIND_*`, which starts with `BTF_KIND_UNKN`: void.
    const ALL: [Self; 20] = [
        Self::Void,
        Self::Int,
        Self::Pointer,
        Self::Array,
        Self::Struct,
        Self::Union,
        Self::Enum,
        Self::Forward,
        Self::Typedef,
        Self::Volatile,
        Self::Const,
        Self::Restrict,
        Self::Function,
        Self::FunctionPrototype,
        Self::Variable,
        Self::DataSection,
        Self::Float,
        Self::DeclarationTag,
        Self::TypeTag,
        Self::Enum64,
    ];

    /// Bytes that follow the common part of a type with `count` members, values or parameters.
    pub(super) fn extra(self, count: u32) -> u64 {
        let count = u64::from(count);
        match self {
            Self::Int | Self::Variable | Self::DeclarationTag => 4,
            Self::Array => 12,
            Self::Struct | Self::Union | Self::DataSection | Self::Enum64 => 12 * count,
            Self::Enum | Self::FunctionPrototype => 8 * count,
            Self::Void
            | Self::Pointer
            | Self::Forward
            | Self::Typedef
            | Self::Volatile
            | Self::Const
            | Self::Restrict
            | Self::Function
            | Self::Float
            | Self::TypeTag => 0,
        }
    }
}

/// The common part of a type (`struct btf_type`).
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    /// The offset of its name in the string section.
    pub(super) name: u32,
    pub(super) kind: TypeKind,
    /// Members, values or parameters that follow.
    pub(super) count: u32,
    /// `kind_flag`: the offsets of members also hold the size of a bit field.
    pub(super) flag: bool,
    /// The size in bytes, or the number of the type referred to.
    pub(super) size_or_type: u32,
}

/// The size of a type's common part.
const HEADER_SIZE: usize = 12;

impl Header {
    /// Type 0.
    pub(super) const VOID: Self = Self {
        name: 0,
        kind: TypeKind::Void,
        count: 0,
        flag: false,
        size_or_type: 0,
    };

    pub(super) fn decode(bytes: [u8; HEADER_SIZE], id: u32) -> Result<Self, BtfError> {
        let info = word(&bytes, 4);
        // Documentation/bpf/btf.rst, "Type Encoding": bits 0-15 vlen, 24-28 kind, 31 kind_flag.
        let number = (info >> 24) & 0x1f;
        Ok(Self {
            name: word(&bytes, 0),
            kind: TypeKind::ALL
                .get(number as usize)
                .copied()
                .ok_or(BtfError::Kind { id, kind: number })?,
            count: info & 0xffff,
            flag: info >> 31 == 1,
            size_or_type: word(&bytes, 8),
        })
    }
}

/// The type and the string section (`struct btf_header`).
pub(super) fn read_header(file: &File) -> Result<(Section, Section), BtfError> {
    let mut header = [0; 24];
    read_exact(file, &mut header, 0)?;
    match u16::from_le_bytes([header[0], header[1]]) {
        0xeb9f => {}
        0x9feb => return Err(BtfError::BigEndian),
        other => return Err(BtfError::Magic(other)),
    }
    let header_length = word(&header, 4);
    if header[2] != 1 || header_length < 24 {
        return Err(BtfError::Version {
            version: header[2],
            header_length,
        });
    }
    let section = |at| Section {
        start: u64::from(header_length) + u64::from(word(&header, at)),
        length: word(&header, at + 4),
    };
    Ok((section(8), section(16)))
}

/// The little-endian word at an offset; 0 beyond the end, which callers rule out.
#[inline]
pub(super) fn word(bytes: &[u8], at: usize) -> u32 {
    let word = bytes.get(at..at + 4).and_then(|word| word.try_into().ok());
    word.map_or(0, u32::from_le_bytes)
}
