#!/usr/bin/env bash
# shows: The same talk by GnuTLS, client and server: TLS 1.3, TLS 1.2, DHE key exchange.
# programs: gnutls-cli, gnutls-serv
# check: tls.handshake.type == 1 and tls.handshake.extensions_server_name == "www.example.test"
set -euo pipefail
source "$TOOLS/lib/certificates.sh"
make_certificates
start server gnutls-serv -p 443 --x509certfile chain.pem --x509keyfile server.key --http --priority NORMAL:+DHE-RSA
wait_tcp server 443
capture

talk() { printf 'GET / HTTP/1.0\r\n\r\n' | client gnutls-cli --x509cafile ca.pem --sni-hostname www.example.test --verify-hostname www.example.test -p 443 10.1.0.20 "$@" || true; }
talk
talk --priority NORMAL:-VERS-ALL:+VERS-TLS1.2
talk --priority NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+DHE-RSA
