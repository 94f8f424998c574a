#!/usr/bin/env bash
# shows: LDAP upgraded to TLS by the StartTLS operation, and LDAP over TLS from the start (port 636).
# programs: ldapsearch, slapd
# check: ldap.requestName == "1.3.6.1.4.1.1466.20037"; tcp.port == 389 and tls.handshake.type == 1; tcp.port
#        == 636 and tls.handshake.type == 1
set -euo pipefail
source "$TOOLS/lib/ldap.sh"
start_ldap
capture

search -ZZ '(cn=anna)' mail
client ldapsearch -H ldaps://server.example.test -x -b dc=example,dc=test '(cn=bo)' mail
