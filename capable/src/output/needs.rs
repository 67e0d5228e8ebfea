//! What a format asks of the stages before it.

bitflags::bitflags! {
    /// What must be filled in for the chosen columns: everything else stays unasked, so that it
    /// costs nothing in the kernel and no look-up in user space.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct RowNeeds: u16 {
        /// [`crate::event::Event::detail`]: parent, inner pids and system call.
        const DETAIL = 1 << 0;
        /// [`super::Row::caller`]: the first frames of the kernel stack, symbolised.
        const CALLER = 1 << 1;
        /// [`super::Row::syscall`]: the name of the system call. Comes with `DETAIL`.
        const SYSCALL = 1 << 2;
        /// [`super::Row::user`]: the name of the real user id.
        const USER = 1 << 3;
        /// [`super::Row::unit`]: the systemd unit.
        const UNIT = 1 << 4;
        /// [`super::Row::container`]: the container and its runtime.
        const CONTAINER = 1 << 5;
        /// [`super::Row::cgroup`]: the path of the cgroup.
        const CGROUP = 1 << 6;
        /// At least one stack, deep: the kernel's, where the user chose none.
        const STACK = 1 << 7;
        /// [`crate::event::Event::credentials`] and the target namespace.
        const CREDENTIALS = 1 << 8;
        /// The id of the cgroup.
        const CGROUP_ID = 1 << 9;
    }
}
