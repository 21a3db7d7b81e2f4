ALTER TABLE chats ADD COLUMN edits TEXT NOT NULL DEFAULT 'words' CHECK (edits IN ('all', 'words', 'none'));  -- that replies tell of

-- Beside 'post' and 'notice' there are 'repeat' (a post that says what an alert said and joins it), 'edit' (an alert is
-- to show what has become of its post) and 'change' (a reply to an alert that tells what that is).
ALTER TABLE alerts ADD COLUMN follows INTEGER REFERENCES alerts (id);  -- the alert that it joins, edits or answers
ALTER TABLE alerts ADD COLUMN words TEXT;  -- of a post: a hash of the folded words that the alert shows
CREATE INDEX alerts_follows ON alerts (follows) WHERE follows IS NOT NULL;
CREATE INDEX alerts_words ON alerts (words, chat_id) WHERE words IS NOT NULL;
