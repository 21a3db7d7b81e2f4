CREATE TABLE late (  -- posts that a notice sums up: they came too late for an alarm
    alert_id INTEGER NOT NULL REFERENCES alerts (id),
    version_id INTEGER NOT NULL,
    spans TEXT NOT NULL,  -- JSON: what was found, in Python characters of the text and what stands beside it
    PRIMARY KEY (alert_id, version_id)
) WITHOUT ROWID;

-- Notices on their way summed up one channel each.
UPDATE alerts SET payload = json_set(payload, '$.channels',
        json_array(json_array(payload ->> 'channel_id', payload ->> 'channel', payload ->> 'count')))
    WHERE kind = 'notice' AND payload ->> 'notice' = 'late' AND state = 'due';
