SELECT ts, uid, src_ip AS id_orig_h, src_port AS id_orig_p, dst_ip AS id_resp_h, dst_port AS id_resp_p,
       depth AS trans_depth, method, host, uri, referrer, version, user_agent, origin,
       request_body_bytes AS request_body_len, response_body_bytes AS response_body_len,
       status AS status_code, reason AS status_msg, username, x_forwarded_for AS proxied,
       request_content_type AS orig_mime_types, response_mime AS resp_mime_types,
       sensor AS _system_name, date, hour
FROM http
