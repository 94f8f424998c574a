#!/usr/bin/env bash
# shows: ALPN: h2 chosen from two (visible in TLS 1.2), then imap, then none in common (alert 120).
# programs: openssl
# check: tls.handshake.extensions_alpn_str == "h2"; tls.handshake.extensions_alpn_str == "imap"
set -euo pipefail
source "$TOOLS/lib/certificates.sh"
make_certificates
start_tls -tls1_2 -alpn h2,imap,http/1.1
capture

hello -alpn h2,http/1.1
hello -alpn imap
hello -alpn smtp || true
