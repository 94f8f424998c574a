#!/usr/bin/env bash
# shows: TLS 1.1, which is no longer safe: full handshake, data, close.
# programs: openssl
# check: tls.handshake.type == 2 and tls.handshake.version == 0x0302; tls.handshake.certificate
set -euo pipefail
source "$TOOLS/lib/certificates.sh"
make_certificates
start_tls -tls1_1 -cipher DEFAULT@SECLEVEL=0
capture

hello -tls1_1 -cipher DEFAULT@SECLEVEL=0
