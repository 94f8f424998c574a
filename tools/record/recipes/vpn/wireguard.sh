#!/usr/bin/env bash
# shows: A WireGuard tunnel: handshake, echo inside, keep-alive.
# programs: wireguard-go, wg, ping
# check: wg.type == 1; wg.type == 2; wg.type == 4
set -euo pipefail
umask 077
for host in client server; do
    wg genkey > $host.key
    wg pubkey < $host.key > $host.pub
done
join() { # HOST ADDRESS-INSIDE PEER ADDRESS-OF-PEER
    start "$1" wireguard-go --foreground "tun-$1"
    wait_for test -S "/run/wireguard/tun-$1.sock"
    on "$1" wg set "tun-$1" listen-port 51820 private-key "$1.key" \
        peer "$(cat "$3.pub")" allowed-ips 10.9.0.0/24 endpoint "$4:51820" persistent-keepalive 2
    on "$1" ip address add "$2/24" dev "tun-$1"
}
capture

join client 10.9.0.1 server 10.1.0.20
join server 10.9.0.2 client 10.1.0.10
client ip link set tun-client up
server ip link set tun-server up
client ping -c 4 -i 0.3 10.9.0.2
sleep 3
