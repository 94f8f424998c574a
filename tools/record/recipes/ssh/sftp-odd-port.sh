#!/usr/bin/env bash
# shows: Files copied by SFTP over SSH on port 2022.
# programs: sftp, sshd
# decode: tcp.port==2022,ssh
# check: tcp.port == 2022 and ssh.protocol
set -euo pipefail
source "$TOOLS/lib/ssh.sh"
start_ssh 'Port 2022'
seq 1 2000 > numbers.txt
capture

printf 'put numbers.txt\nls -l\nget numbers.txt got.txt\n' > batch
client sftp "${SSH_OPTIONS[@]}" -i user_key -P 2022 -b batch anna@10.1.0.20
