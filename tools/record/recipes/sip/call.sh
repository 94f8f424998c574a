#!/usr/bin/env bash
# shows: SIP over UDP: a call with SDP (INVITE, 100, 180, 200, ACK, BYE) twice, and one over TCP.
# programs: sipp
# decode: tcp.port==5062,sip
# check: sip.Method == "INVITE"; sip.Status-Code == 180; sdp; tcp and sip
set -euo pipefail
start server sipp -sn uas -i 10.1.0.20 -p 5060 -nostdin
wait_udp server 5060
start server sipp -sn uas -i 10.1.0.20 -p 5062 -t t1 -nostdin
sleep 1
capture

client timeout 20 sipp -sn uac -i 10.1.0.10 -p 5061 -s anna -m 2 -r 2 -d 300 -nostdin 10.1.0.20:5060
client timeout 20 sipp -sn uac -i 10.1.0.10 -p 5063 -s bo -m 1 -d 300 -t t1 -nostdin 10.1.0.20:5062
