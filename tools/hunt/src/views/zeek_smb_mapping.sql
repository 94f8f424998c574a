SELECT ts, uid, src_ip AS id_orig_h, src_port AS id_orig_p, dst_ip AS id_resp_h, dst_port AS id_resp_p,
       tree AS path, upper(share_type) AS share_type, sensor AS _system_name, date, hour
FROM smb
WHERE command = 'tree_connect'
