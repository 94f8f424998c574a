#!/usr/bin/env bash
# shows: PostgreSQL upgraded to TLS by an SSLRequest, then a SCRAM logon inside.
# programs: psql, postgres
# check: pgsql.type == "SSL request"; tcp.port == 5432 and tls.handshake.type == 1
set -euo pipefail
source "$TOOLS/lib/postgres.sh"
start_postgres scram-sha-256
capture

query 'sslmode=require' 'select * from fruit'
