-- A subscription may also pass quiet hours ('loud!') or wait for a digest. The CHECK changes: the table is made anew.
CREATE TABLE subscriptions_anew (
    chat_id INTEGER NOT NULL REFERENCES chats (id),
    topic_id INTEGER NOT NULL REFERENCES topics (id),
    priority TEXT NOT NULL DEFAULT 'loud' CHECK (priority IN ('loud!', 'loud', 'silent', 'digest')),
    channels TEXT,  -- JSON list of channel ids it is narrowed to; NULL: all
    created_at INTEGER NOT NULL,
    PRIMARY KEY (chat_id, topic_id)
) WITHOUT ROWID;
INSERT INTO subscriptions_anew (chat_id, topic_id, priority, channels, created_at)
    SELECT chat_id, topic_id, priority, channels, created_at FROM subscriptions;
DROP TABLE subscriptions;
ALTER TABLE subscriptions_anew RENAME TO subscriptions;
CREATE INDEX subscriptions_topic ON subscriptions (topic_id);

ALTER TABLE chats ADD COLUMN quiet_from INTEGER;  -- minute of the chat's own day; NULL: no quiet hours
ALTER TABLE chats ADD COLUMN quiet_until INTEGER;  -- likewise; before quiet_from: of the next day
ALTER TABLE chats ADD COLUMN digest_every TEXT NOT NULL DEFAULT 'day' CHECK (digest_every IN ('hour', 'day', 'week'));
ALTER TABLE chats ADD COLUMN digest_minute INTEGER NOT NULL DEFAULT 540;  -- of the chat's own day; not for 'hour'
ALTER TABLE chats ADD COLUMN digest_weekday INTEGER NOT NULL DEFAULT 0;  -- 0 is Monday; for 'week'
ALTER TABLE chats ADD COLUMN storm_count INTEGER DEFAULT 10;  -- more matches of a topic become a storm; NULL: they do not
ALTER TABLE chats ADD COLUMN storm_minutes INTEGER NOT NULL DEFAULT 5;  -- within which they are counted

-- A further kind of alert, 'gathered': a post that a notice sums up, a digest or a storm. Its row follows the notice's;
-- nothing of its own is sent, and its state is 'sent'.
CREATE INDEX alerts_edits ON alerts (chat_id) WHERE kind = 'edit' AND state = 'due';

-- Of a post that a thousand chats were told of, one chat's row is found at once.
DROP INDEX alerts_post;
CREATE INDEX alerts_post ON alerts (channel_id, post_key, chat_id);
