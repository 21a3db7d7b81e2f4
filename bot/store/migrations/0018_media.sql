ALTER TABLE chats ADD COLUMN media INTEGER NOT NULL DEFAULT 0;  -- 1: an alert brings the photo or document of its post
ALTER TABLE alerts ADD COLUMN media INTEGER;  -- of a post with files: 1 it goes with media, 0 as a text; NULL: not decided

CREATE TABLE media (  -- files of versions in which a topic was found
    id INTEGER PRIMARY KEY,
    version_id INTEGER NOT NULL UNIQUE REFERENCES versions (id),
    kind TEXT NOT NULL,  -- 'photo' or 'document'
    file_id INTEGER NOT NULL,  -- Telegram's
    state TEXT NOT NULL DEFAULT 'wanted' CHECK (state IN ('wanted', 'kept', 'left')),
    wanted_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,  -- when to try next
    attempts INTEGER NOT NULL DEFAULT 0,
    reason TEXT,  -- why it was left, or put off: Telegram's error string or a word of ours
    sha256 BLOB,  -- from here on of a kept one: its place in DATA_DIR/media
    size INTEGER,  -- bytes; also of one that is too large
    mime TEXT,
    name TEXT,  -- as the channel called it; data, never a path
    kept_at INTEGER,
    reader_id INTEGER REFERENCES readers (id)  -- through which it came
);
CREATE INDEX media_wanted ON media (due_at) WHERE state = 'wanted';
CREATE INDEX media_files ON media (file_id) WHERE state = 'kept';

CREATE TABLE uploads (  -- files that our bot has uploaded, as it may name them again
    bot_id INTEGER NOT NULL,  -- its account: another bot cannot name them
    sha256 BLOB NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,  -- under which it was uploaded; empty where it has none
    file_id INTEGER NOT NULL,
    access_hash INTEGER NOT NULL,
    reference BLOB NOT NULL,  -- expires
    uploaded_at INTEGER NOT NULL,
    PRIMARY KEY (bot_id, sha256, kind, name)
) WITHOUT ROWID;
