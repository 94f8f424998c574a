SELECT ts, uid, src_ip AS id_orig_h, src_port AS id_orig_p, dst_ip AS id_resp_h, dst_port AS id_resp_p,
       proto, id AS trans_id, rtt_us / 1000000.0 AS rtt, query, qclass AS qclass_name,
       qtype AS qtype_name, rcode AS rcode_name, aa AS "AA", tc AS "TC", rd AS "RD", ra AS "RA",
       answers, answer_ttls AS "TTLs", rcode IS NOT NULL AND rcode = 'REFUSED' AS rejected,
       sensor AS _system_name, date, hour
FROM dns
