/** Counters with their leases and slots, records, and what the admin API makes. */
export const first = `
CREATE TABLE counters (
  key TEXT NOT NULL,
  start INTEGER NOT NULL,
  used INTEGER NOT NULL,
  keep_until INTEGER NOT NULL,
  PRIMARY KEY (key, start)
) STRICT, WITHOUT ROWID;
CREATE INDEX counters_by_age ON counters (keep_until);

-- A row says that a process holds a part of the counter that it may not spend.
CREATE TABLE leases (
  key TEXT NOT NULL,
  start INTEGER NOT NULL,
  holder TEXT NOT NULL,
  serial INTEGER NOT NULL,
  ends INTEGER NOT NULL,
  PRIMARY KEY (key, start, holder)
) STRICT, WITHOUT ROWID;

CREATE TABLE holders (
  id TEXT NOT NULL PRIMARY KEY,
  place TEXT NOT NULL,
  pid INTEGER NOT NULL,
  started TEXT NOT NULL,
  beat INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE slots (
  key TEXT NOT NULL,
  id TEXT NOT NULL,
  holder TEXT NOT NULL,
  amount INTEGER NOT NULL,
  PRIMARY KEY (key, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX slots_by_holder ON slots (holder);

-- No index but the id's: each would cost an insert more than the row itself (bench/store.ts).
CREATE TABLE records (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  at INTEGER NOT NULL,
  server TEXT NOT NULL,
  grant_id TEXT NOT NULL,
  tool TEXT,
  effect TEXT NOT NULL,
  body TEXT NOT NULL
) STRICT;

CREATE TABLE nouns (
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  id TEXT NOT NULL UNIQUE,
  document TEXT NOT NULL,
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE revisions (noun TEXT NOT NULL PRIMARY KEY, revision INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO revisions VALUES ('nouns', 0);
CREATE TRIGGER nouns_inserted AFTER INSERT ON nouns BEGIN
  UPDATE revisions SET revision = revision + 1 WHERE noun = 'nouns';
END;
CREATE TRIGGER nouns_updated AFTER UPDATE ON nouns BEGIN
  UPDATE revisions SET revision = revision + 1 WHERE noun = 'nouns';
END;
CREATE TRIGGER nouns_removed AFTER DELETE ON nouns BEGIN
  UPDATE revisions SET revision = revision + 1 WHERE noun = 'nouns';
END;
`
