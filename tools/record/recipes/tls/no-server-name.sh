#!/usr/bin/env bash
# shows: A client that names no server (no SNI), by address, IPv4 and IPv6.
# programs: openssl
# check: tls.handshake.type == 1 and not tls.handshake.extensions_server_name
set -euo pipefail
source "$TOOLS/lib/certificates.sh"
make_certificates
start_tls -tls1_2
capture

client openssl s_client -connect 10.1.0.20:443 -noservername < /dev/null
client openssl s_client -connect '[2001:db8:1::20]:443' -noservername < /dev/null
