-- Which topics were saved or deleted, in order, so that whoever holds them reads no more than what changed.
CREATE TABLE topic_changes (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    topic_id INTEGER NOT NULL UNIQUE  -- only its last change is kept
);
INSERT INTO topic_changes (topic_id) SELECT id FROM topics ORDER BY id;

-- A conflict clause inside a trigger gives way to that of the statement outside: hence no INSERT OR REPLACE.
CREATE TRIGGER topic_made AFTER INSERT ON topics BEGIN
    DELETE FROM topic_changes WHERE topic_id = new.id;
    INSERT INTO topic_changes (topic_id) VALUES (new.id);
END;
CREATE TRIGGER topic_saved AFTER UPDATE ON topics BEGIN
    DELETE FROM topic_changes WHERE topic_id = new.id;
    INSERT INTO topic_changes (topic_id) VALUES (new.id);
END;
CREATE TRIGGER topic_deleted AFTER DELETE ON topics BEGIN
    DELETE FROM topic_changes WHERE topic_id = old.id;
    INSERT INTO topic_changes (topic_id) VALUES (old.id);
END;
