#!/usr/bin/env bash
# shows: TLS 1.3 HelloRetryRequest: the server wants another key share group (P-384).
# programs: openssl
# check: tls.handshake.random ==
#        cf:21:ad:74:e5:9a:61:11:be:1d:8c:02:1e:65:b8:91:c2:a2:11:16:7a:bb:8c:5e:07:9e:09:e2:c8:a8:33:9c
set -euo pipefail
source "$TOOLS/lib/certificates.sh"
make_certificates
start_tls -groups P-384
capture

hello -groups X25519:P-384
