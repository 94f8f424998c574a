#!/usr/bin/env bash
# shows: A chain of two certificates, checked by curl against its root (TLS 1.2).
# programs: openssl, curl
# check: tls.handshake.certificates_length > 1400
set -euo pipefail
source "$TOOLS/lib/certificates.sh"
make_certificates
start server openssl s_server -accept 443 -cert server.pem -key server.key -cert_chain ca.pem -www -tls1_2
wait_tcp server 443
capture

client curl -sS -o /dev/null --cacert ca.pem https://www.example.test/
