#!/usr/bin/env bash
# shows: TLS 1.3: certificates are encrypted, change-cipher-spec for old middle boxes.
# programs: openssl
# check: tls.handshake.type == 2 and tls.handshake.extensions.supported_version == 0x0304
set -euo pipefail
source "$TOOLS/lib/certificates.sh"
make_certificates
start_tls
capture

hello
