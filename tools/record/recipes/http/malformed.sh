#!/usr/bin/env bash
# shows: Clients that are not quite speaking HTTP: two lengths that differ, length and chunks at once, a bad
#        chunk size, a header without colon, an overlong header, a bare word, TLS to a plain port; each
#        answered 400 or cut off.
# programs: ncat, curl, nginx
# check: http.response.code == 400; http.response.code == 414 or http.response.code == 400
set -euo pipefail
source "$TOOLS/lib/web.sh"
start_nginx
capture

say() { printf "$@" | client ncat --no-shutdown -i 1 10.1.0.20 80 || true; }
start_line='POST / HTTP/1.1\r\nHost: www.example.test\r\n'
say "${start_line}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"
say "${start_line}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
say "${start_line}Transfer-Encoding: chunked\r\n\r\nxyz\r\nhello\r\n0\r\n\r\n"
say 'GET / HTTP/1.1\r\nHost www.example.test\r\n\r\n'
say 'GET / HTTP/1.1\r\nHost: a\r\nX-Long: %9000s\r\n\r\n' x
say 'hello\r\n\r\n'
say 'GET / HTTP/3.9\r\n\r\n'
expect_failure client curl -sS -k https://www.example.test:80/
