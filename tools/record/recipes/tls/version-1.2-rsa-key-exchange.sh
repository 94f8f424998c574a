#!/usr/bin/env bash
# shows: TLS 1.2 with RSA key exchange and CBC: no ServerKeyExchange.
# programs: openssl
# check: tls.handshake.ciphersuite == 0x003c and tls.handshake.type == 2
set -euo pipefail
source "$TOOLS/lib/certificates.sh"
make_certificates
start_tls -tls1_2
capture

hello -cipher AES128-SHA256
