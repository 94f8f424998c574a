SELECT ts, uid, src_ip AS id_orig_h, src_port AS id_orig_p, dst_ip AS id_resp_h, dst_port AS id_resp_p,
       cookie, result, selected_protocol AS security_protocol, channels AS client_channels,
       keyboard_layout, client_build, client_name, product_id AS client_dig_product_id,
       desktop_width, desktop_height, encryption_level, encryption_method,
       sensor AS _system_name, date, hour
FROM rdp
