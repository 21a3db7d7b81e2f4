CREATE TABLE restorations (  -- chats that were written to between a backup and the start with it: what they were told nobody knows
    chat_id INTEGER PRIMARY KEY REFERENCES chats (id),
    alive_at INTEGER NOT NULL,  -- the backup's last sign of life
    until INTEGER NOT NULL  -- the start: what was posted before it may have been told
);

CREATE INDEX alerts_message ON alerts (chat_id, message_id) WHERE message_id IS NOT NULL;

ALTER TABLE handled ADD COLUMN said_at INTEGER;  -- when the answer had arrived; NULL: it may have to be said again
