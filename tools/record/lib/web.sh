# A small web site and the servers for it.
#
# make_site           the files, in $WORK/www
# start_apache [CONFIGURATION-LINES…]    Apache on port 80 with the site
# start_nginx [LINES-FOR-THE-SERVER-BLOCK…]

make_site() {
    local www=$WORK/www
    mkdir -p "$www/dav" "$www/private" "$www/digest"
    echo '<html><title>Home</title><a href="/numbers.txt">numbers</a></html>' > "$www/index.html"
    seq 1 1500 > "$www/numbers.txt"
    seq 1 3000 | zstd -q > "$www/packed.txt.zst"
    cp /usr/bin/true "$www/tool.bin"
    printf '%%PDF-1.4\n%% a very small document\n%%%%EOF\n' > "$www/paper.pdf"
    echo "for members only" | tee "$www/private/note.txt" > "$www/digest/note.txt"
    htpasswd -bc "$WORK/basic.users" anna 'wonder:land' 2> /dev/null
    printf 'anna:office:%s\n' "$(printf 'anna:office:wonderland' | md5sum | cut -d' ' -f1)" > "$WORK/digest.users"
    chmod -R a+rwX "$www"
}

start_apache() {
    make_site
    local modules=/usr/lib/apache2/modules module
    {
        for module in mpm_event authn_core authn_file authz_core authz_user auth_basic auth_digest alias dir \
            mime deflate filter brotli dav dav_fs cgid headers rewrite http2 env setenvif unixd; do
            [[ -e $modules/mod_$module.so ]] && echo "LoadModule ${module}_module $modules/mod_$module.so"
        done
        cat <<-END
	ServerName www.example.test
	Protocols h2c http/1.1
	ServerRoot $WORK
	PidFile $WORK/apache.pid
	ErrorLog $WORK/apache-error.log
	User nobody
	Group nogroup
	Listen 80
	StartServers 1
	ThreadsPerChild 8
	MaxRequestWorkers 8
	DocumentRoot $WORK/www
	TypesConfig /etc/mime.types
	AddEncoding zstd .zst
	DavLockDB $WORK/dav.lock
	ScriptSock $WORK/cgid.sock
	<Directory $WORK/www>
	    Require all granted
	    Options +Indexes
	</Directory>
	<Location /dav>
	    Dav On
	</Location>
	<Location /private>
	    AuthType Basic
	    AuthName "members"
	    AuthUserFile $WORK/basic.users
	    Require valid-user
	</Location>
	<Location /digest>
	    AuthType Digest
	    AuthName "office"
	    AuthUserFile $WORK/digest.users
	    Require valid-user
	</Location>
	Redirect permanent /old /new
	Redirect temp /new /index.html
	Redirect gone /gone
	END
        printf '%s\n' "$@"
    } > "$WORK/apache.conf"
    chmod 777 "$WORK"
    start server apache2 -X -f "$WORK/apache.conf"
    wait_tcp server 80
}

start_nginx() {
    make_site
    cat > "$WORK/nginx.conf" <<-END
	daemon off;
	worker_processes 1;
	pid $WORK/nginx.pid;
	error_log $WORK/nginx-error.log;
	events { worker_connections 64; }
	http {
	    include /etc/nginx/mime.types;
	    access_log off;
	    client_body_temp_path $WORK/nginx-body;
	    proxy_temp_path $WORK/nginx-proxy;
	    fastcgi_temp_path $WORK/nginx-fastcgi;
	    uwsgi_temp_path $WORK/nginx-uwsgi;
	    scgi_temp_path $WORK/nginx-scgi;
	    server {
	        listen 80;
	        listen [::]:80;
	        root $WORK/www;
	        ${*}
	    }
	}
	END
    start server nginx -c "$WORK/nginx.conf"
    wait_tcp server 80
}
