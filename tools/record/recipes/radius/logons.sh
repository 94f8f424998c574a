#!/usr/bin/env bash
# shows: RADIUS: a logon accepted, one rejected, one by CHAP, and accounting.
# programs: radclient, freeradius
# check: radius.code == 2; radius.code == 3; radius.code == 4
set -euo pipefail
cp -r /etc/freeradius/3.0 raddb
echo 'anna Cleartext-Password := "wonderland"' > raddb/mods-config/files/authorize
cat >> raddb/clients.conf <<END
client office { ipaddr = 10.1.0.0/24
 secret = shared }
END
chmod -R a+rX,go-w raddb
start server freeradius -f -X -d "$WORK/raddb"
wait_udp server 1812
capture

ask() { printf '%s\n' "$1" | client radclient -r 1 -t 2 "10.1.0.20:$2" "$3" shared || true; }
ask 'User-Name=anna,User-Password=wonderland,NAS-IP-Address=10.1.0.10,NAS-Port=7' 1812 auth
ask 'User-Name=anna,User-Password=guess' 1812 auth
ask 'User-Name=anna,CHAP-Password=wonderland' 1812 auth
ask 'User-Name=anna,Acct-Status-Type=Start,Acct-Session-Id=1' 1813 acct
