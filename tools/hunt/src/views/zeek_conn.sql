SELECT ts, uid, src_ip AS id_orig_h, src_port AS id_orig_p, dst_ip AS id_resp_h, dst_port AS id_resp_p,
       proto, service, date_part('epoch', end_ts) - date_part('epoch', ts) AS duration,
       src_bytes AS orig_bytes, dst_bytes AS resp_bytes, state AS conn_state,
       direction IN ('outbound', 'internal') AS local_orig,
       direction IN ('inbound', 'internal') AS local_resp,
       missed_bytes, history, src_packets AS orig_pkts, src_ip_bytes AS orig_ip_bytes,
       dst_packets AS resp_pkts, dst_ip_bytes AS resp_ip_bytes, tunnel AS tunnel_parents,
       community_id, vlan, inner_vlan, src_mac AS orig_l2_addr, dst_mac AS resp_l2_addr,
       src_country AS orig_cc, dst_country AS resp_cc, sensor AS _system_name, date, hour
FROM flow
