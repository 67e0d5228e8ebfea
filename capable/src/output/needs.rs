//! What a format requires from the stages before it.

use capable_common::Wanted;

bitflags::bitflags! {
    /// What must be filled in for the chosen columns. Nothing else is requested, so it costs
    /// nothing in the kernel and no look-up in user space.
    ///
    /// The lowest eight bits are those of [`Wanted`], which the kernel side sends. The others are
    /// looked up here.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct RowNeeds: u32 {
        /// [`crate::event::Event::detail`]: parent, inner pids and system call.
        const DETAIL = Wanted::DETAIL.bits() as u32;
        /// [`crate::event::Event::credentials`] and the target namespace.
        const CREDENTIALS = Wanted::CREDENTIALS.bits() as u32;
        /// The id of the cgroup.
        const CGROUP_ID = Wanted::CGROUP.bits() as u32;
        /// [`crate::event::Event::gid`].
        const GROUP_ID = Wanted::GROUP.bits() as u32;
        /// [`crate::event::Event::mount_namespace`], and the number of the initial one.
        const MOUNT_NAMESPACE = Wanted::MOUNT_NAMESPACE.bits() as u32;
        /// [`super::Row::caller`]: the first frames of the kernel stack, symbolised.
        const CALLER = 1 << 8;
        /// [`super::Row::syscall`]: the name of the system call. Comes with `DETAIL`.
        const SYSCALL = 1 << 9;
        /// [`super::Row::user`]: the name of the real user id.
        const USER = 1 << 10;
        /// [`super::Row::unit`]: the systemd unit.
        const UNIT = 1 << 11;
        /// [`super::Row::container`]: the container and its runtime.
        const CONTAINER = 1 << 12;
        /// [`super::Row::cgroup`]: the path of the cgroup.
        const CGROUP = 1 << 13;
        /// At least one full stack: the kernel's, unless the user chose another.
        const STACK = 1 << 14;
        /// [`super::Row::group`]: the name of the real group id. Comes with `GROUP_ID`.
        const GROUP = 1 << 15;
        /// [`super::Row::why`]: what the atlas says of the place. Comes with `CALLER` and `DETAIL`.
        const PLACE = 1 << 16;
    }
}

impl RowNeeds {
    /// What the kernel side must send for it.
    pub fn wanted(self) -> Wanted {
        Wanted::from_bits(self.bits() as u8)
    }
}
