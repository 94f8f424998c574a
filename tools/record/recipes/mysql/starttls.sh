#!/usr/bin/env bash
# shows: MySQL upgraded to TLS after the server's greeting.
# programs: mariadb, mariadbd
# check: mysql.server_greeting; tcp.dstport == 3306 and tls.handshake.type == 1
set -euo pipefail
source "$TOOLS/lib/mysql.sh"
start_mysql
capture

query --ssl --ssl-ca=ca.pem 'select * from fruit'
