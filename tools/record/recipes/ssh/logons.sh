#!/usr/bin/env bash
# shows: SSH: a command run by key, a logon by password, three wrong passwords and a refusal.
# programs: ssh, sshpass, sshd
# check: ssh.protocol; ssh.message_code == 20; ssh.message_code == 31
set -euo pipefail
source "$TOOLS/lib/ssh.sh"
start_ssh
capture

shell 'echo hello; id -un'
try() { client sshpass -p "$1" ssh "${SSH_OPTIONS[@]}" -o PubkeyAuthentication=no -o NumberOfPasswordPrompts=1 -l anna 10.1.0.20 id; }
try wonderland
for guess in password 123456 anna; do expect_failure try "$guess"; done
