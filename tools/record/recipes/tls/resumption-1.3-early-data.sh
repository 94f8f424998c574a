#!/usr/bin/env bash
# shows: TLS 1.3 session resumed by pre-shared key, with early data (0-RTT).
# programs: openssl
# check: tls.handshake.extension.type == 41; tls.handshake.extension.type == 42
set -euo pipefail
source "$TOOLS/lib/certificates.sh"
make_certificates
start server bash -c 'sleep 20 | openssl s_server -quiet -accept 443 -cert server.pem -key server.key -early_data'
wait_tcp server 443
capture

talk() { (sleep 0.5; echo hello; sleep 0.5) | client timeout 3 openssl s_client -quiet -connect 10.1.0.20:443 -servername www.example.test "$@" || true; }
echo "early words" > early
talk -sess_out session
talk -sess_in session -early_data early
