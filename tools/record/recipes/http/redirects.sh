#!/usr/bin/env bash
# shows: A chain of redirects (301, 302) followed to its end, and a page that is gone (410).
# programs: curl, apache2
# check: http.response.code == 301; http.response.code == 302; http.response.code == 410
set -euo pipefail
source "$TOOLS/lib/web.sh"
start_apache
capture

client curl -sS -L http://www.example.test/old
client curl -sS http://www.example.test/gone
