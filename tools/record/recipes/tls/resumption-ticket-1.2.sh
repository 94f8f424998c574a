#!/usr/bin/env bash
# shows: TLS 1.2 session resumed by ticket: the second handshake has no certificate.
# programs: openssl
# check: tls.handshake.type == 4; tls.handshake.session_ticket
set -euo pipefail
source "$TOOLS/lib/certificates.sh"
make_certificates
start_tls -tls1_2
capture

hello -sess_out session
hello -sess_in session
