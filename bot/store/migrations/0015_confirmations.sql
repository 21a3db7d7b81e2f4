ALTER TABLE chats ADD COLUMN confirmations INTEGER NOT NULL DEFAULT 0;  -- whether the second channel to say the same is told in a reply, with sound
