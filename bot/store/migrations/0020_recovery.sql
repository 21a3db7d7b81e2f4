CREATE TABLE told (  -- posts that chats were told of by an instance whose database is lost, until they are stored here
    chat_id INTEGER NOT NULL REFERENCES chats (id),
    channel_id INTEGER NOT NULL,
    message_id INTEGER NOT NULL,  -- of the post, in its channel
    alert_message_id INTEGER NOT NULL,  -- of the alert, in the chat
    has_media INTEGER NOT NULL,  -- the alert shows a file, so that it takes a shorter text
    PRIMARY KEY (chat_id, channel_id, message_id)
) WITHOUT ROWID;

CREATE TABLE restorations (  -- chats that were told something by a lost instance: what else it told them nobody knows
    chat_id INTEGER PRIMARY KEY REFERENCES chats (id),
    alive_at INTEGER NOT NULL,  -- the backup's last sign of life
    until INTEGER NOT NULL  -- when the lost instance wrote the last message that was found
);

CREATE INDEX alerts_message ON alerts (chat_id, message_id) WHERE message_id IS NOT NULL;

ALTER TABLE handled ADD COLUMN said_at INTEGER;  -- when the answer had arrived; NULL: it may have to be said again
