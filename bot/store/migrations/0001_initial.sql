-- Times are Unix milliseconds, UTC. Channel and account ids are Telegram's bare ids.

CREATE TABLE meta (  -- single facts: the outbox secret, the bot's username
    key TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE readers (  -- accounts that read channels
    id INTEGER PRIMARY KEY,  -- the number that evidence carries instead of a name
    account_id INTEGER NOT NULL UNIQUE,
    added_at INTEGER NOT NULL
);

CREATE TABLE channels (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('broadcast', 'supergroup')),
    title TEXT NOT NULL,
    username TEXT,  -- as written, without @; NULL for a private channel
    followed_at INTEGER,  -- NULL: nobody wants it any more; posts older than this raise no alarm
    confirmed_id INTEGER NOT NULL DEFAULT 0,  -- every message up to this one is stored; only the sweep moves it
    seen_pts INTEGER NOT NULL DEFAULT 0,  -- the pts up to which changes are applied; 0: ask again
    swept_at INTEGER  -- when the sweep last found or made it complete
);

CREATE TABLE memberships (  -- how each reader reaches each channel: access hashes are per account
    reader_id INTEGER NOT NULL REFERENCES readers (id),
    channel_id INTEGER NOT NULL REFERENCES channels (id),
    access_hash INTEGER NOT NULL,
    access TEXT NOT NULL CHECK (access IN ('polled', 'joined', 'pending', 'lost')),
    reason TEXT,  -- why access was lost, as Telegram's error string
    joined_at INTEGER,
    PRIMARY KEY (reader_id, channel_id)
) WITHOUT ROWID;

CREATE TABLE follows (  -- what people asked to follow, until it is a channel or refused
    id INTEGER PRIMARY KEY,
    reference TEXT NOT NULL UNIQUE,  -- '@name' in lower case, '+hash' or a bare id
    chat_id INTEGER REFERENCES chats (id),  -- who is told how it went; NULL: asked for by the settings
    asked_at INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('wanted', 'followed', 'refused')),
    channel_id INTEGER REFERENCES channels (id),
    reason TEXT,  -- why it was refused: Telegram's error string or a word of ours
    next_try_at INTEGER NOT NULL
);

CREATE TABLE messages (
    id INTEGER PRIMARY KEY,  -- date in seconds << 20 | counter, so that newest first is the order of the rows
    channel_id INTEGER NOT NULL REFERENCES channels (id),
    message_id INTEGER NOT NULL,
    grouped_id INTEGER,
    version_id INTEGER NOT NULL,  -- the current version
    hash BLOB NOT NULL,  -- of the current version
    date INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,  -- when we first saw it
    gone_at INTEGER,  -- no longer visible to our reader since
    views INTEGER,
    forwards INTEGER,
    reply_to INTEGER,
    author TEXT,
    forward TEXT,  -- JSON: where it was forwarded from
    UNIQUE (channel_id, message_id)
);
CREATE INDEX messages_grouped ON messages (channel_id, grouped_id) WHERE grouped_id IS NOT NULL;

CREATE VIEW albums AS  -- messages that belong together; the post's id is the lowest
    SELECT channel_id, grouped_id, min(message_id) AS post_id, count(*) AS items
    FROM messages WHERE grouped_id IS NOT NULL GROUP BY channel_id, grouped_id;

CREATE TABLE versions (  -- what a message said, each time it changed, with the evidence
    id INTEGER PRIMARY KEY,  -- the message's date in seconds << 20 | counter
    channel_id INTEGER NOT NULL,
    message_id INTEGER NOT NULL,
    number INTEGER NOT NULL,  -- from 1
    hash BLOB NOT NULL,  -- SHA-256 of what a reader sees
    text TEXT NOT NULL,
    entities TEXT NOT NULL,  -- JSON
    media TEXT,  -- JSON
    date INTEGER NOT NULL,  -- Telegram's
    edit_date INTEGER,  -- Telegram's
    seen_at INTEGER NOT NULL,
    observed_by TEXT NOT NULL,
    reader_id INTEGER NOT NULL REFERENCES readers (id),
    program TEXT NOT NULL,  -- the version of channelwatch that saw it
    raw BLOB NOT NULL,  -- TL bytes
    layer INTEGER NOT NULL,  -- of these bytes
    raw_sha256 BLOB NOT NULL,
    UNIQUE (channel_id, message_id, number)
);

-- One row a version, by its id: the normalised words, joined by spaces.
CREATE VIRTUAL TABLE fulltext USING fts5(
    words, detail = none, columnsize = 0, tokenize = "unicode61 remove_diacritics 0 tokenchars ''''"
);

CREATE TABLE topics (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,  -- as written
    folded TEXT NOT NULL UNIQUE,  -- case folded by us: SQLite folds ASCII only
    query TEXT NOT NULL,
    compiled TEXT NOT NULL,  -- the query with its forms expanded, so that starting needs no morphology
    builtin INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL
);

CREATE TABLE people (
    id INTEGER PRIMARY KEY,  -- Telegram user id
    role TEXT NOT NULL CHECK (role IN ('owner', 'editor', 'reader')),
    added_at INTEGER NOT NULL
);

CREATE TABLE strangers (  -- who was told once that the bot is private
    id INTEGER PRIMARY KEY,
    told_at INTEGER NOT NULL
);

CREATE TABLE pairings (  -- one-time links
    token_sha256 BLOB PRIMARY KEY,
    role TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE chats (  -- whoever receives alerts
    id INTEGER PRIMARY KEY,
    key BLOB NOT NULL UNIQUE,  -- 16 random bytes given at pairing; part of every alert's identity
    kind TEXT NOT NULL CHECK (kind IN ('user', 'group', 'channel')),
    telegram_id INTEGER NOT NULL,
    access_hash INTEGER NOT NULL DEFAULT 0,
    thread_id INTEGER,
    title TEXT NOT NULL,
    language TEXT NOT NULL DEFAULT 'en',
    time_zone TEXT NOT NULL DEFAULT 'UTC',
    paired_at INTEGER NOT NULL,
    suspended TEXT,  -- why nothing is sent any more: Telegram's error string
    UNIQUE (kind, telegram_id)
);

CREATE TABLE subscriptions (
    chat_id INTEGER NOT NULL REFERENCES chats (id),
    topic_id INTEGER NOT NULL REFERENCES topics (id),
    priority TEXT NOT NULL DEFAULT 'loud' CHECK (priority IN ('loud', 'silent')),
    channels TEXT,  -- JSON list of channel ids it is narrowed to; NULL: all
    created_at INTEGER NOT NULL,
    PRIMARY KEY (chat_id, topic_id)
) WITHOUT ROWID;

CREATE TABLE mutes (
    id INTEGER PRIMARY KEY,
    chat_id INTEGER NOT NULL REFERENCES chats (id),
    channel_id INTEGER,  -- NULL: any channel
    topic_id INTEGER,  -- NULL: any topic
    until INTEGER  -- NULL: for good
);

CREATE TABLE alerts (  -- the outbox
    id INTEGER PRIMARY KEY,
    chat_id INTEGER NOT NULL REFERENCES chats (id),
    kind TEXT NOT NULL,  -- 'post' or 'notice'
    subject TEXT NOT NULL,
    random_id INTEGER NOT NULL,  -- a keyed hash of (chat key, kind, subject)
    channel_id INTEGER,  -- of a post
    post_key TEXT,  -- of a post: g<grouped_id> or m<message_id>
    payload TEXT NOT NULL,  -- JSON: what to render
    silent INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL DEFAULT 'due' CHECK (state IN ('due', 'sent', 'dead')),
    attempts INTEGER NOT NULL DEFAULT 0,
    due_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    sent_at INTEGER,
    message_id INTEGER,  -- in the chat
    reason TEXT,  -- why it died or was put off: Telegram's error string
    UNIQUE (chat_id, kind, subject)
);
CREATE INDEX alerts_due ON alerts (due_at) WHERE state = 'due';
CREATE INDEX alerts_post ON alerts (channel_id, post_key);

CREATE TABLE handled (  -- commands and taps whose effect is committed
    key TEXT PRIMARY KEY,
    at INTEGER NOT NULL,
    answer TEXT NOT NULL DEFAULT ''  -- JSON: what is said to it, also where the update comes again after a crash
) WITHOUT ROWID;

CREATE TABLE heartbeats (  -- when each loop last went round
    loop TEXT PRIMARY KEY,
    at INTEGER NOT NULL
) WITHOUT ROWID;
