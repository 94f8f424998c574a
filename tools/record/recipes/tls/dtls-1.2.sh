#!/usr/bin/env bash
# shows: DTLS 1.2 over UDP: cookie exchange, handshake, data, close.
# programs: openssl
# decode: udp.port==4433,dtls
# check: dtls.handshake.type == 3; dtls.record.content_type == 23
set -euo pipefail
source "$TOOLS/lib/certificates.sh"
make_certificates
start server bash -c '(sleep 3; echo welcome; sleep 9) |
    openssl s_server -quiet -accept 4433 -dtls1_2 -cert server.pem -key server.key -listen'
wait_udp server 4433
capture

(echo hello; sleep 1; echo again; sleep 3) | client timeout 8 openssl s_client -connect 10.1.0.20:4433 -dtls1_2 -servername www.example.test || true
