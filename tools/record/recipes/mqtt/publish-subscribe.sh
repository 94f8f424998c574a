#!/usr/bin/env bash
# shows: MQTT 3.1.1 and 5: subscribe, publish at each quality of service, a retained message, a will, a
#        refused logon.
# programs: mosquitto_pub, mosquitto_sub, mosquitto
# check: mqtt.msgtype == 3; mqtt.msgtype == 8; mqtt.qos == 2; mqtt.ver == 5; mqtt.conack.val == 5
set -euo pipefail
printf 'listener 1883 10.1.0.20\nallow_anonymous false\npassword_file %s/users\nuser root\npersistence false\n' "$WORK" > mosquitto.conf
touch users
mosquitto_passwd -b users anna wonderland
start server mosquitto -c "$WORK/mosquitto.conf"
wait_tcp server 1883
capture

user=(-h 10.1.0.20 -u anna -P wonderland)
start client timeout 4 mosquitto_sub "${user[@]}" -i watcher -t 'house/#' -q 2 -C 4 -v
sleep 0.5
for quality in 0 1 2; do client mosquitto_pub "${user[@]}" -t house/kitchen/temperature -m "2$quality.5" -q $quality; done
client mosquitto_pub "${user[@]}" -V 5 -t house/door -m open -r -q 1 --will-topic house/gone --will-payload bye -D publish content-type text/plain
client timeout 2 mosquitto_sub "${user[@]}" -V 5 -t house/door -C 1
client mosquitto_pub -h 10.1.0.20 -u anna -P guess -t house/x -m y || true
