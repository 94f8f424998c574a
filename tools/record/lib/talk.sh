# A little of everything to carry through a tunnel: echo, DNS-free UDP, an HTTP exchange.
#
# start_talk         servers on the server
# talk HOST          from the client to that address

start_talk() {
    mkdir -p "$WORK/www"
    echo "hello from the other end" > "$WORK/www/hello.txt"
    start server python3 -m http.server -d "$WORK/www" --bind :: 80
    wait_tcp server 80
}

talk() {
    client ping -c 2 -i 0.2 "$1"
    [[ $1 = *:* ]] && set -- "[$1]"
    client curl -sS -m 5 "http://$1/hello.txt"
}
