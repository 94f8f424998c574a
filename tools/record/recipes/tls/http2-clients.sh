#!/usr/bin/env bash
# shows: The hellos of several real clients (curl, wget, Python, Node.js, nghttp) to one nginx: each has its
#        own fingerprint.
# programs: curl, wget, python3, node, nghttp, nginx
# check: tls.handshake.extensions_alpn_str == "h2"; tls.handshake.extensions_alpn_str == "http/1.1"
set -euo pipefail
source "$TOOLS/lib/certificates.sh"
make_certificates
source "$TOOLS/lib/web.sh"
start_nginx "listen 443 ssl http2; ssl_certificate $WORK/chain.pem; ssl_certificate_key $WORK/server.key;"
capture

url=https://www.example.test/index.html
client curl -sS -o /dev/null --cacert ca.pem "$url"
client wget -q -O /dev/null --ca-certificate=ca.pem "$url"
client python3 -c "import ssl, urllib.request as u; u.urlopen('$url', context=ssl.create_default_context(cafile='ca.pem')).read()"
NODE_EXTRA_CA_CERTS=ca.pem client node -e "require('https').get('$url', (r) => r.resume())"
client nghttp -n "$url"
