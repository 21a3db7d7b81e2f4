ALTER TABLE channels ADD COLUMN read_by INTEGER REFERENCES readers (id);  -- the reader that sees to it; NULL: not decided
ALTER TABLE channels ADD COLUMN fast INTEGER NOT NULL DEFAULT 0;  -- asked for changes all the time
ALTER TABLE channels ADD COLUMN verified_at INTEGER;  -- when the verifying round last went through it
ALTER TABLE channels ADD COLUMN verify_from INTEGER;  -- the id below which that round goes on; NULL: it begins anew

ALTER TABLE readers ADD COLUMN lost TEXT;  -- why it cannot read any more: Telegram's error string
