-- What a reader sees beside the text: JSON, [kind, text] each. NULL: stored before such was kept, so nobody knows.
ALTER TABLE versions ADD COLUMN asides TEXT;

CREATE TABLE asides (  -- what came to stand beside a version after it was seen, such as a link's preview, as evidence
    id INTEGER PRIMARY KEY,
    version_id INTEGER NOT NULL REFERENCES versions (id),
    seen_at INTEGER NOT NULL,
    observed_by TEXT NOT NULL,
    reader_id INTEGER NOT NULL REFERENCES readers (id),
    program TEXT NOT NULL,
    raw BLOB NOT NULL,  -- TL bytes of the message
    layer INTEGER NOT NULL,
    raw_sha256 BLOB NOT NULL
);
CREATE INDEX asides_version ON asides (version_id);

ALTER TABLE messages ADD COLUMN reactions INTEGER;
ALTER TABLE messages ADD COLUMN reply_channel INTEGER;  -- of reply_to, where it is not the message's own
