SELECT ts, uid, src_ip AS id_orig_h, src_port AS id_orig_p, dst_ip AS id_resp_h, dst_port AS id_resp_p,
       name, detail AS addl, count AS n, sensor AS peer, date, hour
FROM weird
