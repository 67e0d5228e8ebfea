//! Capabilities over the network.

use super::{Danger, Explanation, Scope};
use crate::capability::Capability;

pub(super) static NETWORK: &[(Capability, Explanation)] = &[
    (
        Capability::NET_BIND_SERVICE,
        Explanation {
            summary: "bind to ports below 1024",
            allows: "Bind a TCP, UDP or SCTP socket to a privileged port; likewise the reserved \
             numbers of Bluetooth, VSOCK, RDMA and other protocols. Privileged ports are those \
             below 1024, a limit that a sysctl can change since 4.11.",
            scope: Scope::Mixed,
            programs: &[
                "web servers: nginx, Apache, Caddy, Traefik",
                "DNS, mail, SSH, LDAP and FTP servers",
                "rpcbind, and NFS clients that use a reserved port",
                "containers of docker and podman hold it by default",
            ],
            syscalls: &["bind", "connect and sendmsg in SCTP"],
            functions: &[
                "__inet_bind",
                "__inet6_bind",
                "sctp_do_bind",
                "__vsock_bind_connectible",
            ],
            danger: Danger::Limited,
            holding: "The holder can pose as a well-known service of the host, if the port is \
             free. This is one of the harmless capabilities.",
            alternatives: &[
                "sysctl net.ipv4.ip_unprivileged_port_start=80 (per network namespace; also \
                 applies to IPv6).",
                "Socket activation: systemd binds the port and passes the socket \
                 (systemd.socket(5)).",
                "A high port, with a redirect by nftables or a load balancer; for a container, \
                 publish port 80 as 8080 inside.",
                "Since 20.10 docker sets this sysctl to 0 in its containers; kubernetes lists it \
                 as safe to set for a pod.",
            ],
            see: &["ip(7)", "systemd.socket(5)"],
        },
    ),
    (
        Capability::NET_BROADCAST,
        Explanation {
            summary: "listen to network events of other namespaces",
            allows: "Despite its name, broadcast and multicast do not need it. The kernel asks for \
             it when a netlink socket asks for the messages of all network namespaces that have an \
             id in its own (NETLINK_LISTEN_ALL_NSID), and again, of whoever opened the socket, \
             before each such message is delivered.",
            scope: Scope::Namespace,
            programs: &[
                "ip monitor all-nsid",
                "route daemons that watch several namespaces",
            ],
            syscalls: &["setsockopt NETLINK_LISTEN_ALL_NSID"],
            functions: &["netlink_setsockopt", "do_one_broadcast"],
            danger: Danger::Limited,
            holding: "The holder can see links, addresses and routes of neighbouring network \
             namespaces. This is nearly harmless.",
            alternatives: &[
                "For broadcast: SO_BROADCAST, which every process may set.",
                "A socket in each network namespace instead of one for all.",
            ],
            see: &["netlink(7)", "ip-monitor(8)"],
        },
    ),
    (
        Capability::NET_ADMIN,
        Explanation {
            summary: "configure the network",
            allows: "Set up interfaces, addresses, routes, neighbours, tunnels, bridges, traffic control, \
             firewall (nftables, iptables), IPsec and WireGuard; put interfaces in promiscuous \
             mode; set privileged socket options (SO_MARK, SO_RCVBUFFORCE, IP_TRANSPARENT); \
             attach networking BPF programs; write network sysctls. Also set up Wi-Fi (nl80211), \
             Bluetooth adapters, PPP links and RDMA devices, and block radios (rfkill).",
            scope: Scope::Mixed,
            programs: &[
                "ip, nft, iptables, tc, ethtool, wg",
                "NetworkManager, systemd-networkd, dhclient",
                "wpa_supplicant, iwd, hostapd, bluetoothd, pppd",
                "VPN daemons: OpenVPN, WireGuard, strongSwan",
                "container network plugins, kube-proxy, Cilium",
                "keepalived, FRR, haproxy in transparent mode",
                "systemd, to enlarge socket buffers",
                "ss -K and traffic monitors",
            ],
            syscalls: &[
                "netlink requests (rtnetlink, netfilter, xfrm, generic netlink)",
                "setsockopt",
                "ioctl SIOCSIFADDR and other SIOCS*",
                "ioctl TUNSETIFF",
                "bpf",
                "a write to /proc/sys/net",
            ],
            functions: &[
                "netlink_ns_capable",
                "netlink_net_capable",
                "rtnetlink_rcv_msg",
                "dev_ioctl",
                "sk_setsockopt",
                "tun_set_iff",
                "bpf_token_capable",
            ],
            danger: Danger::Serious,
            holding: "The holder can redirect, watch and cut off all traffic of its network \
             namespace, open its firewall, and answer for other hosts. In the host's network \
             namespace it controls the host's network. It also exposes much kernel code that has \
             had flaws.",
            alternatives: &[
                "A separate network namespace (PrivateNetwork= in a unit, the default of \
                 containers) confines it to that namespace.",
                "For a tunnel: create a persistent tun device that the user owns (ip tuntap add \
                 user NAME); opening it then needs no capability.",
                "For one setting: let the manager do it (systemd-networkd, sysctl.d(5), docker \
                 --sysctl) before the program starts.",
                "CAP_NET_RAW, if only SO_MARK (since 5.17), SO_PRIORITY or IP_TRANSPARENT is \
                 needed.",
                "net.core.rmem_max instead of SO_RCVBUFFORCE; many daemons try the latter and \
                 continue without.",
            ],
            see: &[
                "netdevice(7)",
                "rtnetlink(7)",
                "socket(7)",
                "network_namespaces(7)",
            ],
        },
    ),
    (
        Capability::NET_RAW,
        Explanation {
            summary: "send and receive raw packets",
            allows: "Open raw IP sockets, XDP sockets, raw Bluetooth sockets, and packet sockets, \
             which see and send whole frames; make raw packet queues of RDMA devices; bind to any \
             address for transparent proxying; change \
             the device that a socket is bound to; since 5.17 also set SO_MARK.",
            scope: Scope::Mixed,
            programs: &[
                "ping if unprivileged ICMP is off, traceroute, arping, mtr",
                "tcpdump, Wireshark's dumpcap, Suricata",
                "dhclient and dnsmasq (DHCP)",
                "nmap, keepalived (VRRP)",
                "squid and haproxy as transparent proxies",
                "containers of docker hold it by default",
            ],
            syscalls: &[
                "socket(AF_PACKET)",
                "socket with SOCK_RAW",
                "socket(AF_XDP)",
                "setsockopt SO_BINDTODEVICE, SO_MARK, IP_TRANSPARENT",
            ],
            functions: &[
                "inet_create",
                "inet6_create",
                "packet_create",
                "xsk_create",
                "sock_bindtoindex_locked",
                "sk_setsockopt",
            ],
            danger: Danger::Serious,
            holding: "The holder can read all traffic of its network namespace and forge packets \
             in it: poison ARP, answer DNS for others, take over sessions of neighbours on the \
             same network. Containers on a shared bridge get it by default and seldom need it.",
            alternatives: &[
                "sysctl net.ipv4.ping_group_range allows these groups to open ICMP echo sockets, \
                 which is all that ping needs. Since 20.10 docker allows it to all groups in its \
                 containers.",
                "Hand over an open socket: by socket activation, or from a small helper such as \
                 dumpcap that captures for the rest.",
                "Open the raw or packet socket at the start and then drop the capability: the \
                 socket remains usable.",
                "--cap-drop NET_RAW in docker and kubernetes; most workloads run without it.",
                "Since 5.7, binding a socket to a device for the first time needs no capability.",
            ],
            see: &["packet(7)", "raw(7)", "icmp(7)", "socket(7)"],
        },
    ),
];
