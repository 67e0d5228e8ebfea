
# The tests start the engines that they need.
for unit in containerd docker lxc lxc-monitord lxc-net podman podman-auto-update podman-restart; do
    rm -f "$1"/etc/systemd/system/*.wants/$unit.service
done
rm -f "$1"/etc/systemd/system/sockets.target.wants/*
# Nothing here has a network.
mkdir -p "$1/etc/docker"
echo '{"bridge": "none", "iptables": false, "ip6tables": false}' >"$1/etc/docker/daemon.json"
