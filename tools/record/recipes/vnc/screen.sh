#!/usr/bin/env bash
# shows: VNC: a screen read with a password, a wrong password.
# programs: Xtigervnc, python:vncdotool
# check: vnc.server_proto_ver; vnc.auth_result == 0; vnc.auth_result == 1; vnc.fb_update_encoding_type or
#        vnc.server_message_type == 0
set -euo pipefail
mkdir -p /tmp/.X11-unix
printf 'wonder12\n' | tigervncpasswd -f > secret
start server Xtigervnc :1 -geometry 160x120 -depth 16 -localhost no -SecurityTypes VncAuth -PasswordFile "$WORK/secret" -rfbport 5900 -desktop office
wait_tcp server 5900
capture

client timeout 10 vncdo -s 10.1.0.20::5900 -p wonder12 capture screen.png
client timeout 10 vncdo -s 10.1.0.20::5900 -p guess123 capture screen.png || true
