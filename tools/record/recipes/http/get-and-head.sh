#!/usr/bin/env bash
# shows: GET and HEAD by curl and wget: found, not found, not modified, a byte range, a bad range, a query
#        string, cookies.
# programs: curl, wget, nginx
# check: http.response.code == 200; http.response.code == 404; http.response.code == 304; http.response.code
#        == 206; http.response.code == 416; http.request.method == "HEAD"; http.cookie
set -euo pipefail
source "$TOOLS/lib/web.sh"
start_nginx 'add_header Set-Cookie "session=42; Path=/; HttpOnly";'
capture

get() { client curl -sS -o /dev/null "$@"; }
url=http://www.example.test
get "$url/"
get -I "$url/numbers.txt"
get "$url/absent.html?q=needle&lang=de%20CH"
get -H 'If-Modified-Since: '"$(date -R -u -r "$WORK/www/index.html" | sed s/+0000/GMT/)" "$url/index.html"
get -r 10-99 "$url/numbers.txt"
get -r 99999-100000 "$url/numbers.txt"
get -b 'session=41; theme=dark' -A 'Mozilla/5.0 (X11; Linux x86_64)' -e 'http://search.example.test/?q=numbers' "$url/"
client wget -q -O /dev/null "$url/numbers.txt"
