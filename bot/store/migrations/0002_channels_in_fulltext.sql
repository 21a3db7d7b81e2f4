-- The first word of each indexed version names its channel, so that a search in one channel reads no other's posts.
UPDATE fulltext SET words =
    '''c''' || (SELECT channel_id FROM versions WHERE versions.id = fulltext.rowid) || ' ' || words;
