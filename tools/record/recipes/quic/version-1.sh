#!/usr/bin/env bash
# shows: HTTP/3 over QUIC version 1: one connection over IPv4, one over IPv6.
# programs: python:aioquic
# check: quic.version == 1 and ipv6; quic.version == 1 and tls.handshake.extensions_server_name ==
#        "www.example.test"; quic.long.packet_type == 2
set -euo pipefail
source "$TOOLS/lib/quic.sh"
start_quic 
capture

fetch /index.html
fetch /third.html host=2001:db8:1::20

