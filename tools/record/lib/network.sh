# Two hosts, `client` and `server`, joined by one cable, and the verbs that recipes use.
#
#   client                      server
#   10.1.0.10  2001:db8:1::10   10.1.0.20  2001:db8:1::20      interface eth0 on both
#
# on HOST COMMAND…      run a command on a host        (client … and server … are short for it)
# start HOST COMMAND…   the same, in the background; it ends with the recipe
# wait_tcp HOST PORT    until something listens there   (wait_udp likewise)
# capture [HOST [INTERFACE [TCPDUMP-OPTIONS…]]]         from here on; server eth0 unless told
# expect_failure COMMAND…   the command must fail

export WORK=/run/record

make_network() {
    mountpoint -q /run && [[ -d /run/uml ]] || mount -t tmpfs tmp /run
    mount -t tmpfs tmp /tmp
    mkdir -p "$WORK" /run/lock /run/netns
    chmod 755 "$WORK"
    cd "$WORK"
    hostname workstation
    cat > "$WORK/hosts" <<-END
	127.0.0.1 localhost
	10.1.0.10 client.example.test workstation
	10.1.0.20 server.example.test www.example.test server
	2001:db8:1::20 server6.example.test
	END
    echo "nameserver 10.1.0.20" > "$WORK/resolv.conf"
    mount --bind "$WORK/hosts" /etc/hosts
    mount --bind "$WORK/resolv.conf" /etc/resolv.conf

    ip netns add client
    ip netns add server
    ip link add eth0 address 02:00:00:00:00:10 netns client type veth \
        peer name eth0 address 02:00:00:00:00:20 netns server
    local host number
    for host in client server; do
        [[ $host = client ]] && number=10 || number=20
        on $host sysctl -q -w net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 \
            net.ipv6.conf.eth0.accept_dad=0 net.ipv6.conf.eth0.router_solicitations=0 \
            net.ipv4.ping_group_range="0 2147483647"
        # Frames as they go over a real wire: no merged segments, checksums filled in.
        on $host ethtool -K eth0 tx off sg off tso off gso off gro off > /dev/null 2>&1
        on $host ip link set lo up
        on $host ip link set eth0 up
        on $host ip address add 10.1.0.$number/24 dev eth0
        on $host ip address add 2001:db8:1::$number/64 dev eth0 nodad
        on $host ip route add 224.0.0.0/4 dev eth0
    done
    # Let the greetings of the new interfaces (multicast listener reports) pass first.
    sleep 1
}

on() { local host=$1; shift; ip netns exec "$host" "$@"; }
client() { on client "$@"; }
server() { on server "$@"; }

start() {
    local host=$1; shift
    ip netns exec "$host" "$@" < /dev/null >> "$WORK/${1##*/}.log" 2>&1 &
}

wait_for() {
    local tries
    for ((tries = 0; tries < 200; tries++)); do
        "$@" && return
        sleep 0.1
    done
    echo "gave up waiting for: $*" >&2
    tail -n 5 "$WORK"/*.log >&2
    return 1
}
listens() { on "$1" ss -Hln "$2" "sport = :$3" | grep -q .; }
wait_tcp() { wait_for listens "$1" -t "$2"; }
wait_udp() { wait_for listens "$1" -u "$2"; }
says() { grep -q "$2" "$1" 2> /dev/null; }

capture() {
    local host=${1:-server} interface=${2:-eth0}
    shift $(($# < 2 ? $# : 2))
    ip netns exec "$host" tcpdump -i "$interface" -n -U -s 0 --immediate-mode -Z root \
        -w "$OUT" "$@" 2> "$WORK/tcpdump.log" &
    TCPDUMP=$!
    wait_for says "$WORK/tcpdump.log" "listening on"
}

end_capture() {
    [[ -n ${TCPDUMP:-} ]] || return 0
    sleep 0.5
    kill -INT "$TCPDUMP"
    wait "$TCPDUMP"
    unset TCPDUMP
}

expect_failure() {
    if "$@"; then
        echo "this should have failed: $*" >&2
        return 1
    fi
}
