#!/bin/sh
# What the guest's unit runs: the command, or a shell on the console.
export HOME=/root USER=root
# No eBPF program may fall back to how it was built: it would do so unseen.
export CAPABLE_SPECIALISE=yes
cd /root

if [ -e /vm/shell ]; then
    echo "This is Debian $(cat /etc/debian_version) with Linux $(uname -r). Leave with exit or Ctrl-D." >/dev/console
    TERM=linux setsid --ctty --wait /bin/bash -l </dev/console >/dev/console 2>&1
    exec /usr/bin/busybox poweroff -f
fi
. /vm/report
