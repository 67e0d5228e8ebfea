//! The output of `capable -o json`, with the fields that the tests read (docs/json-schema.json).

use serde::Deserialize;

use super::capabilities::SYS_ADMIN;
use crate::arch;

/// One line.
#[derive(Clone, Debug, Deserialize)]
pub struct Row {
    /// The process.
    pub pid: u32,
    /// The thread.
    pub tid: u32,
    /// The real user.
    pub uid: u32,
    /// The real group.
    pub gid: Option<u32>,
    /// The mount namespace.
    pub mount_namespace: Option<u64>,
    /// The task's name.
    pub comm: String,
    /// What was asked for.
    pub capability_number: i32,
    /// Its name.
    pub capability: String,
    /// Whether a denial would be logged.
    pub audit: Option<bool>,
    /// Whether it was made by set*id.
    pub insetid: Option<bool>,
    /// `granted` or `denied`.
    pub result: Option<String>,
    /// `capability` or `ownership`.
    pub granted_by: Option<String>,
    /// The kernel function that asked.
    pub caller: Option<String>,
    /// The checked credentials.
    pub credentials: Option<Credentials>,
    /// The namespace over which the capability was asked for.
    pub target_namespace: Option<Namespace>,
    /// The kernel stack, if it was asked for.
    #[serde(default)]
    pub kernel_stack: Option<Vec<Frame>>,
    /// The stack of the program, where it was asked for.
    #[serde(default)]
    pub user_stack: Option<Vec<Frame>>,
    /// Why names in it are missing.
    #[serde(default)]
    pub user_stack_note: Option<String>,
}

/// The checked credentials.
#[derive(Clone, Debug, Deserialize)]
pub struct Credentials {
    /// `own`, `overridden` or `foreign`.
    pub owner: Option<String>,
    /// The effective user.
    pub euid: Option<u32>,
}

/// The namespace over which a capability was asked.
#[derive(Clone, Debug, Deserialize)]
pub struct Namespace {
    /// It is the initial one.
    pub initial: Option<bool>,
}

/// A frame of a stack.
#[derive(Clone, Debug, Deserialize)]
pub struct Frame {
    /// The function, if it has a name.
    pub function: Option<String>,
    /// The file that it is part of, if known.
    #[serde(default)]
    pub module: Option<String>,
}

/// The part of a row on which all hooks must agree.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Check {
    /// The capability's number.
    pub capability: i32,
    /// Its name.
    pub name: String,
    /// Audited.
    pub audit: Option<bool>,
    /// By set*id.
    pub insetid: Option<bool>,
    /// `granted`, `denied`, or `owner`.
    pub result: Option<String>,
    /// The caller, under one name for all its variants.
    pub caller: Option<String>,
}

impl Check {
    /// Whether it was made by a neighbour of `cap_capable` that asks with audit and may have it
    /// inlined.
    pub fn is_by_neighbour(&self) -> bool {
        matches!(self.caller.as_deref(), Some("cap_capset" | "cap_mmap_addr"))
    }
}

impl Row {
    /// The part on which all hooks must agree.
    pub fn check(&self) -> Check {
        let result = match self.granted_by.as_deref() {
            Some("ownership") => Some("owner".to_owned()),
            _ => self.result.clone(),
        };
        Check {
            capability: self.capability_number,
            name: self.capability.clone(),
            audit: self.audit,
            insetid: self.insetid,
            result,
            caller: self.caller.as_deref().map(plain_function),
        }
    }

    /// Whether it was made by a function into which compilers inline `cap_capable`.
    pub fn may_be_inlined(&self) -> bool {
        self.is_overcommit() || self.check().is_by_neighbour()
    }

    /// Whether it was made by memory accounting, which happens in every process at unpredictable
    /// times.
    pub fn is_overcommit(&self) -> bool {
        self.capability_number == i32::from(SYS_ADMIN.number)
            && self.audit == Some(false)
            && self
                .caller
                .as_deref()
                .is_none_or(|caller| OVERCOMMIT_CALLERS.contains(&plain_function(caller).as_str()))
    }
}

/// The functions that check overcommit while a process starts, maps, grows and forks (`mm/`,
/// `fs/exec.c`).
const OVERCOMMIT_CALLERS: &[&str] = &[
    "__vm_enough_memory",
    "acct_stack_growth",
    "cap_vm_enough_memory",
    "do_brk_flags",
    "do_mmap",
    "dup_mm",
    "dup_mmap",
    "expand_downwards",
    "insert_vm_struct",
    "mmap_region",
    "__mmap_region",
    "mprotect_fixup",
    "security_vm_enough_memory_mm",
    "shmem_inode_acct_block",
    "shmem_inode_acct_blocks",
    "vma_to_resize",
    "check_brk_limits",
    "vm_brk_flags",
    "__do_sys_brk",
    "sys_brk",
    "copy_process",
    "do_mremap",
];

/// A function's name without what the compiler and the system call table add to it.
pub fn plain_function(function: &str) -> String {
    let name = function.split('.').next().unwrap_or(function);
    // include/linux/syscalls.h
    let prefixes = ["__do_sys_", "__se_sys_"].iter();
    for prefix in prefixes.chain(arch::THIS.system_call_prefixes) {
        if let Some(rest) = name.strip_prefix(prefix) {
            return format!("sys_{rest}");
        }
    }
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::plain_function;

    #[test]
    fn variants_of_a_function_have_one_name() {
        assert_eq!(plain_function("__x64_sys_chroot"), "sys_chroot");
        assert_eq!(plain_function("__do_sys_swapon"), "sys_swapon");
        assert_eq!(plain_function("can_nice.part.0"), "can_nice");
        assert_eq!(plain_function("map_write"), "map_write");
    }
}
