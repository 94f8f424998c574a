#!/usr/bin/env bash
# shows: Both sides show a certificate (TLS 1.2), then a client without one is turned away.
# programs: openssl
# check: tls.handshake.type == 13; tls.handshake.type == 15 and ip.src == 10.1.0.10
set -euo pipefail
source "$TOOLS/lib/certificates.sh"
make_certificates
start_tls -tls1_2 -Verify 2 -CAfile ca.pem
capture

hello -cert user.pem -key user.key
hello || true
