SELECT ts, uid, src_ip AS id_orig_h, src_port AS id_orig_p, dst_ip AS id_resp_h, dst_port AS id_resp_p,
       "user" AS username, workstation AS hostname, domain AS domainname,
       ntlm_target AS server_dns_computer_name, status = 'STATUS_SUCCESS' AS success,
       sensor AS _system_name, date, hour
FROM smb
WHERE command = 'session_setup' AND "user" IS NOT NULL
