#!/usr/bin/env bash
# shows: TLS 1.2 with an ECDSA certificate and ChaCha20.
# programs: openssl
# check: tls.handshake.type == 2 and tls.handshake.ciphersuite == 0xcca9
set -euo pipefail
source "$TOOLS/lib/certificates.sh"
make_certificates
start server openssl s_server -accept 443 -cert elliptic.pem -key elliptic.key -www -tls1_2
wait_tcp server 443
capture

hello -cipher ECDHE-ECDSA-CHACHA20-POLY1305
