#!/usr/bin/env bash
# shows: SSH key exchange that fails: client and server have no cipher in common; and a visitor that only
#        reads the banner.
# programs: ssh, ncat, sshd
# check: ssh.protocol; ssh.message_code == 20
set -euo pipefail
source "$TOOLS/lib/ssh.sh"
start_ssh 'Ciphers aes256-gcm@openssh.com'
capture

expect_failure client ssh "${SSH_OPTIONS[@]}" -c aes128-ctr -l anna 10.1.0.20 id
client ncat -i 1 10.1.0.20 22 < /dev/null || true
