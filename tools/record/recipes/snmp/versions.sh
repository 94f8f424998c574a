#!/usr/bin/env bash
# shows: SNMP version 1, 2c and 3 (authenticated, and encrypted): get, walk, bulk, a wrong community, a
#        trap.
# programs: snmpget, snmpwalk, snmpbulkget, snmptrap, snmpd
# check: snmp.version == 0; snmp.version == 1; snmp.msgVersion == 3; snmp.encryptedPDU; udp.dstport == 162
set -euo pipefail
cat > snmpd.conf <<END
agentAddress udp:10.1.0.20:161
rocommunity public
rwcommunity private
createUser anna SHA "wonderland" AES "wonderland"
rouser anna auth
sysLocation attic
sysContact anna@example.test
END
start server env SNMP_PERSISTENT_DIR="$WORK/snmp" snmpd -f -Lf "$WORK/snmpd.log" -C -c "$WORK/snmpd.conf" -I -smux
wait_udp server 161
capture

export MIBS=
client snmpget -v 1 -c public 10.1.0.20 1.3.6.1.2.1.1.5.0 1.3.6.1.2.1.1.6.0
client snmpwalk -v 2c -c public 10.1.0.20 1.3.6.1.2.1.1
client snmpbulkget -v 2c -c public -Cr5 10.1.0.20 1.3.6.1.2.1.2.2
client snmpget -v 2c -c guess -r 1 -t 1 10.1.0.20 1.3.6.1.2.1.1.5.0 || true
client snmpget -v 3 -l authNoPriv -u anna -a SHA -A wonderland 10.1.0.20 1.3.6.1.2.1.1.5.0
client snmpget -v 3 -l authPriv -u anna -a SHA -A wonderland -x AES -X wonderland 10.1.0.20 1.3.6.1.2.1.1.6.0
client snmptrap -v 2c -c public 10.1.0.20 '' 1.3.6.1.6.3.1.1.5.4 1.3.6.1.2.1.2.2.1.1.1 i 1
