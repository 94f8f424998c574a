#!/usr/bin/env bash
# shows: An OpenVPN tunnel over UDP with certificates: TLS handshake in the control channel, echo inside.
# programs: openvpn, ping
# check: openvpn.opcode == 7; openvpn.opcode == 8; openvpn.opcode == 4
set -euo pipefail
source "$TOOLS/lib/certificates.sh"
make_certificates
mkdir -p /dev/net
common=(--dev tun --ca ca.pem --cipher AES-256-GCM --auth-nocache --verb 3 --proto udp)
start server openvpn "${common[@]}" --cert server.pem --key server.key --dh none --mode server --tls-server --server 10.9.0.0 255.255.255.0 --topology subnet
wait_udp server 1194
capture
start client openvpn "${common[@]}" --client --remote 10.1.0.20 1194 --cert user.pem --key user.key
wait_for client ping -c 1 -W 1 10.9.0.1
client ping -c 3 -i 0.2 10.9.0.1
