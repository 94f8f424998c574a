#!/usr/bin/env bash
# shows: TFTP: a file read in several blocks, one with options (block size), one written, one missing.
# programs: curl, in.tftpd
# check: tftp.opcode == 1; tftp.opcode == 2; tftp.opcode == 3; tftp.opcode == 5; tftp.opcode == 6
set -euo pipefail
mkdir boot
seq 1 700 > boot/kernel.img
chmod -R a+rwX boot
start server in.tftpd -L -c -a 10.1.0.20:69 -u nobody -s "$WORK/boot"
wait_udp server 69
capture

client curl -sS -o got tftp://10.1.0.20/kernel.img
client curl -sS -o got --tftp-blksize 1024 tftp://10.1.0.20/kernel.img
client curl -sS -o got --tftp-no-options tftp://10.1.0.20/kernel.img
seq 1 300 > notes
client curl -sS -T notes tftp://10.1.0.20/notes || true
client curl -sS -o got tftp://10.1.0.20/absent || true
