//! Telling aya the number of one type without the other hundred thousand.

use aya_obj::btf::{BtfType, Func, FuncLinkage};

/// What a program attaches to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target<'a> {
    /// A kernel function, for fentry and fexit.
    Function(&'a str),
    /// A tracepoint, for `BPF_TRACE_RAW_TP`, without the `btf_trace_` of its typedef.
    Tracepoint(&'a str),
}

/// Type information in which `target`, and nothing else, has the number `id` that the kernel's
/// own type information gives it.
///
/// All that aya's `FExit::load` and `BtfTracePoint::load` want of an `aya::Btf` is the number of
/// one type, which is its place. Parsing the whole of a vmlinux of 126 610 types costs aya 19 MB
/// and 79 million instructions. Filling the places before number 69 375 costs 5 MB (72 bytes
/// each) and 7 million instructions. The memory goes back to the system when this is dropped,
/// which is best done right after loading.
///
/// # Errors
///
/// None in practice: aya refuses type information only where it is damaged.
pub fn attach_btf(target: Target<'_>, id: u32) -> Result<aya::Btf, aya::BtfError> {
    match target {
        Target::Function(name) => {
            let mut btf = aya::Btf::new();
            for _ in 1..id {
                btf.add_type(BtfType::Unknown);
            }
            let name = btf.add_string(name);
            btf.add_type(BtfType::Func(Func::new(name, 0, FuncLinkage::Static)));
            Ok(btf)
        }
        // aya-obj gives no way to make a typedef but to parse it, which costs four times the
        // instructions. Typedefs come early: this one is number 26 904 of 126 610.
        Target::Tracepoint(name) => {
            const FORWARD: u32 = 7 << 24;
            const TYPEDEF: u32 = 8 << 24;
            let names = format!("\0btf_trace_{name}\0");
            let before = id.saturating_sub(1) as usize;
            let length = 12 * (before as u32 + 1);
            let mut bytes = Vec::with_capacity(24 + length as usize + names.len());
            let header = [0x0001_eb9f, 24, 0, length, length, names.len() as u32];
            bytes.extend(header.into_iter().flat_map(u32::to_le_bytes));
            let filler = [0, FORWARD, 0];
            for word in std::iter::repeat_n(filler, before).flatten() {
                bytes.extend(word.to_le_bytes());
            }
            bytes.extend([1, TYPEDEF, 0].into_iter().flat_map(u32::to_le_bytes));
            bytes.extend(names.as_bytes());
            aya::Btf::parse(&bytes, Default::default())
        }
    }
}

#[cfg(test)]
mod tests {
    use aya_obj::btf::BtfKind;

    use super::*;

    #[test]
    fn aya_finds_the_number_that_the_kernel_gave() {
        for id in [1, 2, 69_375] {
            let btf = attach_btf(Target::Function("cap_capable"), id).unwrap();
            let found = btf.id_by_type_name_kind("cap_capable", BtfKind::Func);
            assert_eq!(found.unwrap(), id);
            let btf = attach_btf(Target::Tracepoint("cap_capable"), id).unwrap();
            let found = btf.id_by_type_name_kind("btf_trace_cap_capable", BtfKind::Typedef);
            assert_eq!(found.unwrap(), id);
        }
    }
}
