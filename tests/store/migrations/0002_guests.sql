-- What a later migration does: a column is added, and a table whose CHECK changes is made anew.
ALTER TABLE topics ADD COLUMN colour TEXT NOT NULL DEFAULT 'grey';

CREATE TABLE people_anew (
    id INTEGER PRIMARY KEY,
    role TEXT NOT NULL CHECK (role IN ('owner', 'editor', 'reader', 'guest')),
    added_at INTEGER NOT NULL
);
INSERT INTO people_anew SELECT id, role, added_at FROM people;
DROP TABLE people;
ALTER TABLE people_anew RENAME TO people;
