-- Times are Unix milliseconds, UTC. Channel and account ids are Telegram's bare ids, those of channels elsewhere are ours
-- and below zero. What a button names and people can delete never gives its number to another row (AUTOINCREMENT): an
-- old button would act on that.

-- What may grow for ever, and why. The archive is what the program is for: posts, versions, part_evidence, ledger,
-- ledger_heads, signing_keys, stamps, proofs, fulltext, long_posts, post_copies, pictures, translations, site_entries, captures, and media,
-- whose files have a limit of their own (MEDIA_MAX_TOTAL_GB). What was sent stays known, a third of a kilobyte an alert: alerts, messages, groups, attachments.
-- For an edit or a deletion is followed however late, a post that is edited back into a topic is no news, and feedback
-- counts them. `bot/store/housekeeping.py` clears handled, mutes, invitations, acts, enquiries, strangers, uploads,
-- page_looks and target_urls, each writing of requests clears that table. All others have as many rows as there are
-- channels, chats, readers, or things that people made with a command of theirs.


-- The instance itself

CREATE TABLE meta (  -- single facts: the outbox secret, the bot's username
    key TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE heartbeats (  -- when each loop last went round
    loop TEXT PRIMARY KEY,
    at INTEGER NOT NULL
) WITHOUT ROWID;


-- Readers: accounts that read channels

CREATE TABLE readers (
    id INTEGER PRIMARY KEY,  -- the number that evidence carries instead of a name
    account_id INTEGER NOT NULL UNIQUE,
    added_at INTEGER NOT NULL,
    session TEXT,  -- the name of its file: an account logged in there takes this one's place
    lost TEXT  -- why it cannot read any more: Telegram's error string; NULL: it can
);

CREATE TABLE requests (  -- how often a reader asked Telegram
    reader_id INTEGER NOT NULL REFERENCES readers (id),
    hour INTEGER NOT NULL,  -- of the Unix epoch
    method TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (reader_id, hour, method)
) WITHOUT ROWID;

CREATE TABLE flood_waits (  -- methods that Telegram wants a reader to leave alone
    reader_id INTEGER NOT NULL REFERENCES readers (id),
    method TEXT NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (reader_id, method)
) WITHOUT ROWID;


-- Channels: what is watched, how far it is complete, and who asked for it

CREATE TABLE channels (
    id INTEGER PRIMARY KEY,
    network TEXT NOT NULL DEFAULT 'telegram' CHECK (network IN ('telegram', 'site')),
    kind TEXT NOT NULL CHECK (kind IN ('broadcast', 'supergroup')),
    title TEXT NOT NULL,
    username TEXT,  -- as written, without @; NULL for a private channel, and outside Telegram
    address TEXT UNIQUE,  -- where it is read: the URL of a site's feed; NULL on Telegram
    followed_at INTEGER,  -- NULL: nobody wants it any more; posts older than this raise no alarm
    unfollowed_at INTEGER,  -- when that came to be; its readers leave it only once nobody can undo that
    restricted INTEGER NOT NULL DEFAULT 0,  -- 1: only the chats of channel_access find it
    comments_of INTEGER REFERENCES channels (id),  -- of a supergroup: the channel whose posts are commented on there
    fast INTEGER NOT NULL DEFAULT 0,  -- asked for changes all the time
    may_join INTEGER NOT NULL DEFAULT 1,  -- 0: it is read from outside for good
    ocr INTEGER NOT NULL DEFAULT 0,  -- 1: a program reads the text in its pictures
    witness INTEGER,  -- 1: its web page is compared with the archive each hour, 0: not; NULL: where it is fast
    witnessed_at INTEGER,  -- when that was last done
    read_by INTEGER REFERENCES readers (id),  -- the reader that it is assigned to; NULL: none yet
    confirmed_id INTEGER NOT NULL DEFAULT 0,  -- every message up to this one is stored; only the sweep moves it
    seen_pts INTEGER NOT NULL DEFAULT 0,  -- the pts up to which changes are applied; 0: ask again
    complete_id INTEGER,  -- from this message to confirmed_id all are stored; NULL: nothing is known of it
    complete_from INTEGER,  -- its date; 0: it is the channel's first one
    swept_at INTEGER,  -- when the sweep last found or made it complete
    verified_at INTEGER,  -- when the verifying round last went through it
    verify_from INTEGER,  -- the id below which that round goes on; NULL: it begins anew
    verify_began INTEGER,  -- when that round began
    -- Since when edits and deletions may be missing, as the changes cannot be had from Telegram; NULL: none are
    unchecked_since INTEGER,
    doubted_at INTEGER,  -- only a verifying round that begins after this finds what is missing; NULL: the changes will do
    withheld TEXT,  -- JSON: where the network withholds it and why, [platform, reason, text] each; NULL: nowhere
    withheld_at INTEGER  -- when we first saw it so; NULL: it never was withheld
);
CREATE INDEX channels_comments ON channels (comments_of) WHERE comments_of IS NOT NULL;

CREATE TABLE memberships (  -- how each reader reaches each channel: access hashes are per account
    reader_id INTEGER NOT NULL REFERENCES readers (id),
    channel_id INTEGER NOT NULL REFERENCES channels (id),
    access_hash INTEGER NOT NULL,
    access TEXT NOT NULL CHECK (access IN ('polled', 'joined', 'pending', 'lost')),
    reason TEXT,  -- why access was lost, as Telegram's error string
    joined_at INTEGER,
    PRIMARY KEY (reader_id, channel_id)
) WITHOUT ROWID;

CREATE TABLE page_readings (  -- channels that are read through their web pages, as no reader can read them
    channel_id INTEGER PRIMARY KEY REFERENCES channels (id),
    since INTEGER NOT NULL,
    read_at INTEGER,  -- when its page was last read; NULL: not yet
    last_id INTEGER NOT NULL,  -- all messages up to this one that its pages show are stored
    gap_below INTEGER,  -- between last_id and this one something is missing; NULL: nothing
    trouble TEXT,  -- why its page cannot be read, a word of ours; NULL: it can
    trouble_since INTEGER,
    answers INTEGER NOT NULL DEFAULT 0  -- that said so
);

CREATE TABLE unreadable (  -- messages that are there, in terms of a newer Telegram than this program, or of no web page
    channel_id INTEGER NOT NULL REFERENCES channels (id),
    message_id INTEGER NOT NULL,
    constructor INTEGER,  -- the first one of TL that was unknown; NULL: the bytes made no sense
    since INTEGER NOT NULL,
    program TEXT NOT NULL,  -- the version of channelwatch that tried last …
    layer INTEGER NOT NULL,  -- … and its layer of TL; any other tries again. 0: the channel's web page does not show it
    notified_at INTEGER,  -- when the owners had a notice that counts it
    PRIMARY KEY (channel_id, message_id)
) WITHOUT ROWID;

CREATE TABLE sites (  -- channels of websites: how each is read, by its feed at `address`
    channel_id INTEGER PRIMARY KEY REFERENCES channels (id),
    access TEXT NOT NULL DEFAULT 'polled' CHECK (access IN ('polled', 'lost')),  -- lost: it could not be read for long …
    reason TEXT,  -- … for this reason, a word of ours
    etag TEXT,  -- of the last answer …
    modified TEXT,  -- … and its date as the site wrote it: what is no newer is not sent again
    failures INTEGER NOT NULL DEFAULT 0,  -- in a row
    failed_since INTEGER,
    due_at INTEGER NOT NULL  -- when it is read next
);

CREATE TABLE site_entries (  -- the message that each entry of a site's feed is
    channel_id INTEGER NOT NULL REFERENCES channels (id),
    guid TEXT NOT NULL,  -- the entry's name in its feed
    message_id INTEGER NOT NULL,  -- ours, from 1
    hash BLOB,  -- of its plain text as stored; NULL: it may not be stored yet
    PRIMARY KEY (channel_id, guid)
) WITHOUT ROWID;
CREATE INDEX site_entries_message ON site_entries (channel_id, message_id);

CREATE TABLE silences (  -- channels that are unusually silent, of which people have a notice
    channel_id INTEGER PRIMARY KEY REFERENCES channels (id),
    since INTEGER NOT NULL  -- the date of its last post
);

CREATE TABLE follows (  -- what people asked to follow, until it is a channel or refused
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    reference TEXT NOT NULL UNIQUE,  -- '@name' in lower case, '+hash', an id, or the address of a site
    chat_id INTEGER REFERENCES chats (id),  -- gets a notice of how it went; NULL: asked for by the settings
    asked_at INTEGER NOT NULL,
    fast INTEGER,  -- how it is to be followed: 1 or 0, NULL where nobody said
    may_join INTEGER,  -- likewise
    ocr INTEGER,  -- likewise
    witness INTEGER,  -- likewise
    comments INTEGER,  -- likewise, of the comments on its posts
    history INTEGER,  -- posts of its past that are to be read; NULL: the newest only
    access TEXT,  -- JSON: ids of the chats that alone shall find it; NULL: it is everybody's
    channel_groups TEXT NOT NULL DEFAULT '[]',  -- JSON: ids of the channel groups that it is to join
    feeds TEXT NOT NULL DEFAULT '[]',  -- JSON: ids of the chats that want all its posts
    state TEXT NOT NULL CHECK (state IN ('wanted', 'followed', 'refused')),
    channel_id INTEGER REFERENCES channels (id),
    reason TEXT,  -- why it was refused: Telegram's error string or a word of ours
    next_try_at INTEGER NOT NULL
);

CREATE TABLE channel_groups (  -- channels under one name, for topics, searches and mutes
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,  -- as written
    folded TEXT NOT NULL UNIQUE  -- case folded by us: SQLite folds ASCII only
);

CREATE TABLE channel_group_members (
    channel_group_id INTEGER NOT NULL REFERENCES channel_groups (id),
    channel_id INTEGER NOT NULL REFERENCES channels (id),
    PRIMARY KEY (channel_group_id, channel_id)
) WITHOUT ROWID;
CREATE INDEX channel_group_members_channel ON channel_group_members (channel_id);

CREATE TABLE backfills (  -- how far back channels are to be read
    id INTEGER PRIMARY KEY,
    channel_id INTEGER NOT NULL REFERENCES channels (id),
    chat_id INTEGER REFERENCES chats (id),  -- that asked and sees the progress; NULL: nobody, it is done for any channel
    asked_at INTEGER NOT NULL,  -- what a chat asked in one moment is one piece of work
    wanted INTEGER,  -- posts; NULL: those …
    since INTEGER,  -- … from this date on
    read INTEGER NOT NULL DEFAULT 0,  -- posts so far
    below INTEGER,  -- the id under which to go on; NULL: begin at the newest, or where the channel is complete
    reached INTEGER,  -- the date of the oldest post read
    ended TEXT,  -- 'done', or Telegram's error string; NULL: it goes on
    CHECK ((wanted IS NULL) != (since IS NULL)),
    UNIQUE (chat_id, asked_at, channel_id)
);
CREATE UNIQUE INDEX backfills_unasked ON backfills (channel_id) WHERE chat_id IS NULL;

CREATE TABLE enquiries (  -- what chats want to know that only a reader can ask Telegram
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    chat_id INTEGER NOT NULL REFERENCES chats (id),
    kind TEXT NOT NULL CHECK (kind IN ('similar', 'posts', 'comments')),
    channel_id INTEGER REFERENCES channels (id),  -- that it is about
    words TEXT,  -- that are looked for
    may_follow INTEGER NOT NULL,  -- 1: who asked may follow what is found
    asked_at INTEGER NOT NULL,
    due_at INTEGER,  -- when it is to be asked; NULL: it is answered
    answer TEXT  -- JSON
);
CREATE INDEX enquiries_due ON enquiries (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE progress (  -- the one message in which a chat sees how the channels of a list and its backfills go
    id INTEGER PRIMARY KEY,
    chat_id INTEGER NOT NULL REFERENCES chats (id),
    asked_at INTEGER NOT NULL,
    listed INTEGER NOT NULL DEFAULT 0,  -- 1: it shows how each channel went that was asked for at this moment …
    below TEXT NOT NULL DEFAULT '',  -- … and this under them
    message_id INTEGER,  -- in the chat; NULL: not sent yet
    shown TEXT,  -- the figures that the message shows
    next_at INTEGER NOT NULL,  -- not to be edited before
    UNIQUE (chat_id, asked_at)
);


-- Posts: what channels said, each version with its evidence, its words and its files

CREATE TABLE posts (  -- messages of channels: a post is one of them, or an album of several
    id INTEGER PRIMARY KEY,  -- date in seconds << 20 | counter, so that newest first is the order of the rows
    channel_id INTEGER NOT NULL REFERENCES channels (id),
    message_id INTEGER NOT NULL,  -- the network's own, or ours where it has none; a story's number is below zero
    grouped_id INTEGER,  -- what the messages of an album share
    -- Names the post within its channel: the album where there is one, else the message.
    post_key TEXT NOT NULL GENERATED ALWAYS AS (coalesce('g' || nullif(grouped_id, 0), 'm' || message_id)) VIRTUAL,
    version_id INTEGER NOT NULL,  -- the current version
    date INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,  -- when we first saw it
    gone_at INTEGER,  -- no longer visible to our reader since …
    gone_by TEXT,  -- … by what path that was seen: a network tells deletions, or a message is missing where it is read again
    withheld TEXT,  -- JSON: where the network withholds it and why, [platform, reason, text] each; NULL: nowhere
    views INTEGER,
    forwards INTEGER,
    reactions INTEGER,
    reply_to INTEGER,
    reply_channel INTEGER,  -- of reply_to, where it is not the message's own
    author TEXT,
    forward TEXT,  -- JSON: where it was forwarded from
    link TEXT,  -- NULL: it follows from the channel and message_id
    root_id INTEGER,  -- of an answer in a supergroup: the first of the messages that lead to it
    UNIQUE (channel_id, message_id)
);
CREATE INDEX posts_key ON posts (channel_id, post_key, message_id);  -- the messages of a post, in their order
CREATE INDEX posts_link ON posts (link) WHERE link IS NOT NULL;
CREATE INDEX posts_dates ON posts (channel_id, date, grouped_id);  -- when each channel spoke, and how often
CREATE INDEX posts_gone ON posts (gone_at) WHERE gone_at IS NOT NULL;
CREATE INDEX posts_root ON posts (channel_id, root_id) WHERE root_id IS NOT NULL;

-- Messages that Telegram puts into a channel's supergroup for its posts: what answers them are the comments. They are no
-- posts themselves.
CREATE TABLE post_copies (
    channel_id INTEGER NOT NULL REFERENCES channels (id),  -- the supergroup
    message_id INTEGER NOT NULL,  -- there
    post_id INTEGER,  -- the post's in its channel; NULL: the message is no copy, or gone
    PRIMARY KEY (channel_id, message_id)
) WITHOUT ROWID;

CREATE TABLE versions (  -- what a message said, each time it changed, with the evidence
    id INTEGER PRIMARY KEY,  -- the message's date in seconds << 20 | counter
    channel_id INTEGER NOT NULL,
    message_id INTEGER NOT NULL,
    number INTEGER NOT NULL,  -- from 1
    hash BLOB NOT NULL,  -- SHA-256 of what a reader sees
    text TEXT NOT NULL,
    entities TEXT NOT NULL,  -- JSON: the fields of each in their order
    parts TEXT NOT NULL,  -- JSON: the texts beside its body, [kind, text] each
    media TEXT,  -- JSON: kind, id, title, files
    media_kind TEXT GENERATED ALWAYS AS (media ->> 0) VIRTUAL,
    media_id INTEGER GENERATED ALWAYS AS (media ->> 1) VIRTUAL,  -- Telegram's; NULL: it has none
    date INTEGER NOT NULL,  -- the network's
    edit_date INTEGER,  -- likewise
    seen_at INTEGER NOT NULL,
    observed_by TEXT NOT NULL,
    reader_id INTEGER REFERENCES readers (id),  -- NULL: it was seen without an account
    program TEXT NOT NULL,  -- the version of channelwatch that saw it
    raw_rest BLOB NOT NULL,  -- the message as its network gave it, without the text that is in this row
    text_at INTEGER,  -- where it was in these bytes; NULL: they are whole
    -- The bytes: the evidence
    raw BLOB NOT NULL GENERATED ALWAYS AS (coalesce(
        CAST(substr(raw_rest, 1, text_at) || text || substr(raw_rest, text_at + 1) AS BLOB), raw_rest)) VIRTUAL,
    raw_format TEXT NOT NULL CHECK (raw_format IN ('tl', 'json', 'html')),
    layer INTEGER,  -- of TL
    raw_sha256 BLOB NOT NULL,
    UNIQUE (channel_id, message_id, number)
);
-- A post as one of its versions had it. Not for a LEFT JOIN, for which SQLite would read all of it first.
CREATE VIEW post_versions AS
    SELECT p.id, p.channel_id, c.title AS channel_title, c.username AS channel_username, p.message_id, p.grouped_id,
        p.post_key, p.date, v.edit_date, v.text, v.parts, v.entities, v.media, p.forward, p.reply_to, p.reply_channel,
        CASE WHEN c.comments_of IS NOT NULL THEN (SELECT json_array(o.id, o.title, o.username, k.post_id)
            FROM channels o LEFT JOIN post_copies k ON k.channel_id = p.channel_id AND k.message_id = p.root_id
            WHERE o.id = c.comments_of) END AS commented,
        p.author, p.link AS own_link, p.gone_at, p.gone_by, p.views, p.forwards, p.reactions,
        v.id AS version_id, v.id = p.version_id AS is_current, v.number, v.seen_at, v.observed_by,
        EXISTS (SELECT 1 FROM long_posts l WHERE l.channel_id = v.channel_id AND l.message_id = v.message_id
            AND l.head = v.hash AND l.state != 'whole') AS is_part
    FROM versions v JOIN posts p ON p.channel_id = v.channel_id AND p.message_id = v.message_id
    JOIN channels c ON c.id = p.channel_id;

-- Posts that a sweep found first: Telegram had not pushed them.
CREATE INDEX versions_asked_for ON versions (channel_id) WHERE number = 1 AND observed_by IN ('difference', 'sweep');

CREATE TABLE part_evidence (  -- what came to a version after it was seen: a link's preview, the rest of a long post
    id INTEGER PRIMARY KEY,
    version_id INTEGER NOT NULL REFERENCES versions (id),
    seen_at INTEGER NOT NULL,
    observed_by TEXT NOT NULL,
    reader_id INTEGER REFERENCES readers (id),  -- NULL: it was seen without an account
    program TEXT NOT NULL,
    raw_rest BLOB NOT NULL,  -- the message as its network gave it, without the text of the version
    text_at INTEGER,  -- where it was in these bytes; NULL: they are whole
    raw_format TEXT NOT NULL,
    layer INTEGER,  -- of TL
    raw_sha256 BLOB NOT NULL
);
CREATE INDEX part_evidence_version ON part_evidence (version_id);
CREATE VIEW part_messages AS  -- the same with the bytes of the message
    SELECT e.*, coalesce(
        CAST(substr(e.raw_rest, 1, e.text_at) || v.text || substr(e.raw_rest, e.text_at + 1) AS BLOB), e.raw_rest) AS raw
    FROM part_evidence e JOIN versions v ON v.id = e.version_id;
-- Where more of a text comes to its version, what was seen before keeps its own.
CREATE TRIGGER text_replaced AFTER UPDATE OF text ON versions BEGIN
    UPDATE versions SET raw_rest = old.raw, text_at = NULL WHERE id = new.id;
    UPDATE part_evidence SET raw_rest = CAST(substr(raw_rest, 1, text_at) || old.text || substr(raw_rest, text_at + 1) AS BLOB),
        text_at = NULL WHERE version_id = new.id AND text_at IS NOT NULL;
    DELETE FROM translations WHERE version_id = new.id;  -- of the beginning
END;

CREATE TABLE redactions (  -- versions whose words were removed for good; hashes and lines of the ledger stay
    channel_id INTEGER NOT NULL,
    message_id INTEGER NOT NULL,
    number INTEGER NOT NULL,  -- of the version
    at INTEGER NOT NULL,
    reason TEXT NOT NULL,
    words BLOB,  -- hash of the words of the text, or of the parts without one, that do not come back; NULL: there were none
    PRIMARY KEY (channel_id, message_id, number)
) WITHOUT ROWID;

-- What was seen, in the order in which it was written down; `bot/store/ledger.py` says how each hash follows from the one
-- before it and from this row. Nobody changes a line, us included.
CREATE TABLE ledger (
    sequence INTEGER PRIMARY KEY,  -- from 1, without a gap
    hash BLOB NOT NULL,
    kind TEXT NOT NULL,
    seen_at INTEGER NOT NULL,  -- our time
    date INTEGER,  -- Telegram's time, of the post or its edit; NULL: it tells none
    channel_id INTEGER,
    message_id INTEGER,
    number INTEGER,  -- of the version
    sha256 BLOB,  -- of the message as its network gave it; of one that is gone, as it gave it last
    content BLOB,  -- SHA-256 of what a reader sees of it
    source TEXT,
    reader_id INTEGER,
    detail TEXT  -- why, or of what
);
CREATE INDEX ledger_losses ON ledger (sequence) WHERE kind = 'account_lost';
CREATE INDEX ledger_turns ON ledger (channel_id, message_id) WHERE kind IN ('deletion', 'missing', 'seen_again');
CREATE TRIGGER ledger_changed BEFORE UPDATE ON ledger BEGIN
    SELECT RAISE(ABORT, 'a line of the ledger is never changed');
END;
CREATE TRIGGER ledger_deleted BEFORE DELETE ON ledger BEGIN
    SELECT RAISE(ABORT, 'a line of the ledger is never deleted');
END;
CREATE TRIGGER ledger_added BEFORE INSERT ON ledger  -- REPLACE would delete a line, and no trigger be asked
WHEN NEW.sequence <= (SELECT max(sequence) FROM ledger) BEGIN
    SELECT RAISE(ABORT, 'a line of the ledger is never replaced or added before another');
END;

CREATE TABLE signing_keys (  -- that sign the ledger, the present one last; their private halves are in files
    id INTEGER PRIMARY KEY,
    public BLOB NOT NULL UNIQUE,  -- Ed25519
    since INTEGER NOT NULL,
    handover BLOB,  -- signature of the key before it over this one; NULL: there was none, or it was lost
    acceptance BLOB  -- signature of this key over the one before it
);

CREATE TABLE ledger_heads (  -- the end of the ledger at a moment, signed
    id INTEGER PRIMARY KEY,
    sequence INTEGER NOT NULL,
    hash BLOB NOT NULL,
    text TEXT NOT NULL,  -- canonical JSON: what is signed and stamped
    signed_at INTEGER NOT NULL,
    key_id INTEGER NOT NULL REFERENCES signing_keys (id),
    signature BLOB NOT NULL
);
CREATE INDEX ledger_heads_sequence ON ledger_heads (sequence);

CREATE TABLE stamps (  -- what authorities of time answered of heads: RFC 3161
    head_id INTEGER NOT NULL REFERENCES ledger_heads (id),
    authority TEXT NOT NULL,  -- its URL
    reply BLOB,  -- its TimeStampResp, in DER; NULL: it gave none
    stamped_at INTEGER,  -- by its own clock
    tried_at INTEGER NOT NULL,
    reason TEXT,  -- why it gave none
    PRIMARY KEY (head_id, authority)
) WITHOUT ROWID;

CREATE TABLE proofs (  -- of OpenTimestamps: that a block of Bitcoin holds the hash of a head
    head_id INTEGER PRIMARY KEY REFERENCES ledger_heads (id),
    file BLOB,  -- as others' tools read it; NULL: no calendar has taken the head
    submitted_at INTEGER,  -- when a calendar took it
    tried_at INTEGER NOT NULL,
    promises INTEGER NOT NULL,  -- of calendars to bring it into a block that are not kept yet
    block INTEGER,  -- its height, as a calendar says; NULL: pending, which proves nothing
    reason TEXT  -- why calendars gave nothing at the last try
);
CREATE INDEX proofs_promised ON proofs (head_id) WHERE promises > 0;

CREATE TABLE page_looks (  -- how web pages show messages that Telegram has told us, or that they show no more
    channel_id INTEGER NOT NULL REFERENCES channels (id),
    message_id INTEGER NOT NULL,
    plain BLOB,  -- hash of the plain form of its text, as the page showed it last; NULL: nobody has compared it
    seen_at INTEGER,  -- when it was first shown so
    missing_since INTEGER,  -- the page shows the messages before and after it; NULL: it is not missing
    not_found_at INTEGER,  -- when its own page first said that there is no such post; the second time it is gone
    PRIMARY KEY (channel_id, message_id)
) WITHOUT ROWID;

CREATE TABLE captures (  -- public pages of messages as they were at one moment: those that are wanted, and what came
    id INTEGER PRIMARY KEY,
    version_id INTEGER NOT NULL REFERENCES versions (id),  -- that the message had when its page was wanted
    cause TEXT NOT NULL CHECK (cause IN ('case', 'alert', 'export')),
    -- wanted: it is asked for. kept: what came is here. left: there is none.
    state TEXT NOT NULL CHECK (state IN ('wanted', 'kept', 'left')),
    wanted_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,  -- when to ask next
    attempts INTEGER NOT NULL DEFAULT 0,
    outcome TEXT,  -- what the page shows, or why there is none; NULL: nobody knows yet
    detail TEXT,
    at INTEGER,  -- from here on of a kept one: when it came
    url TEXT,
    status INTEGER,  -- of HTTP
    headers TEXT,  -- JSON
    sha256 BLOB,  -- of the page: its place in DATA_DIR/media
    size INTEGER  -- bytes
);
CREATE INDEX captures_version ON captures (version_id);
CREATE INDEX captures_wanted ON captures (due_at) WHERE state = 'wanted';
CREATE INDEX captures_blobs ON captures (sha256, size) WHERE state = 'kept';

CREATE TABLE long_posts (  -- messages of which Telegram gives the beginning, and the rest only to those who ask
    channel_id INTEGER NOT NULL,
    message_id INTEGER NOT NULL,
    head BLOB NOT NULL,  -- hash of the beginning; that of a version of which no more is here
    edit_date INTEGER,  -- Telegram's, of this beginning
    -- whole: the rest is here. wanted: it is asked for. left: Telegram refuses it.
    state TEXT NOT NULL CHECK (state IN ('whole', 'wanted', 'left')),
    due_at INTEGER,  -- when it is asked for, or asked for again: two edits of one second have the same beginning and date
    attempts INTEGER NOT NULL DEFAULT 0,  -- that failed
    reason TEXT,  -- why: Telegram's error string
    PRIMARY KEY (channel_id, message_id)
) WITHOUT ROWID;
CREATE INDEX long_posts_due ON long_posts (due_at) WHERE due_at IS NOT NULL;

-- One row a version, by its id: the normalised words, joined by spaces. The first word names its channel, so that a
-- search in one channel reads no other's posts.
CREATE VIRTUAL TABLE fulltext USING fts5(
    words, detail = none, columnsize = 0, tokenize = "unicode61 remove_diacritics 0 tokenchars ''''"
);

CREATE TABLE media (  -- files of versions in which a topic was found, and photos whose text is to be read
    id INTEGER PRIMARY KEY,
    version_id INTEGER NOT NULL REFERENCES versions (id),
    kind TEXT NOT NULL,  -- 'photo' or 'document'
    file_id INTEGER NOT NULL,  -- Telegram's
    state TEXT NOT NULL DEFAULT 'wanted' CHECK (state IN ('wanted', 'kept', 'left')),
    wanted_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,  -- when to try next
    attempts INTEGER NOT NULL DEFAULT 0,
    reason TEXT,  -- why it was left, or put off: Telegram's error string or a word of ours
    sha256 BLOB,  -- from here on of a kept one: its place in DATA_DIR/media
    size INTEGER,  -- bytes; also of one that is too large
    mime TEXT,
    name TEXT,  -- as the channel called it; data, never a path
    kept_at INTEGER,
    reader_id INTEGER REFERENCES readers (id),  -- through which it came
    UNIQUE (version_id, file_id)  -- a long post may show several
);
CREATE INDEX media_wanted ON media (due_at) WHERE state = 'wanted';
CREATE INDEX media_files ON media (file_id) WHERE state = 'kept';
CREATE INDEX media_kept ON media (id) WHERE state = 'kept';
CREATE INDEX media_blobs ON media (sha256, size) WHERE state = 'kept';  -- their size in all is read from it
CREATE INDEX media_pruned ON media (id) WHERE reason = 'pruned';

CREATE TABLE pictures (  -- photos of posts with few words of their own, whose text a program reads
    version_id INTEGER NOT NULL REFERENCES versions (id),
    file_id INTEGER NOT NULL,  -- of the row of `media` that brings the photo
    state TEXT NOT NULL DEFAULT 'wanted' CHECK (state IN ('wanted', 'read', 'left')),
    text TEXT,  -- of one that was read; empty: the program saw none
    engine TEXT,  -- the program that read it, with its version and languages
    reason TEXT,  -- why it was left or put off: a word of ours, or that of `media`
    wanted_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,  -- when to try next
    attempts INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (version_id, file_id)
) WITHOUT ROWID;
CREATE INDEX pictures_wanted ON pictures (due_at) WHERE state = 'wanted';
CREATE INDEX pictures_read ON pictures (file_id) WHERE state = 'read';

CREATE TABLE translations (  -- of versions, by Telegram: asked for once for all chats
    version_id INTEGER NOT NULL REFERENCES versions (id),
    language TEXT NOT NULL,  -- into which: a code of ISO 639-1
    -- wanted: it is asked for. done: it is here. same: the post is in that language. left: Telegram refuses it.
    state TEXT NOT NULL DEFAULT 'wanted' CHECK (state IN ('wanted', 'done', 'same', 'left')),
    text TEXT,  -- of a done one: the body and the parts of the post
    reason TEXT,  -- why it was left or put off: Telegram's error string
    wanted_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,  -- when to ask next
    attempts INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (version_id, language)
) WITHOUT ROWID;
CREATE INDEX translations_wanted ON translations (due_at) WHERE state = 'wanted';

CREATE TABLE uploads (  -- files that our bot has uploaded, as it may name them again
    bot_id INTEGER NOT NULL,  -- its account: another bot cannot name them
    sha256 BLOB NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,  -- under which it was uploaded; empty where it has none
    file_id INTEGER NOT NULL,
    access_hash INTEGER NOT NULL,
    reference BLOB NOT NULL,  -- expires
    uploaded_at INTEGER NOT NULL,
    PRIMARY KEY (bot_id, sha256, kind, name)
) WITHOUT ROWID;


-- Topics: queries with names

CREATE TABLE topics (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,  -- as written
    folded TEXT NOT NULL UNIQUE,  -- case folded by us: SQLite folds ASCII only
    query TEXT NOT NULL,  -- '*': every post of its channels
    limits TEXT NOT NULL DEFAULT '[]',  -- JSON: names of the channels and channel groups that it is limited to; none: all
    excluded TEXT NOT NULL DEFAULT '[]',  -- JSON: words without which its posts have to be, in all chats
    compiled TEXT NOT NULL,  -- the query with its forms expanded, so that starting needs no morphology
    builtin INTEGER NOT NULL DEFAULT 0,
    on_by_default INTEGER NOT NULL DEFAULT 0,  -- whether pairing subscribes the owner
    -- 1: its file was taken away, and nobody has changed it since; a file of its name takes it over again
    file_gone INTEGER NOT NULL DEFAULT 0,
    restricted INTEGER NOT NULL DEFAULT 0,  -- 1: only the chats of topic_access find it
    author INTEGER  -- the person who made it; NULL: a file, or nobody knows
);

CREATE TABLE topic_versions (  -- what a topic looked for, from its first query to the present one
    topic_id INTEGER NOT NULL REFERENCES topics (id),
    number INTEGER NOT NULL,  -- from 1
    query TEXT NOT NULL,  -- as in `topics`, and so are …
    limits TEXT NOT NULL,
    excluded TEXT NOT NULL,
    at INTEGER NOT NULL,
    name TEXT NOT NULL,  -- of who made or changed it, as it was then; empty: a file, or somebody on the server
    PRIMARY KEY (topic_id, number)
) WITHOUT ROWID;

-- Which topics were saved or deleted, in order, so that whoever holds them reads no more than what changed.
CREATE TABLE topic_changes (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    topic_id INTEGER NOT NULL UNIQUE  -- only its last change is kept
);

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


-- People and chats: who may command, who receives alerts, and how

CREATE TABLE people (
    id INTEGER PRIMARY KEY,  -- Telegram user id
    given TEXT CHECK (given IN ('owner', 'editor', 'reader')),  -- by a link or an owner; NULL: only the settings name them
    by_settings INTEGER NOT NULL DEFAULT 0,  -- 1: OWNER_IDS names them
    role TEXT NOT NULL GENERATED ALWAYS AS (iif(by_settings, 'owner', given)) VIRTUAL,
    name TEXT NOT NULL DEFAULT '',  -- as Telegram showed it last
    username TEXT,  -- likewise, without @
    added_at INTEGER NOT NULL,
    invited_by INTEGER,  -- the person who made their link; NULL: it was made on the server
    seen_at INTEGER  -- when they last wrote or tapped; NULL: never
);

CREATE TABLE strangers (  -- who was refused once, with a line that the bot is private
    id INTEGER PRIMARY KEY,
    refused_at INTEGER NOT NULL
);

CREATE TABLE invitations (  -- links that pair people
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    token_sha256 BLOB NOT NULL UNIQUE,
    role TEXT NOT NULL CHECK (role IN ('owner', 'editor', 'reader')),
    uses INTEGER NOT NULL,  -- people whom it lets in …
    used INTEGER NOT NULL DEFAULT 0,  -- … and who have come
    made_by INTEGER,  -- a person; NULL: made on the server
    made_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
);

CREATE TABLE acts (  -- what people did that concerns others: the log
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    person_id INTEGER,  -- who; NULL: somebody on the server
    name TEXT NOT NULL,  -- of that person, as it was then
    chat_id INTEGER REFERENCES chats (id),  -- where it was done; NULL: on the server
    kind TEXT NOT NULL,
    body TEXT NOT NULL,  -- JSON: the act
    restricted INTEGER NOT NULL DEFAULT 0,  -- 1: on something restricted: only owners and this chat see it
    concerned TEXT NOT NULL DEFAULT '[]',  -- JSON: ids of the chats that have a notice of it
    changes TEXT NOT NULL DEFAULT '[]',  -- JSON: rows before and after, so that it can be undone
    undone_at INTEGER,
    undone_by TEXT  -- the name of who undid it
);
CREATE INDEX acts_person ON acts (person_id, at);
CREATE INDEX acts_at ON acts (at);

CREATE TABLE handled (  -- commands and taps whose effect is committed
    key TEXT PRIMARY KEY,
    chat_kind TEXT CHECK (chat_kind IN ('user', 'group', 'channel')),  -- where it was answered
    chat_telegram_id INTEGER,
    tapped INTEGER NOT NULL GENERATED ALWAYS AS (key GLOB 'tap-*'),  -- 1: mostly answered without a message
    at INTEGER NOT NULL,
    answer TEXT NOT NULL DEFAULT '',  -- JSON: what is said to it, also where the update comes again after a crash
    answered_at INTEGER  -- when the answer had arrived; NULL: it may have to be sent again
) WITHOUT ROWID;

CREATE TABLE chats (  -- receivers of alerts
    id INTEGER PRIMARY KEY,
    key BLOB NOT NULL UNIQUE,  -- 16 random bytes given at pairing; part of every alert's identity
    kind TEXT NOT NULL CHECK (kind IN ('user', 'group', 'channel', 'target')),
    telegram_id INTEGER NOT NULL,  -- of a target a number of ours
    access_hash INTEGER NOT NULL DEFAULT 0,
    thread_id INTEGER,
    title TEXT NOT NULL,
    broadcast INTEGER NOT NULL DEFAULT 0,  -- 1: a channel of the team's own, or a target: nobody there speaks to the bot
    paired_at INTEGER NOT NULL,
    suspended TEXT,  -- why nothing is sent any more: Telegram's error string
    held_until INTEGER,  -- nothing is sent before: an alert was refused, and those behind it wait
    fallback_id INTEGER REFERENCES chats (id),  -- the target that alerts go to while Telegram is out; NULL: they wait

    role_shown TEXT CHECK (role_shown IN ('owner', 'editor', 'reader')),  -- of a private one: whose commands its menu has

    -- What the chat has chosen
    language TEXT NOT NULL DEFAULT 'en',
    language_chosen INTEGER NOT NULL DEFAULT 0,  -- by somebody there; else it is Telegram's
    time_zone TEXT NOT NULL DEFAULT 'UTC',
    zone_chosen INTEGER NOT NULL DEFAULT 0,  -- 1: somebody there chose it; else it was asked for
    edits TEXT NOT NULL DEFAULT 'words' CHECK (edits IN ('all', 'words', 'none')),  -- that get a reply
    confirmations INTEGER NOT NULL DEFAULT 0,  -- 1: a reply, with a sound, where a second channel says the same
    theme TEXT NOT NULL DEFAULT 'light' CHECK (theme IN ('light', 'dark')),  -- of charts
    pages INTEGER NOT NULL DEFAULT 0,  -- 1: the public pages of posts are captured with its alerts
    heads INTEGER NOT NULL DEFAULT 0,  -- 1: the signed head of the ledger is posted each day
    media INTEGER NOT NULL DEFAULT 0,  -- 1: the photos and documents of a post follow its alert
    translate_into TEXT,  -- a code of ISO 639-1: a translation follows each alert in another language; NULL: none does
    quiet_from INTEGER,  -- minute of the chat's own day; NULL: no quiet hours
    quiet_until INTEGER,  -- likewise; before quiet_from: of the next day
    digest_every TEXT NOT NULL DEFAULT 'day' CHECK (digest_every IN ('hour', 'day', 'week')),
    digest_minute INTEGER NOT NULL DEFAULT 540,  -- of the chat's own day; not for 'hour'
    digest_weekday INTEGER NOT NULL DEFAULT 0,  -- 0 is Monday; for 'week'
    surges INTEGER NOT NULL DEFAULT 1,  -- 1: a notice where a topic has unusually many posts
    storm_count INTEGER DEFAULT 4,  -- more matches of a topic become a storm; NULL: they do not
    storm_minutes INTEGER NOT NULL DEFAULT 5,  -- within which they are counted
    report_minute INTEGER,  -- of the chat's own day, at which the daily report comes; NULL: never
    reported_at INTEGER,  -- of the last daily report, or when the chat asked for them
    weekly_minute INTEGER,  -- of the chat's own day, at which the weekly report comes; NULL: never
    weekly_weekday INTEGER NOT NULL DEFAULT 0,  -- 0 is Monday
    weekly_at INTEGER,  -- of the last weekly report, or when the chat asked for them
    UNIQUE (kind, telegram_id)
);
CREATE INDEX chats_suspended ON chats (id) WHERE suspended IS NOT NULL;
CREATE INDEX chats_held ON chats (held_until) WHERE held_until IS NOT NULL;

CREATE TABLE targets (  -- chats that are reached in another way than through Telegram
    id INTEGER PRIMARY KEY REFERENCES chats (id),
    kind TEXT NOT NULL CHECK (kind IN ('apprise', 'webhook')),
    service TEXT NOT NULL,  -- for people: ntfy, E-Mail, webhook, …
    taken_at INTEGER,  -- when it last took a message
    failing_since INTEGER,  -- it has taken none since its first failure; NULL: the last one was taken
    removed_at INTEGER  -- its address is deleted once nobody can undo that
);

CREATE TABLE target_urls (  -- secrets: only whoever sends to a target reads its row
    id INTEGER PRIMARY KEY REFERENCES targets (id),
    url TEXT NOT NULL
);

CREATE TABLE subscriptions (
    chat_id INTEGER NOT NULL REFERENCES chats (id),
    topic_id INTEGER NOT NULL REFERENCES topics (id),
    -- 'urgent' passes quiet hours, 'digest' waits for the next digest
    priority TEXT NOT NULL DEFAULT 'loud' CHECK (priority IN ('urgent', 'loud', 'silent', 'digest')),
    thread_id INTEGER,  -- the forum thread for its alerts, 1 the general one; NULL: the chat's own
    created_at INTEGER NOT NULL,
    PRIMARY KEY (chat_id, topic_id)
) WITHOUT ROWID;
CREATE INDEX subscriptions_topic ON subscriptions (topic_id);

CREATE TABLE exclusions (  -- words without which the posts of a topic have to be in one chat
    chat_id INTEGER NOT NULL REFERENCES chats (id),
    topic_id INTEGER NOT NULL REFERENCES topics (id),
    word TEXT NOT NULL,  -- as in a query
    compiled TEXT NOT NULL,  -- with its forms expanded
    PRIMARY KEY (chat_id, topic_id, word)
) WITHOUT ROWID;

-- Whom restricted topics and channels belong to: a person by the private chat. In all other chats they are not there.
CREATE TABLE topic_access (
    topic_id INTEGER NOT NULL REFERENCES topics (id),
    chat_id INTEGER NOT NULL REFERENCES chats (id),
    PRIMARY KEY (topic_id, chat_id)
) WITHOUT ROWID;

CREATE TABLE channel_access (
    channel_id INTEGER NOT NULL REFERENCES channels (id),
    chat_id INTEGER NOT NULL REFERENCES chats (id),
    PRIMARY KEY (channel_id, chat_id)
) WITHOUT ROWID;

CREATE TABLE case_access (
    case_id INTEGER NOT NULL REFERENCES cases (id),
    chat_id INTEGER NOT NULL REFERENCES chats (id),
    PRIMARY KEY (case_id, chat_id)
) WITHOUT ROWID;

CREATE TABLE cases (  -- posts that are kept together, with what people noted; what a case shows is never removed
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,  -- as written
    folded TEXT NOT NULL,  -- case folded by us; two cases of one name are seen by nobody but owners
    note TEXT NOT NULL DEFAULT '',
    tags TEXT NOT NULL DEFAULT '[]',  -- JSON
    author_id INTEGER,  -- the person who opened it; NULL: somebody on the server
    author TEXT NOT NULL,  -- their name then
    restricted INTEGER NOT NULL DEFAULT 0,  -- 1: only the chats of case_access find it
    created_at INTEGER NOT NULL
);

CREATE TABLE case_posts (
    case_id INTEGER NOT NULL REFERENCES cases (id),
    channel_id INTEGER NOT NULL,
    message_id INTEGER NOT NULL,  -- of an album the lowest
    note TEXT NOT NULL DEFAULT '',
    chat_id INTEGER NOT NULL REFERENCES chats (id),  -- where it was saved
    name TEXT NOT NULL,  -- of who saved it
    added_at INTEGER NOT NULL,
    PRIMARY KEY (case_id, channel_id, message_id)
) WITHOUT ROWID;
CREATE INDEX case_posts_post ON case_posts (channel_id, message_id);

CREATE TABLE saved_searches (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    chat_id INTEGER NOT NULL REFERENCES chats (id),
    typed TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (chat_id, typed)
);

CREATE TABLE threads (  -- of forums, as far as their titles are known
    chat_id INTEGER NOT NULL REFERENCES chats (id),
    thread_id INTEGER NOT NULL,
    title TEXT NOT NULL,
    PRIMARY KEY (chat_id, thread_id)
) WITHOUT ROWID;

CREATE TABLE questions (  -- what somebody is asked in a chat: their next message there is the answer
    chat_id INTEGER NOT NULL REFERENCES chats (id),
    person_id INTEGER NOT NULL,
    command TEXT NOT NULL,  -- that the answer completes, without slash …
    before TEXT NOT NULL,  -- … by what stands before it …
    after TEXT NOT NULL,  -- … and behind it
    subject TEXT NOT NULL,  -- in the chat's words, for whoever gives it up
    message_id INTEGER NOT NULL,  -- that asks; in a group, the answer replies to it
    asked_at INTEGER NOT NULL,
    PRIMARY KEY (chat_id, person_id)
) WITHOUT ROWID;

CREATE TABLE mutes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    chat_id INTEGER NOT NULL REFERENCES chats (id),
    channel_id INTEGER,  -- NULL: any channel
    channel_group_id INTEGER REFERENCES channel_groups (id),  -- NULL: whatever group a channel is in
    topic_id INTEGER,  -- NULL: any topic
    until INTEGER  -- NULL: for good
);
CREATE INDEX mutes_chat ON mutes (chat_id);

CREATE TABLE feedback (  -- alerts that people found not relevant, and what was wrong
    chat_id INTEGER NOT NULL REFERENCES chats (id),
    channel_id INTEGER NOT NULL,
    post_key TEXT NOT NULL,  -- of `posts`
    person_id INTEGER NOT NULL,  -- who said so; 0 for a group's anonymous administrator
    topics TEXT NOT NULL,  -- JSON: names of the topics that should not have brought it
    what TEXT NOT NULL CHECK (what IN ('channel', 'word', 'note')),
    word TEXT,  -- that was excluded
    at INTEGER NOT NULL,
    PRIMARY KEY (chat_id, channel_id, post_key, person_id)
) WITHOUT ROWID;
CREATE INDEX feedback_post ON feedback (channel_id, post_key);


-- The outbox

-- What matched becomes an alert, and an alert is shown by a message: one of its own, that of its group, or that of the
-- alert which it duplicates. A message row says which revision its chat shall see and which it sees: the worker makes
-- them equal.
CREATE TABLE groups (  -- alerts that share one message
    id INTEGER PRIMARY KEY,
    chat_id INTEGER NOT NULL REFERENCES chats (id),
    kind TEXT NOT NULL CHECK (kind IN ('digest', 'storm', 'late', 'restored', 'fallback')),
    topic_id INTEGER,  -- of a storm
    topic TEXT,  -- its name as the storm began
    thread_id INTEGER,  -- the forum thread that a topic has for its alerts; NULL: the chat's own
    opened_at INTEGER NOT NULL,  -- of restored alerts: the backup's last sign of life; of fallbacks: the outage's beginning
    closes_at INTEGER NOT NULL  -- takes no alert from then on; a storm is over, a digest is to be sent
);
CREATE INDEX groups_open ON groups (chat_id, closes_at);

CREATE TABLE alerts (  -- one post in one chat
    id INTEGER PRIMARY KEY,
    chat_id INTEGER NOT NULL REFERENCES chats (id),
    channel_id INTEGER NOT NULL,
    post_key TEXT NOT NULL,
    version_id INTEGER NOT NULL REFERENCES versions (id),  -- that matched
    shown_version_id INTEGER NOT NULL REFERENCES versions (id),  -- that the message shows
    topics TEXT NOT NULL,  -- JSON list of names
    spans TEXT NOT NULL,  -- JSON list of [start, end]: what matched in the text
    parts TEXT NOT NULL,  -- JSON list of [[kind, text], spans]: parts with matches, or of a post without text all parts
    loudness INTEGER NOT NULL,  -- 3 with a sound at any hour, 2 with a sound, 1 without, 0 in the next digest
    fingerprint TEXT NOT NULL,  -- a hash of the folded words shown
    fits_since_edit INTEGER NOT NULL DEFAULT 0,  -- 1: the post was edited before it matched
    gone_at INTEGER,  -- the message says that the post is no longer visible since then …
    gone_items TEXT,  -- … JSON: of an album of which some is left, items of which a deletion was told, missing ones, all
    losses INTEGER NOT NULL DEFAULT 0,  -- how often the post has vanished
    is_counted INTEGER NOT NULL DEFAULT 0,  -- 1: a message only counts it, so that an edit may be news to the chat
    duplicate_of INTEGER REFERENCES alerts (id),  -- the alert that says the same, whose message names it
    group_id INTEGER REFERENCES groups (id),
    created_at INTEGER NOT NULL
);
-- Of a post that a thousand chats were alerted to, one chat's row is found at once.
CREATE UNIQUE INDEX alerts_post ON alerts (channel_id, post_key, chat_id, is_counted);
CREATE INDEX alerts_duplicates ON alerts (duplicate_of) WHERE duplicate_of IS NOT NULL;
CREATE INDEX alerts_group ON alerts (group_id) WHERE group_id IS NOT NULL;
-- What a channel says word by word each day is looked up among the alerts of late.
CREATE INDEX alerts_fingerprint ON alerts (fingerprint, chat_id, created_at) WHERE NOT is_counted;
-- What /topics counts is read from one index, and how many alerts a chat has had lately.
CREATE INDEX alerts_chat ON alerts (chat_id, created_at, group_id, duplicate_of, is_counted, topics);

CREATE TABLE messages (  -- the outbox: what a chat shall see
    id INTEGER PRIMARY KEY,
    chat_id INTEGER NOT NULL REFERENCES chats (id),
    kind TEXT NOT NULL CHECK (kind IN ('alert', 'group', 'change', 'files', 'translation', 'notice', 'fallback')),
    subject TEXT NOT NULL,  -- unique among those of its kind in the chat; only ever compared
    random_id INTEGER NOT NULL,  -- a keyed hash of (chat key, kind, subject)
    alert_id INTEGER REFERENCES alerts (id),  -- that it shows, or as a change, files or a translation answers
    group_id INTEGER REFERENCES groups (id),  -- that it shows
    version_id INTEGER REFERENCES versions (id),  -- of a change or files: the version that it reports
    notice TEXT,  -- the name of a notice
    -- JSON: the notice, what has changed, the language of a translation; of a fallback that was taken ids of its alerts
    body TEXT,
    reply_to INTEGER REFERENCES messages (id),
    carries INTEGER REFERENCES messages (id),  -- of a fallback: the message of another chat that a target gets
    thread_id INTEGER,  -- the forum thread that it goes to; NULL or 1: the general one, or no forum
    silent INTEGER NOT NULL DEFAULT 0,
    -- sent: the chat sees what is wanted. In all other states more is wanted than the chat sees. due: it is to be sent.
    -- withdrawn: it is not, since the chat takes nothing (an edit, due again once it does), or may have had it before a
    -- backup was put back. frozen: Telegram refuses to edit what the chat sees. dead: Telegram refused it for good.
    state TEXT NOT NULL DEFAULT 'due' CHECK (state IN ('due', 'sent', 'withdrawn', 'frozen', 'dead')),
    wanted_revision INTEGER NOT NULL DEFAULT 1,
    sent_revision INTEGER NOT NULL DEFAULT 0,  -- 0: none; the next one is not an edit
    telegram_id INTEGER,  -- in the chat; NULL: unknown, or not sent; in a target the random_id
    due_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,  -- that failed since a revision was sent
    reason TEXT,  -- why it ended or was put off: Telegram's error string
    created_at INTEGER NOT NULL,
    wanted_at INTEGER NOT NULL,  -- when what is due came to be wanted: the order within a chat
    sent_at INTEGER,  -- the first revision
    edited_at INTEGER,  -- the last one
    UNIQUE (chat_id, kind, subject),
    CHECK (iif(state = 'sent', wanted_revision = sent_revision, wanted_revision > sent_revision))
);
-- What waits, from either end, without a look at the rows: a chat that is served already may have thousands.
CREATE INDEX messages_due ON messages (due_at, id, chat_id) WHERE state = 'due';
CREATE INDEX messages_of_chat_due ON messages (chat_id, wanted_at, id, due_at) WHERE state = 'due';  -- the first of a chat
CREATE INDEX messages_dead ON messages (id) WHERE state = 'dead';
CREATE INDEX messages_alert ON messages (alert_id) WHERE alert_id IS NOT NULL;
CREATE UNIQUE INDEX messages_group ON messages (group_id) WHERE group_id IS NOT NULL;
CREATE INDEX messages_carried ON messages (carries) WHERE carries IS NOT NULL;
CREATE INDEX messages_answers ON messages (reply_to) WHERE reply_to IS NOT NULL;
CREATE INDEX messages_telegram ON messages (chat_id, telegram_id) WHERE telegram_id IS NOT NULL;

CREATE TABLE attachments (  -- files that follow alerts, from the moment in which a reply is about to bring them
    alert_id INTEGER NOT NULL REFERENCES alerts (id),
    message_id INTEGER NOT NULL,  -- the post's, or that of an item of the album, in its channel
    file_id INTEGER NOT NULL,  -- Telegram's; after an edit the message shows another
    version_id INTEGER NOT NULL REFERENCES versions (id),  -- that shows the file
    reply_id INTEGER NOT NULL REFERENCES messages (id),  -- of kind 'files'
    random_id INTEGER NOT NULL,  -- a keyed hash of (chat key, channel, message, file)
    alone INTEGER NOT NULL DEFAULT 0,  -- 1: Telegram refused the album that it was in
    PRIMARY KEY (alert_id, message_id, file_id)
) WITHOUT ROWID;
CREATE INDEX attachments_reply ON attachments (reply_id);


-- After a database was lost and its backup put back

CREATE TABLE restorations (  -- chats written to between a backup and the start with it: nobody knows which alerts they have had
    chat_id INTEGER PRIMARY KEY REFERENCES chats (id),
    alive_at INTEGER NOT NULL,  -- the backup's last sign of life
    until INTEGER NOT NULL  -- the start: alerts of what was posted before it may have been sent
);
