//! Reads a few facts out of the kernel's type information, `/sys/kernel/btf/vmlinux`.
//!
//! The file is 5 MB or more, and the tracer needs a dozen of its hundred thousand types. A table of
//! all of them would take more memory than the rest of the program, and most of the start-up time.
//! So nothing is loaded: the string section is streamed once to find the offsets of the wanted
//! names, the type section is streamed once to find the types with these names, and the types that
//! those refer to are read from the file on demand, with the help of a sparse index.
//!
//! The format: Documentation/bpf/btf.rst and include/uapi/linux/btf.h.

mod error;
mod format;
mod names;
pub mod offsets;
mod stream;

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::File;
use std::path::Path;
use std::rc::Rc;

use format::{Header, read_header, word};
use stream::{Section, Stream, read_exact};

pub use error::BtfError;
pub use format::TypeKind;

/// Where the kernel shows its type information (`CONFIG_DEBUG_INFO_BTF`).
pub const VMLINUX: &str = "/sys/kernel/btf/vmlinux";

/// Types between two entries of the sparse index.
const INDEX_STEP: u32 = 256;

/// How deep qualifiers, typedefs and anonymous members are followed. A damaged file may have
/// cycles.
const MAX_DEPTH: usize = 16;

/// The names that are looked up. Everything else is skipped.
#[derive(Clone, Copy, Debug, Default)]
pub struct Query<'a> {
    /// Members of structs: the struct, and the path in it, such as `ns.inum`.
    pub members: &'a [(&'a str, &'a str)],
    /// Structs whose size is wanted.
    pub sizes: &'a [&'a str],
    /// Functions.
    pub functions: &'a [&'a str],
    /// Typedefs.
    pub typedefs: &'a [&'a str],
}

/// A parameter of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name in the kernel's source.
    pub name: String,
    /// Its type's kind, without qualifiers and typedefs.
    pub kind: TypeKind,
    /// Its type's name, such as `unsigned int`; empty if it has none.
    pub type_name: String,
    /// It is a signed integer.
    pub signed: bool,
}

/// The wanted part of the type information.
#[derive(Debug)]
pub struct Btf {
    file: File,
    types: Section,
    strings: Section,
    type_count: u32,
    /// The position of each [`INDEX_STEP`]th type in the type section, the first that of type 1.
    index: Vec<u32>,
    /// Where the wanted names are in the string section.
    names: HashMap<String, u32>,
    /// All structs and unions with a wanted name: a kernel can have several with the same name.
    structs: HashMap<u32, Vec<u32>>,
    functions: HashMap<u32, u32>,
    typedefs: HashMap<u32, u32>,
    /// A cache of the structs and unions that were read: each is needed several times.
    compounds: RefCell<HashMap<u32, Rc<Compound>>>,
}

/// A struct or union.
#[derive(Debug)]
struct Compound {
    size: u32,
    members: Vec<Member>,
}

#[derive(Debug)]
struct Member {
    /// The offset of its name in the string section; 0 when it is anonymous.
    name: u32,
    type_id: u32,
    /// In bytes; `None` for a bit field, which has no address.
    offset: Option<u32>,
}

impl Btf {
    /// Looks up the wanted names in the type information at `path`.
    ///
    /// A name that does not occur is not an error: asking for it later gives `None`, as does asking
    /// for a name that was not in the query.
    ///
    /// # Errors
    ///
    /// The file cannot be read, is not little-endian BTF of version 1, or is damaged.
    pub fn read(path: &Path, query: &Query<'_>) -> Result<Self, BtfError> {
        let file = File::open(path)?;
        let (types, strings) = read_header(&file)?;
        let structs = query.members.iter().map(|(name, _)| name);
        let steps = query.members.iter().flat_map(|(_, path)| path.split('.'));
        let others = [query.sizes, query.functions, query.typedefs].into_iter();
        let all = structs.chain(others.flatten()).copied().chain(steps);
        let names = names::find(&file, strings, all)?;
        let mut btf = Self {
            file,
            types,
            strings,
            type_count: 0,
            index: Vec::new(),
            names,
            structs: HashMap::new(),
            functions: HashMap::new(),
            typedefs: HashMap::new(),
            compounds: RefCell::default(),
        };
        btf.find_types(query)?;
        Ok(btf)
    }

    /// The number of a wanted typedef.
    pub fn typedef(&self, name: &str) -> Option<u32> {
        self.typedefs.get(self.names.get(name)?).copied()
    }

    /// The number of a wanted function's FUNC type, which is needed to attach to it.
    pub fn function(&self, name: &str) -> Option<u32> {
        self.functions.get(self.names.get(name)?).copied()
    }

    /// The parameters of a wanted function in order.
    ///
    /// # Errors
    ///
    /// The file cannot be read or is damaged.
    pub fn parameters(&self, name: &str) -> Result<Option<Vec<Parameter>>, BtfError> {
        let Some(id) = self.function(name) else {
            return Ok(None);
        };
        let prototype = self.type_at(id)?.0.size_or_type;
        let (header, at) = self.type_at(prototype)?;
        if header.kind != TypeKind::FunctionPrototype {
            return Err(BtfError::Reference(prototype));
        }
        let parameter = |pair: &[u32]| {
            let (_, resolved, at) = self.resolve(pair[1])?;
            // Bits 24-27 of the word after an INT are its encoding, the first BTF_INT_SIGNED.
            let signed = resolved.kind == TypeKind::Int && self.words(at, 1)?[0] >> 24 & 1 == 1;
            Ok(Parameter {
                name: self.string(pair[0])?,
                kind: resolved.kind,
                type_name: self.string(resolved.name)?,
                signed,
            })
        };
        let words = self.words(at, header.count * 2)?;
        let parameters: Result<_, BtfError> = words.chunks_exact(2).map(parameter).collect();
        parameters.map(Some)
    }

    /// The size of a wanted struct in bytes; `None` if it does not exist, or if several with its
    /// name differ.
    ///
    /// # Errors
    ///
    /// The file cannot be read or is damaged.
    pub fn size(&self, name: &str) -> Result<Option<u32>, BtfError> {
        self.agreed(name, |id| Ok(Some(self.compound(id)?.size)))
    }

    /// The offset in bytes of a wanted member of a struct, such as `ns.inum` of `user_namespace`.
    ///
    /// Members of anonymous structs and unions are found like members of the struct itself. `None`
    /// if it does not exist, is a bit field, or differs between several structs with that name.
    ///
    /// # Errors
    ///
    /// The file cannot be read or is damaged.
    pub fn offset(&self, name: &str, path: &str) -> Result<Option<u32>, BtfError> {
        self.agreed(name, |id| {
            let mut id = id;
            let mut offset = 0u32;
            for step in path.split('.') {
                let Some(&step) = self.names.get(step) else {
                    return Ok(None);
                };
                let Some((type_id, at)) = self.member(id, step, MAX_DEPTH)? else {
                    return Ok(None);
                };
                offset = offset.checked_add(at).ok_or(BtfError::Reference(id))?;
                id = type_id;
            }
            Ok(Some(offset))
        })
    }

    /// The answer that all structs with a name agree on, leaving out those that have none.
    fn agreed(
        &self,
        name: &str,
        ask: impl Fn(u32) -> Result<Option<u32>, BtfError>,
    ) -> Result<Option<u32>, BtfError> {
        let all = self.names.get(name).and_then(|at| self.structs.get(at));
        let mut agreed = None;
        for &id in all.into_iter().flatten() {
            let Some(answer) = ask(id)? else { continue };
            if agreed.is_some_and(|before| before != answer) {
                return Ok(None);
            }
            agreed = Some(answer);
        }
        Ok(agreed)
    }

    /// The type and offset of a member, looked for in anonymous members too.
    fn member(&self, id: u32, name: u32, depth: usize) -> Result<Option<(u32, u32)>, BtfError> {
        let (id, header, _) = self.resolve(id)?;
        if !matches!(header.kind, TypeKind::Struct | TypeKind::Union) {
            return Ok(None);
        }
        let depth = depth.checked_sub(1).ok_or(BtfError::Reference(id))?;
        let compound = self.compound(id)?;
        if let Some(member) = compound.members.iter().find(|member| member.name == name) {
            return Ok(member.offset.map(|offset| (member.type_id, offset)));
        }
        for member in compound.members.iter().filter(|member| member.name == 0) {
            if let Some(outer) = member.offset
                && let Some((type_id, inner)) = self.member(member.type_id, name, depth)?
            {
                let offset = outer.checked_add(inner).ok_or(BtfError::Reference(id))?;
                return Ok(Some((type_id, offset)));
            }
        }
        Ok(None)
    }

    fn compound(&self, id: u32) -> Result<Rc<Compound>, BtfError> {
        if let Some(compound) = self.compounds.borrow().get(&id) {
            return Ok(Rc::clone(compound));
        }
        let (header, at) = self.type_at(id)?;
        let member = |words: &[u32]| {
            // With kind_flag the upper eight bits are the width of a bit field.
            let (bits, width) = match header.flag {
                true => (words[2] & 0x00ff_ffff, words[2] >> 24),
                false => (words[2], 0),
            };
            Member {
                name: words[0],
                type_id: words[1],
                offset: (width == 0 && bits % 8 == 0).then_some(bits / 8),
            }
        };
        let words = self.words(at, header.count * 3)?;
        let compound = Rc::new(Compound {
            size: header.size_or_type,
            members: words.chunks_exact(3).map(member).collect(),
        });
        let mut compounds = self.compounds.borrow_mut();
        compounds.insert(id, Rc::clone(&compound));
        Ok(compound)
    }

    /// The type behind qualifiers, typedefs and type tags: its number, its header, and the position
    /// in the type section just after the header.
    fn resolve(&self, id: u32) -> Result<(u32, Header, u64), BtfError> {
        let mut next = id;
        for _ in 0..MAX_DEPTH {
            let (header, at) = self.type_at(next)?;
            match header.kind {
                TypeKind::Typedef
                | TypeKind::Volatile
                | TypeKind::Const
                | TypeKind::Restrict
                | TypeKind::TypeTag => {
                    next = header.size_or_type;
                }
                _ => return Ok((next, header, at)),
            }
        }
        Err(BtfError::Reference(id))
    }

    /// A type's header, and the position in the type section just after it.
    fn type_at(&self, id: u32) -> Result<(Header, u64), BtfError> {
        let Some(before) = id.checked_sub(1) else {
            return Ok((Header::VOID, 0));
        };
        let nearest = before / INDEX_STEP;
        let start = self.index.get(nearest as usize);
        let start = start.filter(|_| id <= self.type_count);
        let start = start.ok_or(BtfError::Reference(id))?;
        let mut stream = Stream::new(&self.file, self.types, u64::from(*start));
        for passed in nearest * INDEX_STEP + 1..id {
            let header = Header::decode(stream.take()?, passed)?;
            stream.skip(header.kind.extra(header.count));
        }
        Ok((Header::decode(stream.take()?, id)?, stream.position))
    }

    /// `count` words of the type section, at most three for each of 65 535 members.
    fn words(&self, at: u64, count: u32) -> Result<Vec<u32>, BtfError> {
        let length = u64::from(count) * 4;
        if at + length > u64::from(self.types.length) {
            return Err(BtfError::Truncated);
        }
        let mut bytes = vec![0; length as usize];
        read_exact(&self.file, &mut bytes, self.types.start + at)?;
        Ok(bytes.chunks_exact(4).map(|chunk| word(chunk, 0)).collect())
    }

    fn string(&self, offset: u32) -> Result<String, BtfError> {
        let mut stream = Stream::new(&self.file, self.strings, u64::from(offset));
        let mut name = Vec::new();
        loop {
            match stream.take()? {
                [0] => return Ok(String::from_utf8_lossy(&name).into_owned()),
                [_] if name.len() >= names::MAX_NAME => return Err(BtfError::Truncated),
                [byte] => name.push(byte),
            }
        }
    }

    /// One pass over the type section.
    fn find_types(&mut self, query: &Query<'_>) -> Result<(), BtfError> {
        let offsets = |names: &mut dyn Iterator<Item = &&str>| -> Vec<u32> {
            names
                .filter_map(|&name| self.names.get(name).copied())
                .collect()
        };
        let members = query.members.iter().map(|(name, _)| name);
        let structs = offsets(&mut members.chain(query.sizes));
        let functions = offsets(&mut query.functions.iter());
        let typedefs = offsets(&mut query.typedefs.iter());
        // Most types are ruled out by a few bits of their name's offset.
        let bits = |name: u32| ((name / 64 % 64) as usize, 1u64 << (name % 64));
        let mut wanted = [0u64; 64];
        for (word, bit) in [&structs, &functions, &typedefs]
            .into_iter()
            .flatten()
            .map(|&name| bits(name))
        {
            wanted[word] |= bit;
        }
        let mut stream = Stream::new(&self.file, self.types, 0);
        while !stream.is_at_end() {
            if self.type_count.is_multiple_of(INDEX_STEP) {
                // A position in a section whose length is a u32.
                self.index.push(stream.position as u32);
            }
            let id = self.type_count + 1;
            let header = Header::decode(stream.take()?, id)?;
            let name = header.name;
            let (word, bit) = bits(name);
            match header.kind {
                _ if wanted[word] & bit == 0 => {}
                TypeKind::Struct | TypeKind::Union if structs.contains(&name) => {
                    self.structs.entry(name).or_default().push(id);
                }
                TypeKind::Function if functions.contains(&name) => {
                    self.functions.entry(name).or_insert(id);
                }
                TypeKind::Typedef if typedefs.contains(&name) => {
                    self.typedefs.entry(name).or_insert(id);
                }
                _ => {}
            }
            stream.skip(header.kind.extra(header.count));
            self.type_count = id;
        }
        if stream.position != u64::from(self.types.length) {
            return Err(BtfError::Truncated);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
