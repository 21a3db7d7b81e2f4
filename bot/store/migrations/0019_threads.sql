ALTER TABLE subscriptions ADD COLUMN thread_id INTEGER;  -- the forum thread for its alerts, 1 the general one; NULL: the chat's own
ALTER TABLE alerts ADD COLUMN thread_id INTEGER;  -- the forum thread that it goes to; NULL or 1: the general one, or no forum

UPDATE alerts SET thread_id = (SELECT c.thread_id FROM chats c WHERE c.id = alerts.chat_id)
    WHERE chat_id IN (SELECT id FROM chats WHERE thread_id IS NOT NULL);
