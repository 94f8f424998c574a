#!/usr/bin/env bash
# shows: A TCP connect scan and a SYN scan of twenty ports, of which two are open, with service versions
#        asked.
# programs: nmap, python3, socat
# check: tcp.flags.reset == 1; tcp.flags.syn == 1 and tcp.flags.ack == 1
set -euo pipefail
mkdir "$WORK/www"
start server python3 -m http.server -d "$WORK/www" 8080
start server socat TCP-LISTEN:2222,fork,reuseaddr SYSTEM:'echo SSH-2.0-OpenSSH_9.2'
wait_tcp server 8080
wait_tcp server 2222
capture
ports=21-25,80,110,139,143,443,445,993,1433,2222,3306,3389,5432,5900,8080,8443
client nmap -n -Pn -sT -p "$ports" 10.1.0.20
client nmap -n -Pn -sS -p "$ports" 10.1.0.20
client nmap -n -Pn -sX -p "22,80" 10.1.0.20
