//! The offsets of what the tracer reads in the kernel's structures: one line per member.
//!
//! User space looks each of them up in the kernel's BTF, and the kernel side reads at that offset.

use crate::arch;

/// In place of an offset: this kernel's BTF does not have the member.
pub const NO_OFFSET: u32 = u32::MAX;

/// Makes [`Offsets`] from a line for each member and one for each size.
macro_rules! offsets {
    (
        members { $($field:ident = $structure:literal $member:expr,)+ }
        sizes { $($size:ident = $sized:literal,)+ }
    ) => {
        /// The offset of each member in its structure, in bytes, or [`NO_OFFSET`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(C)]
        pub struct Offsets {
            $(
                #[doc = concat!("In `", $structure, "`: ", stringify!($member), ".")]
                pub $field: u32,
            )+
            $(
                #[doc = concat!("The size of `", $sized, "`.")]
                pub $size: u32,
            )+
        }

        impl Offsets {
            /// The structures and members whose offsets are looked up.
            pub const MEMBERS: &[(&str, &str)] = &[$(($structure, $member)),+];

            /// The structures whose sizes are looked up.
            pub const SIZES: &[&str] = &[$($sized),+];

            /// Every member at the same offset.
            pub const fn all(offset: u32) -> Self {
                Self {
                    $($field: offset,)+
                    $($size: offset,)+
                }
            }

            /// Looks everything up. What is not found is [`NO_OFFSET`].
            ///
            /// # Errors
            ///
            /// A look-up failed.
            pub fn find<E>(
                mut member: impl FnMut(&str, &str) -> Result<Option<u32>, E>,
                mut size: impl FnMut(&str) -> Result<Option<u32>, E>,
            ) -> Result<Self, E> {
                Ok(Self {
                    $($field: member($structure, $member)?.unwrap_or(NO_OFFSET),)+
                    $($size: size($sized)?.unwrap_or(NO_OFFSET),)+
                })
            }
        }
    };
}

offsets! {
    members {
        task_cred = "task_struct" "cred",
        task_real_cred = "task_struct" "real_cred",
        task_real_parent = "task_struct" "real_parent",
        task_tgid = "task_struct" "tgid",
        task_flags = "task_struct" "flags",
        task_nsproxy = "task_struct" "nsproxy",
        task_thread_pid = "task_struct" "thread_pid",
        task_group_leader = "task_struct" "group_leader",
        task_start = "task_struct" "start_boottime",
        task_stack = "task_struct" "stack",
        task_comm = "task_struct" "comm",
        task_entry = "task_struct" arch::ENTRY_WORD,
        task_fs = "task_struct" "fs",
        task_files = "task_struct" "files",
        task_seccomp = "task_struct" "seccomp.mode",
        task_atomic_flags = "task_struct" "atomic_flags",
        cred_uid = "cred" "uid",
        cred_gid = "cred" "gid",
        cred_euid = "cred" "euid",
        cred_fsuid = "cred" "fsuid",
        cred_fsgid = "cred" "fsgid",
        cred_effective = "cred" "cap_effective",
        cred_permitted = "cred" "cap_permitted",
        cred_inheritable = "cred" "cap_inheritable",
        cred_bounding = "cred" "cap_bset",
        cred_ambient = "cred" "cap_ambient",
        cred_groups = "cred" "group_info",
        cred_security = "cred" "security",
        groups_count = "group_info" "ngroups",
        groups_first = "group_info" "gid",
        cred_user_ns = "cred" "user_ns",
        cred_securebits = "cred" "securebits",
        user_ns_parent = "user_namespace" "parent",
        user_ns_level = "user_namespace" "level",
        user_ns_owner = "user_namespace" "owner",
        user_ns_inum = "user_namespace" "ns.inum",
        nsproxy_mnt_ns = "nsproxy" "mnt_ns",
        mnt_ns_inum = "mnt_namespace" "ns.inum",
        pid_level = "pid" "level",
        pid_numbers = "pid" "numbers",
        pid_ns_inum = "pid_namespace" "ns.inum",
        upid_nr = "upid" "nr",
        upid_ns = "upid" "ns",
        cgroup_self = "cgroup" "self",
        cgroup_parent = "cgroup" "self.parent",
        cgroup_node = "cgroup" "kn",
        cgroup_root = "cgroup" "root",
        cgroup_root_hierarchy = "cgroup_root" "hierarchy_id",
        node_id = "kernfs_node" "id",
        node_name = "kernfs_node" "name",
        fs_pwd_mount = "fs_struct" "pwd.mnt",
        fs_pwd_entry = "fs_struct" "pwd.dentry",
        files_table = "files_struct" "fdt",
        files_most = "fdtable" "max_fds",
        files_open = "fdtable" "fd",
        file_mount = "file" "f_path.mnt",
        file_entry = "file" "f_path.dentry",
        entry_parent = "dentry" "d_parent",
        entry_name = "dentry" "d_name.name",
        entry_inode = "dentry" "d_inode",
        inode_mode = "inode" "i_mode",
        inode_uid = "inode" "i_uid",
        inode_gid = "inode" "i_gid",
        inode_flags = "inode" "i_flags",
        mount_inside = "mount" "mnt",
        mount_parent = "mount" "mnt_parent",
        mount_point = "mount" "mnt_mountpoint",
        mount_root = "vfsmount" "mnt_root",
    }
    sizes {
        upid_size = "upid",
    }
}

impl Offsets {
    /// Nothing is known: whatever needs an offset is reported as unknown.
    pub const UNKNOWN: Self = Self::all(NO_OFFSET);
}
