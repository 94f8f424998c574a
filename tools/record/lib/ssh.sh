# An OpenSSH server that knows the user anna by key and by password (wonderland).
#
# start_ssh [LINES-FOR-SSHD_CONFIG…]
# shell OPTIONS… COMMAND     log on as anna with the key

start_ssh() {
    mkdir -p /run/sshd "$WORK/home/.ssh" "$HOME/.ssh"
    ssh-keygen -q -t ed25519 -N '' -C host -f "$WORK/host_key"
    ssh-keygen -q -t ed25519 -N '' -C anna -f "$WORK/user_key"
    cp "$WORK/user_key.pub" "$WORK/home/.ssh/authorized_keys"
    cp /etc/passwd passwd
    cp /etc/shadow shadow
    echo "anna:x:5001:100:Anna:$WORK/home:/bin/sh" >> passwd
    echo "anna:$(openssl passwd -6 wonderland):19700:0:99999:7:::" >> shadow
    chmod 640 shadow
    mount --bind passwd /etc/passwd
    mount --bind shadow /etc/shadow
    chown -R 5001 home
    chmod 700 home
    cat > sshd_config <<-END
	Port 22
	HostKey $WORK/host_key
	PidFile none
	UsePAM no
	PasswordAuthentication yes
	Subsystem sftp internal-sftp
	PrintMotd no
	END
    printf '%s\n' "$@" >> sshd_config
    start server /usr/sbin/sshd -D -e -f "$WORK/sshd_config"
    wait_tcp server 22
}

SSH_OPTIONS=(-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o ConnectTimeout=5)
shell() { client ssh "${SSH_OPTIONS[@]}" -i "$WORK/user_key" -l anna 10.1.0.20 "$@"; }
