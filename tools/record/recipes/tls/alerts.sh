#!/usr/bin/env bash
# shows: Handshakes that fail: no cipher in common (handshake failure), version too old (protocol version).
# programs: openssl
# check: tls.alert_message.desc == 40; tls.alert_message.desc == 70
set -euo pipefail
source "$TOOLS/lib/certificates.sh"
make_certificates
start_tls -tls1_2 -cipher ECDHE-RSA-AES256-GCM-SHA384
capture

hello -tls1_2 -cipher AES128-SHA || true
hello -tls1_1 -cipher DEFAULT@SECLEVEL=0 || true
