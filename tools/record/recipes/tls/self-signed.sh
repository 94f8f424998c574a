#!/usr/bin/env bash
# shows: A self-signed certificate for "localhost": one client goes on all the same, one gives up with an
#        alert (unknown CA).
# programs: openssl, curl
# check: tls.handshake.certificate
set -euo pipefail
source "$TOOLS/lib/certificates.sh"
make_certificates
start server openssl s_server -accept 443 -cert self.pem -key self.key -www -tls1_2
wait_tcp server 443
capture

hello
expect_failure client curl -sS https://www.example.test/
