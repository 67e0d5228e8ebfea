#!/usr/bin/busybox sh
# The first process of a guest with an installed system: finds the disk, puts on it what this run
# brings, and hands over to systemd.
export PATH=/usr/sbin:/usr/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
for module in virtio_pci virtio_blk ext4; do
    modprobe -q $module
done
for _ in 1 2 3 4 5 6 7 8 9 10; do
    [ -b /dev/vda ] && break
    sleep 0.2
done
mount -t ext4 -o noatime /dev/vda /mnt

# Modules that the system asks for later are here, not on the disk.
mkdir -p /mnt/usr/lib/modules
cp -a "/usr/lib/modules/$(uname -r)" /mnt/usr/lib/modules/
# kmod finds them by indices that busybox does not write.
chroot /mnt depmod "$(uname -r)"
cp -a /vm /mnt/vm
cp /usr/bin/busybox /mnt/usr/bin/busybox
cp /usr/bin/capable /usr/bin/xtask /mnt/usr/local/bin/
cp /root/* /mnt/root/ 2>/dev/null
cp /vm/guest.target /vm/guest.service /mnt/etc/systemd/system/
# This boot's target, and no login on the console.
ln -sf guest.target /mnt/etc/systemd/system/default.target
ln -sf /dev/null /mnt/etc/systemd/system/serial-getty@.service

. /vm/lines
stty -F "$REPORT" raw -echo
echo started >"$REPORT"
umount /sys /proc
mount --move /dev /mnt/dev
exec switch_root /mnt /sbin/init
