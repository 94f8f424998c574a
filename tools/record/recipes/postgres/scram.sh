#!/usr/bin/env bash
# shows: A SCRAM-SHA-256 logon in clear, after the client's wish for TLS was not made.
# programs: psql, postgres
# check: pgsql.authtype == 10; pgsql.authtype == 12
set -euo pipefail
source "$TOOLS/lib/postgres.sh"
start_postgres scram-sha-256
capture

query sslmode=disable 'select name from fruit'
