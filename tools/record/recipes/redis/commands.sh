#!/usr/bin/env bash
# shows: Redis: wrong and right password, values set and read, lists, a pipeline, publish and subscribe, an
#        inline command.
# programs: redis-cli, ncat, redis-server
# check: tcp.port == 6379 and frame contains "WRONGPASS"; frame contains "subscribe"
set -euo pipefail
start server redis-server --bind 10.1.0.20 --requirepass wonderland --save '' --dir "$WORK"
wait_tcp server 6379
capture

redis() { client redis-cli -h 10.1.0.20 --no-auth-warning "$@"; }
redis -a guess ping || true
redis -a wonderland set fruit apple
redis -a wonderland get fruit
redis -a wonderland -3 hset price apple 0.5 pear 0.7
redis -a wonderland -3 hgetall price
printf '*5\r\n$5\r\nRPUSH\r\n$4\r\nlist\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n*4\r\n$6\r\nLRANGE\r\n$4\r\nlist\r\n$1\r\n0\r\n$2\r\n-1\r\n' |
    client redis-cli -h 10.1.0.20 --no-auth-warning -a wonderland --pipe
redis -a wonderland config get maxmemory
(sleep 0.5; redis -a wonderland publish news hello > publish.log) &
timeout 2 ip netns exec client redis-cli -h 10.1.0.20 --no-auth-warning -a wonderland subscribe news || true
(printf 'AUTH wonderland\r\nPING\r\nNONSENSE\r\nQUIT\r\n'; sleep 0.5) | client ncat 10.1.0.20 6379
