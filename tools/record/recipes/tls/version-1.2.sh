#!/usr/bin/env bash
# shows: TLS 1.2 with ECDHE: certificates in clear, one page fetched.
# programs: openssl
# check: tls.handshake.type == 2 and tls.handshake.version == 0x0303; tls.handshake.certificate;
#        tls.handshake.type == 12
set -euo pipefail
source "$TOOLS/lib/certificates.sh"
make_certificates
start_tls -tls1_2
capture

hello
