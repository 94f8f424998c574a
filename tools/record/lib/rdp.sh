# Remote desktop: xrdp as the server, FreeRDP and rdesktop as clients on a virtual screen.
#
# start_xrdp SECURITY-LAYER [PORT]     negotiate, rdp or tls
# start_screen                a virtual X screen on the client, in DISPLAY
# desktop SECONDS OPTIONS…    xfreerdp, ended after that long
# old_desktop SECONDS OPTIONS…    rdesktop, the same

start_xrdp() {
    source "$TOOLS/lib/certificates.sh"
    make_certificates
    cp -r /etc/xrdp xrdp
    (umask 077; XRDP_CFG=xrdp; xrdp-keygen xrdp "$WORK/xrdp/rsakeys.ini" > /dev/null)
    {
        printf '[Globals]\nini_version=1\nfork=true\nport=tcp://:%s\ncrypt_level=high\nbitmap_cache=true\nmax_bpp=16\n' "${2:-3389}"
        printf 'security_layer=%s\ncertificate=%s\nkey_file=%s\nssl_protocols=TLSv1.2, TLSv1.3\nallow_channels=true\n' \
            "$1" "$WORK/chain.pem" "$WORK/server.key"
        printf '[Logging]\nLogFile=%s\nLogLevel=INFO\nEnableSyslog=false\n' "$WORK/xrdp.log"
        printf '[Channels]\nrdpdr=true\nrdpsnd=true\ndrdynvc=true\ncliprdr=true\n'
        printf '[Xvnc]\nname=Session\nlib=libvnc.so\nusername=ask\npassword=ask\nip=127.0.0.1\nport=5900\n'
    } > xrdp/xrdp.ini
    mount --bind xrdp /etc/xrdp
    start server xrdp --nodaemon --config "$WORK/xrdp/xrdp.ini"
    wait_tcp server "${2:-3389}"
}

start_screen() {
    mkdir -p /run/screen
    Xvfb :77 -screen 0 800x600x24 -nolisten tcp > Xvfb.log 2>&1 &
    wait_for test -S /tmp/.X11-unix/X77
    export DISPLAY=:77
}

desktop() { local seconds=$1; shift; client timeout "$seconds" xfreerdp /v:10.1.0.20 /u:anna /p:wonderland /cert:ignore /size:320x240 /bpp:8 "$@" || true; }
old_desktop() { local seconds=$1; shift; client timeout "$seconds" rdesktop -u anna -p wonderland -g 320x240 -a 8 "$@" 10.1.0.20 < /dev/null || true; }
