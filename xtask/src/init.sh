#!/usr/bin/busybox sh
# The first process of a guest: makes a small system, runs /vm/command, and ends the machine.
#
# The console of the kernel is that of the shell too. Two more serial lines take what the command
# prints and what became of it; /vm/lines names them OUTPUT and REPORT.
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
stty -F "$OUTPUT" raw -echo
stty -F "$REPORT" raw -echo
echo started >"$REPORT"
# Through a pipe, so that programs see no terminal.
mkfifo /run/output
cat </run/output >"$OUTPUT" &
reader=$!
/bin/sh /vm/command </dev/null >/run/output 2>&1
status=$?
# The reader ends with its last writer; one that stays in the background is not waited for.
for _ in 1 2 3 4 5 6 7 8 9 10; do
    kill -0 $reader 2>/dev/null || break
    sleep 0.1
done
# Setting a line waits until all that was written to it has left.
stty -F "$OUTPUT" raw
echo "exit $status" >"$REPORT"
stty -F "$REPORT" raw
poweroff -f
