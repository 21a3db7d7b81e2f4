ALTER TABLE topics ADD COLUMN on_by_default INTEGER NOT NULL DEFAULT 0;  -- whether pairing subscribes the owner
