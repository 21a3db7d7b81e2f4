CREATE TABLE uptimes (  -- when each reader account could hear: of what was posted outside of these spans, nothing was pushed
    reader_id INTEGER NOT NULL REFERENCES readers (id),
    began INTEGER NOT NULL,
    ended INTEGER NOT NULL,  -- when Telegram last answered
    PRIMARY KEY (reader_id, began)
) WITHOUT ROWID;
