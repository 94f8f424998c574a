#!/usr/bin/env bash
# shows: PostgreSQL in clear (the client prefers none to TLS): MD5 logon, selects, an insert, an error,
#        COPY, a wrong password.
# programs: psql, postgres
# check: pgsql.type == "Simple query"; pgsql.type == "Data row"; pgsql.type == "Error"; pgsql.authtype == 5
set -euo pipefail
source "$TOOLS/lib/postgres.sh"
start_postgres md5
capture

query sslmode=disable 'select * from fruit'
query sslmode=disable "insert into fruit values (3, 'plum')"
query sslmode=disable 'select * from vegetables' || true
query sslmode=disable 'copy fruit to stdout'
PASSWORD=guess query sslmode=disable 'select 1' || true
