#!/usr/bin/busybox sh
# The first process of a guest: makes a small system, runs /vm/command, and ends the machine.
#
# The console of the kernel is that of the shell too.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin HOME=/root USER=root TERM=linux
# No eBPF program may fall back to how it was built: it would do so unseen.
export CAPABLE_SPECIALISE=yes
umask 022

# A root file system in memory begins with the permissions of /tmp.
chmod 755 /
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /dev/pts
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o mode=1777 tmpfs /tmp
mount -t securityfs securityfs /sys/kernel/security
mount -t debugfs debugfs /sys/kernel/debug
mount -t tracefs tracefs /sys/kernel/tracing
mount -t bpf bpf /sys/fs/bpf
mount -t cgroup2 cgroup2 /sys/fs/cgroup
ln -sf /proc/self/fd /dev/fd
ln -sf /proc/self/fd/0 /dev/stdin
ln -sf /proc/self/fd/1 /dev/stdout
ln -sf /proc/self/fd/2 /dev/stderr
ln -sf /proc/mounts /etc/mtab
mkdir -p /run/lock
hostname guest
ip link set lo up
cd /root

if [ -e /vm/shell ]; then
    echo "This is Linux $(uname -r). Leave with exit or Ctrl-D."
    setsid cttyhack /bin/sh -l
    poweroff -f
fi

. /vm/lines
stty -F "$REPORT" raw -echo
echo started >"$REPORT"
. /vm/report
