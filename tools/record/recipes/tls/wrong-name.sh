#!/usr/bin/env bash
# shows: A certificate for another name: the client looks at it, then hangs up.
# programs: openssl, curl
# check: tls.alert_message.level == 2 or tls.record.content_type == 21
set -euo pipefail
source "$TOOLS/lib/certificates.sh"
make_certificates
start_tls -tls1_2
capture

expect_failure client curl -sS --cacert ca.pem --resolve bank.example.test:443:10.1.0.20 https://bank.example.test/
