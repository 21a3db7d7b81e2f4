-- What came too late for an alarm is gathered like all that a notice sums up, in rows that follow it. Of these earlier
-- ones nobody knows the topics, and they have no `post_key`: their posts may be told as before.
INSERT INTO alerts (chat_id, kind, subject, random_id, channel_id, payload, silent, state, due_at, created_at, follows)
    SELECT a.chat_id, 'gathered', a.subject || '/' || l.version_id, 0, v.channel_id,
        json_object('version_id', l.version_id, 'topics', json_array(),
            'spans', json((SELECT json_group_array(json(s.value)) FROM json_each(l.spans) s
                WHERE s.value ->> 1 <= length(v.text))),  -- the others lie beside the text
            'beside', json((SELECT json_group_array(json_array(b.value ->> 0, b.value ->> 1, json_array()))
                FROM json_each(v.asides) b WHERE trim(v.text) = ''))),
        1, 'sent', a.due_at, a.created_at, a.id
    FROM late l JOIN alerts a ON a.id = l.alert_id JOIN versions v ON v.id = l.version_id
    ORDER BY l.version_id;
DROP TABLE late;

-- When the backup was made is written like all moments.
UPDATE alerts SET payload = json_set(payload, '$.at', 1000 * CAST(strftime('%s', payload ->> 'at') AS INTEGER))
    WHERE kind = 'notice' AND payload ->> 'notice' = 'restored';
