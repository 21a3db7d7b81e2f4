CREATE TABLE feedback (  -- alerts that people found not relevant, and what was wrong
    chat_id INTEGER NOT NULL REFERENCES chats (id),
    channel_id INTEGER NOT NULL,
    post_key TEXT NOT NULL,  -- g<grouped_id> or m<message_id>
    person_id INTEGER NOT NULL,  -- who said so; 0 for a group's anonymous administrator
    topics TEXT NOT NULL,  -- JSON: names of the topics that should not have brought it
    what TEXT NOT NULL CHECK (what IN ('channel', 'word', 'note')),
    word TEXT,  -- that was excluded
    at INTEGER NOT NULL,
    PRIMARY KEY (chat_id, channel_id, post_key, person_id)
) WITHOUT ROWID;
CREATE INDEX feedback_post ON feedback (channel_id, post_key);

ALTER TABLE topics ADD COLUMN excluded TEXT NOT NULL DEFAULT '[]';  -- JSON: words without which its posts have to be
ALTER TABLE chats ADD COLUMN language_chosen INTEGER NOT NULL DEFAULT 0;  -- by somebody there; else it is Telegram's

-- What /topics counts is read from one index: of JSON, each row would have to be read and taken apart.
ALTER TABLE alerts ADD COLUMN topics TEXT GENERATED ALWAYS AS (payload ->> '$.topics') VIRTUAL;
CREATE INDEX alerts_chat ON alerts (chat_id, created_at, kind, topics);
CREATE INDEX mutes_chat ON mutes (chat_id);
