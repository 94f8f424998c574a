# A Samba file server with two shares (`shared`, `public`), the user anna (password wonderland),
# and guests.
#
# start_samba [LINES-FOR-THE-GLOBAL-SECTION…]
# smb [OPTIONS…] SHARE COMMANDS     smbclient as anna against the server

start_samba() {
    mkdir -p "$WORK/samba"/{private,lock,state,cache,pid,ncalrpc,bind} "$WORK/shared" /run/samba
    chmod 777 "$WORK/shared"
    echo "quarterly numbers" > "$WORK/shared/report.txt"
    seq 1 2000 > "$WORK/shared/numbers.txt"
    {
        cat <<-END
	[global]
	    netbios name = FILES
	    workgroup = OFFICE
	    server string = file server
	    interfaces = eth0
	    bind interfaces only = yes
	    private dir = $WORK/samba/private
	    lock directory = $WORK/samba/lock
	    state directory = $WORK/samba/state
	    cache directory = $WORK/samba/cache
	    pid directory = $WORK/samba/pid
	    ncalrpc dir = $WORK/samba/ncalrpc
	    binddns dir = $WORK/samba/bind
	    log file = $WORK/samba.log
	    passdb backend = tdbsam
	    server min protocol = LANMAN1
	    client min protocol = LANMAN1
	    map to guest = Bad User
	    guest account = nobody
	    disable spoolss = yes
	    load printers = no
	    dns proxy = no
	END
        printf '    %s\n' "$@"
        cat <<-END
	[shared]
	    path = $WORK/shared
	    read only = no
	[public]
	    path = $WORK/shared
	    guest ok = yes
	END
    } > "$WORK/smb.conf"
    chmod 755 "$WORK"
    # The clients know the same, by another name.
    sed 's/netbios name = .*/netbios name = PC7/' "$WORK/smb.conf" > "$WORK/client.conf"
    # A person to log on as, in files of our own laid over the system's.
    cp /etc/passwd "$WORK/passwd"
    echo "anna:x:5001:100:Anna:/nonexistent:/bin/false" >> "$WORK/passwd"
    mount --bind "$WORK/passwd" /etc/passwd
    printf 'wonderland\nwonderland\n' | smbpasswd -c "$WORK/smb.conf" -s -a anna > /dev/null
    start server smbd -F --no-process-group -s "$WORK/smb.conf"
    wait_tcp server 445
}

smb() {
    local share=${*: -2:1} commands=${*: -1}
    client smbclient -s "$WORK/client.conf" "//10.1.0.20/$share" -U 'anna%wonderland' "${@:1:$#-2}" -c "$commands"
}

# What an office day on a share looks like.
FILE_WORK='ls; put notes.txt; get report.txt got.txt; rename notes.txt minutes.txt; mkdir archive;
    cd archive; ls; cd ..; rmdir archive; allinfo numbers.txt; del minutes.txt; get absent.txt'
