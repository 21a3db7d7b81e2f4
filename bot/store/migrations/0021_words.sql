-- What a channel says word by word each day is looked up among what was told lately.
DROP INDEX alerts_words;
CREATE INDEX alerts_words ON alerts (words, chat_id, created_at) WHERE words IS NOT NULL;
