#!/usr/bin/env bash
# shows: The same page as plain text, with gzip, deflated as brotli, and with zstd.
# programs: curl, apache2
# check: http.content_encoding == "gzip"; http.content_encoding == "br"; http.content_encoding == "zstd"
set -euo pipefail
source "$TOOLS/lib/web.sh"
start_apache 'AddOutputFilterByType BROTLI_COMPRESS;DEFLATE text/plain'
capture

get() { client curl -sS -o /dev/null --compressed "$@"; }
url=http://www.example.test
client curl -sS -o /dev/null "$url/numbers.txt"
get -H 'Accept-Encoding: gzip' "$url/numbers.txt"
get -H 'Accept-Encoding: br' "$url/numbers.txt"
get "$url/packed.txt.zst"
