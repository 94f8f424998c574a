SELECT ts, uid, src_ip AS id_orig_h, src_port AS id_orig_p, dst_ip AS id_resp_h, dst_port AS id_resp_p,
       proto, detector AS note, title AS msg, description AS sub, host AS src,
       indicator, severity, count AS n, sensor AS peer_descr, date, hour
FROM alert
