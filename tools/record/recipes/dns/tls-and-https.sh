#!/usr/bin/env bash
# shows: DNS inside TLS (port 853) and inside HTTPS (port 443): what a sensor sees of it.
# programs: dig, named
# check: tls.handshake.type == 1 and tcp.dstport == 853; tls.handshake.extensions_alpn_str == "h2"
set -euo pipefail
source "$TOOLS/lib/named.sh"
start_named 'listen-on port 853 tls ephemeral { any; }; listen-on port 443 tls ephemeral http default { any; };'
wait_tcp server 853
capture

client dig @10.1.0.20 +tls +tries=1 www.example.test A
client dig @10.1.0.20 +https +tries=1 www.example.test A
