#!/usr/bin/env bash
# shows: TLS inside a CONNECT tunnel through a proxy (tinyproxy on port 8888), and a CONNECT to a port that
#        it forbids.
# programs: curl, tinyproxy, openssl
# check: http.request.method == "CONNECT"; tls.handshake.type == 1 and tcp.port == 8888; http.response.code
#        == 403
# decode: tcp.port==8888,http
set -euo pipefail
source "$TOOLS/lib/certificates.sh"
make_certificates
start server openssl s_server -quiet -accept 443 -cert server.pem -key server.key -www
printf 'Port 8888\nAllow 10.1.0.0/24\nConnectPort 443\nUser root\nGroup root\n' > "$WORK/tinyproxy.conf"
start server tinyproxy -d -c "$WORK/tinyproxy.conf"
wait_tcp server 8888
capture

client curl -sS -o /dev/null -x http://10.1.0.20:8888 --cacert ca.pem https://www.example.test/
expect_failure client curl -sS -o /dev/null -x http://10.1.0.20:8888 https://www.example.test:8443/
