SELECT ts, uid, src_ip AS id_orig_h, src_port AS id_orig_p, dst_ip AS id_resp_h, dst_port AS id_resp_p,
       version, cipher, sni AS server_name, resumed, alpn_selected AS next_protocol, established,
       cert_sha256 AS cert_chain_fps, subject, issuer, ja3, ja3s, ja4,
       serial AS certificate_serial, not_before AS certificate_not_valid_before,
       not_after AS certificate_not_valid_after, san AS san_dns, self_signed,
       sensor AS _system_name, date, hour
FROM tls
