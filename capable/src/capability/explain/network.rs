//! What is asked for the network.

use super::{Danger, Explanation, Scope};
use crate::capability::Capability;

pub(super) static NETWORK: &[(Capability, Explanation)] = &[
    (
        Capability::NET_BIND_SERVICE,
        Explanation {
            summary: "bind to ports below 1024",
            allows: "Bind a TCP, UDP or SCTP socket to a privileged port, the reserved numbers of \
             Bluetooth, VSOCK, RDMA and other protocols likewise. Since 4.11 a sysctl says where \
             the privileged ports end; 1024 by default.",
            scope: Scope::Namespace,
            programs: &[
                "web servers: nginx, Apache, Caddy, Traefik",
                "DNS, mail, SSH, LDAP and FTP servers",
                "rpcbind and NFS clients that want a reserved port",
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
            holding: "Poses as a well-known service of the host, if that port is free. It is among the \
             harmless ones.",
            alternatives: &[
                "sysctl net.ipv4.ip_unprivileged_port_start=80 (per network namespace; also for \
                 IPv6).",
                "Socket activation: systemd binds the port and passes the socket \
                 (systemd.socket(5)).",
                "A high port, with a redirect by nftables or a load balancer; in containers, \
                 publish 80 to 8080.",
                "docker sets this sysctl to 0 in its containers since 20.10; kubernetes counts it \
                 among the safe ones for a pod.",
            ],
            see: &["ip(7)", "systemd.socket(5)"],
        },
    ),
    (
        Capability::NET_BROADCAST,
        Explanation {
            summary: "listen to network events of other namespaces",
            allows: "The name promises broadcasts and multicasts, but those need nothing. The kernel asks \
             for it in one place: when a netlink socket wants the messages of all network \
             namespaces it has ids for (NETLINK_LISTEN_ALL_NSID).",
            scope: Scope::Namespace,
            programs: &[
                "ip monitor all-nsid",
                "route daemons that watch several namespaces",
            ],
            syscalls: &["setsockopt NETLINK_LISTEN_ALL_NSID"],
            functions: &["netlink_setsockopt", "do_one_broadcast"],
            danger: Danger::Limited,
            holding: "Sees links, addresses and routes of neighbouring network namespaces. Nearly harmless.",
            alternatives: &[
                "For broadcasts: SO_BROADCAST, which everyone may set.",
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
             attach networking BPF programs; write network sysctls.",
            scope: Scope::Mixed,
            programs: &[
                "ip, nft, iptables, tc, ethtool, wg",
                "NetworkManager, systemd-networkd, dhclient",
                "VPN daemons: OpenVPN, WireGuard, strongSwan",
                "container network plugins, kube-proxy, Cilium",
                "keepalived, FRR, haproxy in transparent mode",
                "systemd: it raises socket buffers",
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
            holding: "Redirects, watches and cuts off all traffic of the network namespace, opens its \
             firewall, and answers for other hosts. In the host's network namespace, or with host \
             networking, it owns the host's network. It also reaches much kernel code that has \
             had flaws.",
            alternatives: &[
                "A network namespace of its own (PrivateNetwork= in a unit, a container's \
                 default) confines it to that.",
                "For a tunnel: make a persistent tun device owned by the user (ip tuntap add user \
                 NAME); opening it then needs nothing.",
                "For one setting: let the manager do it (systemd-networkd, sysctl.d(5), docker \
                 --sysctl) before the program starts.",
                "CAP_NET_RAW, where SO_MARK (since 5.17), SO_PRIORITY or IP_TRANSPARENT is all.",
                "net.core.rmem_max instead of SO_RCVBUFFORCE: many daemons ask and go on without.",
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
            allows: "Open raw IP sockets and packet sockets, which see and send whole frames; XDP \
             sockets, raw Bluetooth sockets; bind to any address for transparent proxying; change \
             the device a socket is bound to; since 5.17 also set SO_MARK.",
            scope: Scope::Mixed,
            programs: &[
                "ping where unprivileged ICMP is off, traceroute, arping, mtr",
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
            holding: "Reads all traffic of its network namespace and forges packets in it: poisons ARP, \
             answers DNS for others, takes over sessions of neighbours on the same network. \
             Containers on a shared bridge get it by default and seldom need it.",
            alternatives: &[
                "sysctl net.ipv4.ping_group_range: ICMP echo sockets for these groups, all that \
                 ping needs. docker opens it to all groups in its containers since 20.10.",
                "Hand over an open socket: socket activation, or a small helper such as dumpcap \
                 that captures for the rest.",
                "Open the raw or packet socket at the start and then drop this: the socket stays \
                 usable.",
                "--cap-drop NET_RAW in docker and kubernetes; most workloads run without it.",
                "Binding a socket to a device the first time needs nothing since 5.7.",
            ],
            see: &["packet(7)", "raw(7)", "icmp(7)", "socket(7)"],
        },
    ),
];
