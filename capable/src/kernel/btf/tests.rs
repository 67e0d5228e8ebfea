//! Tests the reader with type information written here, with damaged files, and with the running
//! kernel's.

use std::io::Write as _;

use super::*;

/// Writes type information.
#[derive(Default)]
struct Writer {
    types: Vec<u32>,
    strings: Vec<u8>,
}

impl Writer {
    /// Equal strings are shared, as in the kernel's.
    fn name(&mut self, name: &str) -> u32 {
        if self.strings.is_empty() {
            self.strings.push(0);
        }
        let mut at = 0;
        for known in self.strings.split(|&byte| byte == 0) {
            if at < self.strings.len() && known == name.as_bytes() {
                return at as u32;
            }
            at += known.len() + 1;
        }
        let at = self.strings.len() as u32;
        self.strings.extend(name.bytes().chain([0]));
        at
    }

    fn push(&mut self, name: &str, kind: u32, count: u32, size_or_type: u32, rest: &[u32]) {
        let name = self.name(name);
        self.types.extend([name, kind << 24 | count, size_or_type]);
        self.types.extend(rest);
    }

    fn bytes(&self) -> Vec<u8> {
        let length = self.types.len() as u32 * 4;
        let header = [
            0x0001_eb9f,
            24,
            0,
            length,
            length,
            self.strings.len() as u32,
        ];
        let words = header.iter().chain(&self.types);
        let mut bytes: Vec<u8> = words.flat_map(|word| word.to_le_bytes()).collect();
        bytes.extend(&self.strings);
        bytes
    }
}

const INT: u32 = 1;
const STRUCT: u32 = 4;
const TYPEDEF: u32 = 8;
const CONST: u32 = 10;
const FUNCTION: u32 = 12;
const PROTOTYPE: u32 = 13;
const BIT_FIELDS: u32 = 0x80;

/// `struct ns { u32 inum; }; struct outer { int first; struct { int pad; const ns_t ns; };
/// int bit : 3; }; int cap_capable(int audit);`
fn sample() -> Writer {
    let mut writer = Writer::default();
    writer.push("int", INT, 0, 4, &[1 << 24 | 32]);
    let inum = writer.name("inum");
    writer.push("ns", STRUCT, 1, 4, &[inum, 1, 0]);
    writer.push("ns_t", TYPEDEF, 0, 2, &[]);
    writer.push("", CONST, 0, 3, &[]);
    let (pad, ns) = (writer.name("pad"), writer.name("ns"));
    writer.push("", STRUCT, 2, 8, &[pad, 1, 0, ns, 4, 32]);
    let (first, bit) = (writer.name("first"), writer.name("bit"));
    let members = [first, 1, 0, 0, 5, 64, bit, 1, 3 << 24 | 128];
    writer.push("outer", STRUCT | BIT_FIELDS, 3, 24, &members);
    let audit = writer.name("audit");
    writer.push("", PROTOTYPE, 1, 1, &[audit, 1]);
    writer.push("cap_capable", FUNCTION, 0, 7, &[]);
    writer.push("btf_trace_cap_capable", TYPEDEF, 0, 7, &[]);
    writer
}

const QUERY: Query<'_> = Query {
    members: &[
        ("outer", "first"),
        ("outer", "ns.inum"),
        ("outer", "bit"),
        ("outer", "absent"),
        ("absent", "first"),
    ],
    sizes: &["outer"],
    functions: &["cap_capable", "absent"],
    typedefs: &["btf_trace_cap_capable"],
};

fn read(bytes: &[u8]) -> Result<Btf, BtfError> {
    let mut file = tempfile::NamedTempFile::new()?;
    file.write_all(bytes)?;
    Btf::read(file.path(), &QUERY)
}

#[test]
fn members_are_found_through_anonymous_structs_typedefs_and_qualifiers() {
    let btf = read(&sample().bytes()).unwrap();
    assert_eq!(btf.offset("outer", "first").unwrap(), Some(0));
    assert_eq!(btf.offset("outer", "ns.inum").unwrap(), Some(12));
    assert_eq!(btf.size("outer").unwrap(), Some(24));
    assert_eq!(btf.type_count, 9);
}

#[test]
fn what_has_no_address_or_does_not_exist_has_no_offset() {
    let btf = read(&sample().bytes()).unwrap();
    for (name, path) in [
        ("outer", "bit"),
        ("outer", "absent"),
        ("absent", "first"),
        ("outer", "first.inum"),
        ("outer", "was never asked for"),
    ] {
        assert_eq!(btf.offset(name, path).unwrap(), None, "{name}.{path}");
    }
    assert_eq!(btf.function("absent"), None);
}

#[test]
fn a_function_is_found_with_its_parameters() {
    let btf = read(&sample().bytes()).unwrap();
    assert_eq!(btf.function("cap_capable"), Some(8));
    assert_eq!(btf.typedef("btf_trace_cap_capable"), Some(9));
    let audit = Parameter {
        name: "audit".into(),
        kind: TypeKind::Int,
        type_name: "int".into(),
        signed: true,
    };
    assert_eq!(btf.parameters("cap_capable").unwrap(), Some(vec![audit]));
}

#[test]
fn two_structs_of_one_name_must_agree() {
    let mut writer = sample();
    let first = writer.name("first");
    writer.push("outer", STRUCT, 1, 24, &[first, 1, 32]);
    let btf = read(&writer.bytes()).unwrap();
    assert_eq!(btf.offset("outer", "first").unwrap(), None);
    assert_eq!(btf.offset("outer", "ns.inum").unwrap(), Some(12));
}

#[test]
fn a_file_cut_off_anywhere_is_an_error() {
    let bytes = sample().bytes();
    for length in 0..bytes.len() {
        read(&bytes[..length]).expect_err("a part of the file is not the file");
    }
}

/// Whatever a word of the file is changed to, the reader returns an error or a value, and does not
/// hang.
#[test]
fn damage_is_survived() {
    let bytes = sample().bytes();
    for at in (0..bytes.len()).step_by(2) {
        for damage in [
            [0, 0],
            [0xff, 0xff],
            [0x05, 0x00],
            [0x00, 0x0a],
            [0xff, 0x84],
        ] {
            let mut bytes = bytes.clone();
            let end = bytes.len().min(at + 2);
            bytes[at..end].copy_from_slice(&damage[..end - at]);
            let Ok(btf) = read(&bytes) else { continue };
            for (name, path) in QUERY.members {
                btf.offset(name, path).ok();
            }
            btf.size("outer").ok();
            btf.parameters("cap_capable").ok();
        }
    }
}

#[test]
fn circles_are_an_error() {
    let mut writer = sample();
    // Type 3, the typedef that the path goes through, becomes its own target.
    let typedef = 4 + 6; // words of the types before it
    assert_eq!(writer.types[typedef + 2], 2);
    writer.types[typedef + 2] = 3;
    let btf = read(&writer.bytes()).unwrap();
    assert!(matches!(
        btf.offset("outer", "ns.inum"),
        Err(BtfError::Reference(_))
    ));
}

#[test]
fn the_other_byte_order_and_other_files_are_refused_by_name() {
    let mut bytes = sample().bytes();
    bytes.swap(0, 1);
    assert!(matches!(read(&bytes), Err(BtfError::BigEndian)));
    assert!(matches!(read(&[b'#'; 64]), Err(BtfError::Magic(0x2323))));
    bytes.swap(0, 1);
    bytes[2] = 2;
    let error = read(&bytes).expect_err("version 2 is not known");
    assert!(matches!(error, BtfError::Version { version: 2, .. }));
}

/// Compares the answers for the running kernel with those of aya's parser, which reads all of the
/// file.
#[test]
fn numbers_agree_with_aya_on_the_running_kernel() {
    let query = Query {
        functions: &["cap_capable", "commit_creds"],
        typedefs: &["btf_trace_sched_process_fork"],
        ..Query::default()
    };
    let btf = Btf::read(Path::new(VMLINUX), &query)
        .expect("this test needs a kernel with CONFIG_DEBUG_INFO_BTF");
    let whole = aya::Btf::from_sys_fs().unwrap();
    for name in query.functions {
        let expected = whole.id_by_type_name_kind(name, aya_obj::btf::BtfKind::Func);
        assert_eq!(btf.function(name), expected.ok(), "{name}");
    }
    for name in query.typedefs {
        let expected = whole.id_by_type_name_kind(name, aya_obj::btf::BtfKind::Typedef);
        assert_eq!(btf.typedef(name), expected.ok(), "{name}");
    }
}
