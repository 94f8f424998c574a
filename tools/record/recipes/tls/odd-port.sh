#!/usr/bin/env bash
# shows: TLS on ports 80 and 8022: to be recognised by content.
# programs: openssl, curl
# decode: tcp.port==80,tls tcp.port==8022,tls
# check: tcp.port == 80 and tls.handshake.type == 1; tcp.port == 8022 and tls.handshake.type == 2
set -euo pipefail
source "$TOOLS/lib/certificates.sh"
make_certificates
for port in 80 8022; do
    start server openssl s_server -accept $port -cert server.pem -key server.key -www
    wait_tcp server $port
done
capture

client curl -sS -o /dev/null --cacert ca.pem https://www.example.test:80/
client curl -sS -o /dev/null --cacert ca.pem https://www.example.test:8022/
