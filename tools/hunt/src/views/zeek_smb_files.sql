SELECT ts, uid, src_ip AS id_orig_h, src_port AS id_orig_p, dst_ip AS id_resp_h, dst_port AS id_resp_p,
       CASE action WHEN 'open' THEN 'SMB::FILE_OPEN' WHEN 'create' THEN 'SMB::FILE_OPEN'
                   WHEN 'overwrite' THEN 'SMB::FILE_OPEN' WHEN 'read' THEN 'SMB::FILE_READ'
                   WHEN 'write' THEN 'SMB::FILE_WRITE' WHEN 'rename' THEN 'SMB::FILE_RENAME'
                   WHEN 'delete' THEN 'SMB::FILE_DELETE' END AS action,
       tree AS path, coalesce(renamed_to, path) AS name, bytes AS size,
       CASE WHEN renamed_to IS NOT NULL THEN path END AS prev_name,
       sensor AS _system_name, date, hour
FROM smb
WHERE action IS NOT NULL AND (share_type IS NULL OR share_type = 'disk')
