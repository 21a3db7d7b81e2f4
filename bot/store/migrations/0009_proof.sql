CREATE INDEX messages_dates ON messages (channel_id, date);  -- when each channel spoke

-- Posts that were found by asking: Telegram had not pushed them.
CREATE INDEX versions_asked_for ON versions (channel_id) WHERE number = 1 AND observed_by IN ('difference', 'sweep');

CREATE TABLE silences (  -- channels that are unusually silent; people were told
    channel_id INTEGER PRIMARY KEY REFERENCES channels (id),
    since INTEGER NOT NULL  -- the date of its last post
);

CREATE TABLE receipts (  -- chats that want to be told each day that nothing is missing
    chat_id INTEGER PRIMARY KEY REFERENCES chats (id),
    minute INTEGER NOT NULL,  -- of the chat's own day
    since INTEGER NOT NULL  -- of the last one, or of its being switched on
);

ALTER TABLE readers ADD COLUMN session TEXT;  -- the name of its file: an account logged in there takes this one's place
