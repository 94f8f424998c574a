#!/usr/bin/env bash
# shows: System log messages over UDP and TCP, in the old and the new (RFC 5424) form.
# programs: logger, socat
# check: syslog.facility; tcp.port == 601 and tcp.len > 0
set -euo pipefail
start server socat -u UDP-RECV:514 CREATE:"$WORK/udp.log"
start server socat -u TCP-LISTEN:601,fork,reuseaddr CREATE:"$WORK/tcp.log"
wait_tcp server 601
capture

client logger -n 10.1.0.20 -P 514 -d --rfc3164 -p auth.warning -t sshd 'Failed password for anna from 192.0.2.7'
client logger -n 10.1.0.20 -P 514 -d --rfc5424 -p daemon.info -t cron --sd-id 'origin@32473' --sd-param 'ip="10.1.0.10"' 'job done'
client logger -n 10.1.0.20 -P 601 -T --octet-count --rfc5424 -p local3.err -t backup 'disk is full'
