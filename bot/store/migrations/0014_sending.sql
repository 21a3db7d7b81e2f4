-- What waits, from either end, without a look at the rows: a chat that is served already may have thousands.
DROP INDEX alerts_due;
CREATE INDEX alerts_due ON alerts (due_at, id, chat_id) WHERE state = 'due';
CREATE INDEX alerts_of_chat_due ON alerts (chat_id, id, due_at) WHERE state = 'due';  -- the first ones of a chat
CREATE INDEX alerts_dead ON alerts (id) WHERE state = 'dead';
CREATE INDEX chats_suspended ON chats (id) WHERE suspended IS NOT NULL;

ALTER TABLE chats ADD COLUMN held_until INTEGER;  -- nothing is sent before: an alert was refused, and those behind it wait
CREATE INDEX chats_held ON chats (held_until) WHERE held_until IS NOT NULL;
