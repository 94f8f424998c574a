#!/usr/bin/env bash
# shows: Both sides show a certificate (TLS 1.3), all of it encrypted.
# programs: openssl
# check: tls.handshake.type == 2
set -euo pipefail
source "$TOOLS/lib/certificates.sh"
make_certificates
start_tls -Verify 2 -CAfile ca.pem
capture

hello -cert user.pem -key user.key
