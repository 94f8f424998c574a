#!/usr/bin/env bash
# shows: TLS 1.2 session resumed by session id, without tickets.
# programs: openssl
# check: tls.handshake.type == 2 and tls.handshake.session_id
set -euo pipefail
source "$TOOLS/lib/certificates.sh"
make_certificates
start_tls -tls1_2 -no_ticket
capture

hello -no_ticket -sess_out session
hello -no_ticket -sess_in session
