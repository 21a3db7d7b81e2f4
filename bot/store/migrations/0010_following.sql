ALTER TABLE follows ADD COLUMN fast INTEGER;  -- how it is to be followed: 1 or 0, NULL where nobody said
ALTER TABLE follows ADD COLUMN may_join INTEGER;  -- likewise
ALTER TABLE follows ADD COLUMN history INTEGER;  -- posts of its past that are to be read; NULL: the newest only
ALTER TABLE channels ADD COLUMN may_join INTEGER NOT NULL DEFAULT 1;  -- 0: it is read from outside for good

CREATE TABLE pasts (  -- how far back somebody wants channels read
    id INTEGER PRIMARY KEY,
    channel_id INTEGER NOT NULL REFERENCES channels (id),
    chat_id INTEGER NOT NULL REFERENCES chats (id),
    asked_at INTEGER NOT NULL,  -- what a chat asked in one moment is one piece of work
    wanted INTEGER NOT NULL,  -- posts
    read INTEGER NOT NULL DEFAULT 0,  -- posts so far
    below INTEGER,  -- the id under which to go on; NULL: begin at the newest
    ended TEXT,  -- 'done', or Telegram's error string; NULL: it goes on
    UNIQUE (chat_id, asked_at, channel_id)
);

CREATE TABLE progress (  -- the one message in which a chat sees how a piece of work goes
    id INTEGER PRIMARY KEY,
    chat_id INTEGER NOT NULL REFERENCES chats (id),
    asked_at INTEGER NOT NULL,
    message_id INTEGER,  -- in the chat; NULL: not sent yet
    shown TEXT,  -- the figures that the message shows
    next_at INTEGER NOT NULL,  -- not to be edited before
    UNIQUE (chat_id, asked_at)
);
