#!/usr/bin/env bash
# topic names -> examples/captures/<topic>.pcap (mixed: .pcapng)
#
# Records real traffic of real programs talking across veth pairs between network namespaces.
# Usage: record.sh [topic ...]   (no topic: all of them).  Needs root; README.md lists the programs.
# Everything it starts lives in its own namespaces and one temporary directory; both go at exit.
set -euo pipefail

OUT=$(cd "$(dirname "$0")" && pwd)
TOPICS=(ping dns http_tls ntp ssh vlan qinq tunnels fragments bulk icmp_errors sctp mixed)
MAX_BYTES=60000
TMP=$(mktemp -d)
SCHEMA=/usr/share/openvswitch/vswitch.ovsschema
USRSCTP=/usr/lib/usrsctp

# ---- the three namespaces: a (client) -- b (server or router) -- c (far server) ----

a() { ip netns exec rxgate_a "$@"; }
b() { ip netns exec rxgate_b "$@"; }
c() { ip netns exec rxgate_c "$@"; }

close_all() {
    local ns pids
    for ns in rxgate_a rxgate_b rxgate_c; do
        [ -e "/run/netns/$ns" ] || continue
        pids=$(ip netns pids "$ns")
        # shellcheck disable=SC2086  # a list of process ids
        [ -z "$pids" ] || kill -KILL $pids 2>/dev/null || true
        ip netns del "$ns"
    done
    wait 2>/dev/null || true
    rm -rf "$TMP"/ovs_*
}

die() { echo "record.sh: $*" >&2; exit 1; }

until_true() { # command ...: retry for at most 10 s
    local n
    for n in $(seq 100); do
        if "$@" >/dev/null 2>&1; then return 0; fi
        sleep 0.1
    done
    die "gave up after $n tries: $*"
}

as_on_a_wire() { # namespace device: no offload, so that frames have their checksums and tags
    "$1" ethtool -K "$2" rx off tx off sg off tso off gso off gro off >/dev/null
    "$1" ethtool -K "$2" rxvlan off txvlan off >/dev/null 2>&1 || true # fixed on some devices
}

cable() { # ns1 dev1 mac1 ns2 dev2 mac2 mtu
    ip -n "rxgate_$1" link add "$2" address "$3" mtu "$7" type veth \
        peer name "$5" address "$6" mtu "$7" netns "rxgate_$4"
    as_on_a_wire "$1" "$2"
    as_on_a_wire "$4" "$5"
    ip -n "rxgate_$1" link set "$2" up
    ip -n "rxgate_$4" link set "$5" up
}

namespaces() { # letter ...
    local n
    for n in "$@"; do
        ip netns add "rxgate_$n"
        ip -n "rxgate_$n" link set lo up
    done
}

address() { # namespace device ipv4/len ipv6/len
    ip -n "rxgate_$1" addr add "$3" dev "$2"
    ip -n "rxgate_$1" addr add "$4" dev "$2"
}

settled() { # duplicate address detection is over in each namespace named
    local n
    for n in "$@"; do
        [ -z "$(ip -n "rxgate_$n" -6 addr show tentative)" ] || return 1
    done
}

start_capture() { # namespace device file
    "$1" tcpdump -Z root -i "$2" -U --immediate-mode -s 0 -w "$3" 2>"$3.log" &
    until_true grep -q 'listening on' "$3.log"
}

stop_capture() { # namespace file ...
    local ns=$1 file pid
    shift
    sleep 0.5
    for pid in $(ip netns pids "rxgate_$ns"); do
        if [ "$(cat "/proc/$pid/comm")" = tcpdump ]; then kill -INT "$pid"; fi
    done
    for file in "$@"; do until_true grep -q 'dropped by kernel' "$file.log"; done
}

pair_up() { # topic: a and b on one cable, recorded at a's end from before addresses are set
    namespaces a b
    cable a wire 02:00:00:00:00:01 b wire 02:00:00:00:00:02 1500
    start_capture a wire "$TMP/$1.pcap"
    address a wire 192.0.2.1/24 2001:db8::1/64
    address b wire 192.0.2.2/24 2001:db8::2/64
    until_true settled a b
}

routed_up() { # topic mtu_of_far_link: a -- b -- c, recorded at a's cable and at c's cable
    namespaces a b c
    cable a wire 02:00:00:00:00:01 b wire 02:00:00:00:00:02 1500
    cable b far 02:00:00:00:01:01 c far 02:00:00:00:01:02 "$2"
    b sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
    start_capture a wire "$TMP/$1.pcap"
    start_capture c far "$TMP/$1.far.pcap"
    address a wire 192.0.2.1/24 2001:db8::1/64
    address b wire 192.0.2.2/24 2001:db8::2/64
    address b far 198.51.100.1/24 2001:db8:1::1/64
    address c far 198.51.100.2/24 2001:db8:1::2/64
    ip -n rxgate_a route add default via 192.0.2.2
    ip -n rxgate_a route add default via 2001:db8::2
    ip -n rxgate_c route add default via 198.51.100.1
    ip -n rxgate_c route add default via 2001:db8:1::1
    until_true settled a b c
}

publish() { # topic
    stop_capture a "$TMP/$1.pcap"
    mv "$TMP/$1.pcap" "$OUT/$1.pcap"
}

# ---- servers: <name>_server namespace ----

listening() { # namespace tcp|udp port
    local flag=-ltnH
    [ "$2" = tcp ] || flag=-lunH
    [ -n "$("$1" ss $flag "sport = :$3")" ]
}

dns_server() {
    local text
    text=$(printf 'line %03d of a long text record, ' $(seq 1 7))
    local big=$text,$text,$text,$text,$text
    "$1" dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --user=root \
        --pid-file= --local=/example/ --edns-packet-max=4096 \
        --host-record=host.example,192.0.2.2,2001:db8::2 --cname=alias.example,host.example \
        --mx-host=mail.example,host.example,10 --txt-record=short.example,v=1 \
        --txt-record="big.example,$big" --txt-record="huge.example,$big,$big" 2>"$TMP/dns.log" &
    until_true listening "$1" udp 53
}

http_server() {
    "$1" python3 -m http.server --bind :: --directory "$TMP/www" 80 >"$TMP/http.log" 2>&1 &
    until_true listening "$1" tcp 80
}

tls_server() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 \
        -subj /CN=host.example -keyout "$TMP/tls.key" -out "$TMP/tls.crt" 2>/dev/null
    (cd "$TMP/www" && "$1" openssl s_server -WWW -quiet -accept 443 \
        -key "$TMP/tls.key" -cert "$TMP/tls.crt" >"$TMP/tls.log" 2>&1) &
    until_true listening "$1" tcp 443
}

ntp_server() { # -x: never touches the clock of the machine
    printf '%s\n' 'local stratum 8' 'allow' 'cmdport 0' 'bindcmdaddress /' \
        "pidfile $TMP/chronyd.pid" >"$TMP/chrony.conf"
    "$1" chronyd -x -d -u root -f "$TMP/chrony.conf" >"$TMP/ntp.log" 2>&1 &
    until_true listening "$1" udp 123
}

ssh_server() { # throwaway keys; /run is private to the server, which insists on /run/sshd
    ssh-keygen -q -t ed25519 -N '' -C '' -f "$TMP/ssh_host"
    ssh-keygen -q -t ed25519 -N '' -C '' -f "$TMP/ssh_user"
    printf '%s\n' "HostKey $TMP/ssh_host" "AuthorizedKeysFile $TMP/ssh_user.pub" \
        'StrictModes no' 'UsePAM no' 'PermitRootLogin prohibit-password' 'PidFile none' \
        'PrintLastLog no' >"$TMP/sshd.conf"
    # shellcheck disable=SC2016  # expanded by the inner shell
    "$1" sh -c 'mount -t tmpfs none /run && mkdir -m 755 /run/sshd && exec "$1" -D -e -f "$2"' \
        sh "$(command -v sshd)" "$TMP/sshd.conf" 2>"$TMP/sshd.log" &
    until_true listening "$1" tcp 22
}

fetch() { # url [curl options]
    a curl --silent --show-error --fail --noproxy '*' --max-time 5 --output /dev/null "$@"
}

ask() { a dig +tries=1 +time=3 "$@" >/dev/null; }

ask_time() { # address: asks, prints nothing, sets nothing (-Q)
    a chronyd -Q -t 15 -u root -f /dev/null "server $1 iburst maxsamples 4" "cmdport 0" \
        "pidfile $TMP/client.pid" >"$TMP/ntpclient.log" 2>&1
}

# ---- a switch in user space per namespace, for tags and GRE on any kernel ----

ovs() { # namespace tool args ...
    local ns=$1
    shift
    "$ns" env OVS_RUNDIR="$TMP/ovs_$ns" OVS_LOGDIR="$TMP/ovs_$ns" OVS_DBDIR="$TMP/ovs_$ns" \
        OVS_SYSCONFDIR="$TMP/ovs_$ns" "$@"
}

switch_up() { # namespace
    mkdir "$TMP/ovs_$1"
    ovs "$1" ovsdb-tool create "$TMP/ovs_$1/conf.db" "$SCHEMA"
    ovs "$1" ovsdb-server "$TMP/ovs_$1/conf.db" --remote=punix:"$TMP/ovs_$1/db.sock" \
        >/dev/null 2>&1 &
    until_true test -S "$TMP/ovs_$1/db.sock"
    ovs "$1" ovs-vsctl --no-wait init
    ovs "$1" ovs-vsctl --no-wait set open_vswitch . other_config:vlan-limit=2
    ovs "$1" ovs-vswitchd --disable-system >/dev/null 2>&1 &
}

bridge() { # namespace name mac [ovs-vsctl words ...]
    local ns=$1 name=$2 mac=$3
    shift 3
    ovs "$ns" ovs-vsctl --timeout=10 add-br "$name" \
        -- set bridge "$name" datapath_type=netdev other-config:hwaddr="$mac" \
        -- set interface "$name" mtu_request=1500 "$@"
}

host_port() { # namespace bridge name mac vid: an untagged port for the namespace's own stack
    ovs "$1" ovs-vsctl --timeout=10 add-port "$2" "$3" tag="$5" \
        -- set interface "$3" type=internal "mac=\"$4\"" mtu_request=1500
    ip -n "rxgate_$1" link set "$3" up
}

switched_up() { # topic: like pair_up, with a switch between each stack and its end of the cable
    local n
    namespaces a b
    cable a wire 02:00:00:00:ff:01 b wire 02:00:00:00:ff:02 1600
    for n in a b; do # the cable's ends belong to the switches: the stacks stay silent there
        $n sysctl -qw net.ipv6.conf.wire.disable_ipv6=1 net.ipv4.conf.wire.arp_ignore=1
    done
    start_capture a wire "$TMP/$1.pcap"
    switch_up a
    switch_up b
}

both_speak() { # v4 and v6 address of b: ping, HTTP and DNS
    a ping -n -q -c 2 -i 0.2 "$1" >/dev/null
    a ping -n -q -c 2 -i 0.2 "$2" >/dev/null
    a ping -n -q -c 1 -s 1400 "$1" >/dev/null
    fetch "http://$1/page.html"
    fetch "http://[$2]/page.html"
    ask @"$1" host.example A
    ask @"$2" big.example TXT +bufsize=1232 +ignore
}

# ---- topics ----

ping_topic() {
    pair_up ping
    a ping -n -q -c 4 -i 0.2 192.0.2.2 >/dev/null
    a ping -n -q -c 4 -i 0.2 2001:db8::2 >/dev/null
    a ping -n -q -c 1 -s 0 192.0.2.2 >/dev/null
    a ping -n -q -c 1 -s 1472 -M 'do' 192.0.2.2 >/dev/null
    a ping -n -q -c 1 -s 1452 -M 'do' 2001:db8::2 >/dev/null
    a ping -n -q -c 1 -Q 0xb8 192.0.2.2 >/dev/null
    a ping -n -q -c 2 -i 0.2 -R 192.0.2.2 >/dev/null
    a ping -n -q -c 2 -i 0.2 -T tsandaddr 192.0.2.2 >/dev/null
    b sysctl -qw net.ipv4.icmp_echo_ignore_broadcasts=0
    ip -n rxgate_a route add 224.0.0.0/4 dev wire
    a ping -n -q -c 2 -i 0.2 224.0.0.1 >/dev/null
    a ping -n -q -c 2 -i 0.2 -b 192.0.2.255 >/dev/null 2>&1
    a ping -n -q -c 2 -i 0.2 ff02::1%wire >/dev/null
    a ping -n -q -c 1 -W 1 192.0.2.77 >/dev/null || true # nobody answers the ARP request
    publish ping
}

dns_topic() {
    local server
    pair_up dns
    dns_server b
    for server in 192.0.2.2 2001:db8::2; do
        ask @$server host.example A
        ask @$server host.example AAAA +noedns
        ask @$server alias.example A
        ask @$server short.example TXT
        ask @$server big.example TXT +bufsize=1400
        ask @$server big.example TXT +noedns # truncated at 512 bytes, asked again over TCP
        ask @$server nothing.example A
        ask @$server host.example A +tcp
    done
    ask @192.0.2.2 mail.example MX
    ask @192.0.2.2 outside.invalid A # refused
    publish dns
}

http_tls_topic() {
    pair_up http_tls
    http_server b
    tls_server b
    fetch http://192.0.2.2/page.html
    fetch "http://[2001:db8::2]/page.html"
    fetch http://192.0.2.2/absent 2>/dev/null || true # 404
    fetch http://192.0.2.2/page.html --head
    fetch https://192.0.2.2/page.html --insecure --tlsv1.3
    fetch "https://[2001:db8::2]/page.html" --insecure --tls-max 1.2
    publish http_tls
}

ntp_topic() {
    pair_up ntp
    ntp_server b
    ask_time 192.0.2.2
    ask_time 2001:db8::2
    publish ntp
}

ssh_topic() {
    local host
    pair_up ssh
    ssh_server b
    for host in 192.0.2.2 2001:db8::2; do
        a ssh -F none -i "$TMP/ssh_user" -o IdentitiesOnly=yes -o BatchMode=yes \
            -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR \
            root@$host 'seq 500' >/dev/null
    done
    publish ssh
}

vlan_topic() { # one trunk: native untagged, VID 10, VID 20 with priority 5 for ICMP
    local n last
    switched_up vlan
    for n in a b; do
        if [ $n = a ]; then last=1; else last=2; fi
        bridge $n sw "02:00:00:00:00:0$last" -- set port sw tag=1
        host_port $n sw v10 "02:00:00:00:0a:0$last" 10
        host_port $n sw v20 "02:00:00:00:14:0$last" 20
        ovs $n ovs-ofctl add-flow sw "priority=9,in_port=v20,icmp,actions=mod_vlan_pcp:5,NORMAL"
        ovs $n ovs-vsctl --timeout=10 add-port sw wire vlan_mode=native-untagged tag=1 trunks=1,10,20
        ip -n rxgate_$n link set sw up
        address $n sw 192.0.2.$last/26 2001:db8::$last/64
        address $n v10 192.0.2.10$last/26 2001:db8:10::$last/64
        address $n v20 198.51.100.$last/24 2001:db8:20::$last/64
    done
    until_true settled a b
    http_server b
    dns_server b
    a ping -n -q -c 2 -i 0.2 192.0.2.2 >/dev/null
    a ping -n -q -c 2 -i 0.2 2001:db8::2 >/dev/null
    both_speak 192.0.2.102 2001:db8:10::2
    both_speak 198.51.100.2 2001:db8:20::2
    a ping -n -q -c 1 -s 1472 192.0.2.102 >/dev/null # 1518 bytes with the tag
    publish vlan
}

qinq_topic() { # customer VID 10 (0x8100) inside service VID 100 (0x88a8)
    local n last
    switched_up qinq
    for n in a b; do
        if [ $n = a ]; then last=1; else last=2; fi
        bridge $n cust "02:00:00:00:0a:0$last" -- set port cust tag=10
        bridge $n prov "02:00:00:00:64:0$last"
        ovs $n ovs-vsctl --timeout=10 \
            -- add-port cust up trunks=10 \
            -- set interface up type=patch options:peer=down \
            -- add-port prov down vlan_mode=dot1q-tunnel tag=100 \
                other-config:qinq-ethtype=802.1ad \
            -- set interface down type=patch options:peer=up \
            -- add-port prov wire trunks=100
        ip -n rxgate_$n link set cust up
        address $n cust 192.0.2.$last/24 2001:db8::$last/64
    done
    until_true settled a b
    http_server b
    dns_server b
    both_speak 192.0.2.2 2001:db8::2
    a ping -n -q -c 1 -s 1472 192.0.2.2 >/dev/null # 1522 bytes with both tags
    publish qinq
}

tunnels_topic() { # VXLAN (kernel) over IPv4 and IPv6, GRE (switch) bare and with key + checksum
    local n last peer dev
    switched_up tunnels
    for n in a b; do
        if [ $n = a ]; then last=1 peer=2; else last=2 peer=1; fi
        bridge $n sw "02:00:00:00:00:0$last" -- add-port sw wire
        ip -n rxgate_$n link set sw up
        address $n sw 192.0.2.$last/24 2001:db8::$last/64
    done
    until_true settled a b
    for n in a b; do
        if [ $n = a ]; then last=1 peer=2; else last=2 peer=1; fi
        ip -n rxgate_$n link add vx4 address "02:00:00:00:04:0$last" type vxlan id 42 \
            local 192.0.2.$last remote 192.0.2.$peer dstport 4789
        ip -n rxgate_$n link add vx6 address "02:00:00:00:06:0$last" type vxlan id 43 \
            local 2001:db8::$last remote 2001:db8::$peer dstport 4789
        as_on_a_wire $n vx4
        as_on_a_wire $n vx6
        bridge $n gre "02:00:00:00:47:0$last" -- set interface gre mtu_request=1400 \
            -- add-port gre gre_plain -- set interface gre_plain type=gre \
            options:remote_ip=192.0.2.$peer
        bridge $n grek "02:00:00:00:48:0$last" -- set interface grek mtu_request=1400 \
            -- add-port grek gre_key -- set interface gre_key type=gre \
            options:remote_ip=192.0.2.$peer options:key=7 options:csum=true
    done
    a ping -n -q -c 1 192.0.2.2 >/dev/null # the switches learn the tunnel ends' addresses
    for n in a b; do
        if [ $n = a ]; then last=1; else last=2; fi
        for dev in vx4 vx6 gre grek; do ip -n rxgate_$n link set $dev up; done
        address $n vx4 198.51.100.$last/26 2001:db8:4::$last/64
        address $n vx6 198.51.100.6$((4 + last))/26 2001:db8:6::$last/64
        address $n gre 198.51.100.13$last/26 2001:db8:47::$last/64
        address $n grek 198.51.100.19$((2 + last))/26 2001:db8:48::$last/64
    done
    until_true settled a b
    http_server b
    dns_server b
    both_speak 198.51.100.2 2001:db8:4::2
    a ping -n -q -c 2 -i 0.2 198.51.100.66 >/dev/null
    fetch "http://[2001:db8:6::2]/page.html"
    a ping -n -q -c 2 -i 0.2 198.51.100.132 >/dev/null
    a ping -n -q -c 2 -i 0.2 2001:db8:47::2 >/dev/null
    fetch http://198.51.100.132/page.html
    a ping -n -q -c 2 -i 0.2 198.51.100.194 >/dev/null
    ask @2001:db8:48::2 host.example AAAA
    publish tunnels
}

fragments_topic() {
    pair_up fragments
    dns_server b
    a ping -n -q -c 1 -s 1473 192.0.2.2 >/dev/null # one byte too many for one frame
    a ping -n -q -c 1 -s 1453 2001:db8::2 >/dev/null
    a ping -n -q -c 2 -i 0.2 -s 4000 192.0.2.2 >/dev/null
    a ping -n -q -c 2 -i 0.2 -s 4000 2001:db8::2 >/dev/null
    ask @192.0.2.2 huge.example TXT +bufsize=4096
    ask @2001:db8::2 huge.example TXT +bufsize=4096
    publish fragments
}

bulk_topic() {
    pair_up bulk
    b iperf3 --server >"$TMP/iperf.log" 2>&1 &
    until_true listening b tcp 5201
    a iperf3 --client 192.0.2.2 --length 4K --bytes 16K >/dev/null
    a iperf3 --client 2001:db8::2 --udp --length 1428 --bytes 14280 --bitrate 50M >/dev/null
    publish bulk
}

icmp_errors_topic() {
    local far
    routed_up icmp_errors 1280
    b sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0 # each error is sent
    c sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
    ip -n rxgate_b route add prohibit 198.51.100.64/26
    ip -n rxgate_b route add unreachable 198.51.100.128/25
    ip -n rxgate_b route add prohibit 2001:db8:2::/48
    for far in 198.51.100.2 2001:db8:1::2; do
        a traceroute -n -q 1 -N 1 -w 2 $far >/dev/null        # UDP: time exceeded, port unreachable
        a traceroute -n -q 1 -N 1 -w 2 -I $far >/dev/null     # ICMP
        a traceroute -n -q 1 -N 1 -w 2 -T -p 81 $far >/dev/null # TCP: ends at the RST
        echo x | a nc -u -w 1 $far 9 || true                  # UDP port unreachable
        a nc -z -w 2 $far 81 || true                          # TCP connection refused
        a ping -n -q -c 1 -W 1 -s 1400 -M 'do' $far >/dev/null || true # fragmentation needed, too big
    done
    for far in 198.51.100.65 198.51.100.200 2001:db8:2::1; do # prohibited, no route, prohibited
        a ping -n -q -c 2 -W 1 $far >/dev/null || true
    done
    publish icmp_errors
}

sctp_topic() { # SCTP in user space over raw sockets: association, data, shutdown
    pair_up sctp
    b "$USRSCTP/discard_server" >"$TMP/sctp.log" 2>&1 &
    sleep 0.5 # its raw sockets cannot be asked whether an endpoint listens
    seq -f 'message %g' 20 | a "$USRSCTP/client" 192.0.2.2 9 >"$TMP/sctpc.log" 2>&1
    publish sctp
}

mixed_topic() { # all at once through a router; one section, two interfaces (before and after it)
    local jobs=() j
    routed_up mixed 1500
    dns_server c
    http_server c
    tls_server c
    ntp_server c
    a ping -n -q -c 5 -i 0.3 198.51.100.2 >/dev/null & jobs+=($!)
    a ping -n -q -c 5 -i 0.3 2001:db8:1::2 >/dev/null & jobs+=($!)
    ask_time 198.51.100.2 & jobs+=($!)
    ask @198.51.100.2 host.example A & jobs+=($!)
    ask @2001:db8:1::2 big.example TXT & jobs+=($!)
    fetch http://198.51.100.2/page.html & jobs+=($!)
    fetch "https://[2001:db8:1::2]/page.html" --insecure & jobs+=($!)
    for j in "${jobs[@]}"; do wait "$j"; done
    stop_capture a "$TMP/mixed.pcap"
    stop_capture c "$TMP/mixed.far.pcap"
    mergecap -F pcapng -I none -w "$OUT/mixed.pcapng" "$TMP/mixed.pcap" "$TMP/mixed.far.pcap"
    bare_section "$OUT/mixed.pcapng"
}

bare_section() { # pcapng file: section header without options (they name the recording machine)
    python3 - "$1" <<'END'
import struct, sys
from pathlib import Path
path = Path(sys.argv[1])
data = path.read_bytes()
(size,) = struct.unpack_from("=I", data, 4)
path.write_bytes(struct.pack("=IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28) + data[size:])
END
}

# ---- main ----

[ "$(id -u)" = 0 ] || die "needs root"
for tool in tcpdump mergecap ip ethtool ping dnsmasq dig curl python3 openssl chronyd sshd ssh \
    traceroute iperf3 nc ovsdb-server ovs-vswitchd "$USRSCTP/client"; do
    command -v "$tool" >/dev/null || die "$tool is not installed"
done
for n in a b c; do
    [ ! -e "/run/netns/rxgate_$n" ] || die "namespace rxgate_$n exists already"
done
trap 'close_all; rm -rf "$TMP"' EXIT
trap 'exit 130' INT TERM

mkdir "$TMP/www"
{
    echo '<!doctype html><title>page</title><pre>'
    seq -f 'line %g of a page that needs more than one segment' 60
    echo '</pre>'
} >"$TMP/www/page.html"

if [ $# -eq 0 ]; then set -- "${TOPICS[@]}"; fi
for topic in "$@"; do
    case " ${TOPICS[*]} " in *" $topic "*) ;; *) die "no such topic: $topic" ;; esac
    "${topic}_topic"
    close_all
    file=$(ls "$OUT/$topic".pcap*)
    size=$(stat -c %s "$file")
    [ "$size" -le "$MAX_BYTES" ] || die "$file has $size bytes, more than $MAX_BYTES"
    echo "$topic: $(tcpdump --count -r "$file" 2>/dev/null), $size bytes"
done
