CREATE TABLE flood_waits (  -- methods that Telegram wants a reader to leave alone
    reader_id INTEGER NOT NULL REFERENCES readers (id),
    method TEXT NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (reader_id, method)
) WITHOUT ROWID;

CREATE TABLE requests (  -- how often a reader asked Telegram
    reader_id INTEGER NOT NULL REFERENCES readers (id),
    hour INTEGER NOT NULL,  -- of the Unix epoch
    method TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (reader_id, hour, method)
) WITHOUT ROWID;
