-- +goose Up

-- What records are found by (DESIGN.md, "Finding"). A chunk has places for 7,680
-- records that began in one week; a record's place is chunk << 13 | slot. Times
-- are milliseconds since 1970, UTC.
CREATE TABLE chunks (
    chunk   INTEGER PRIMARY KEY,
    week    INTEGER NOT NULL, -- since 1970
    from_at INTEGER NOT NULL, -- the first start in it
    to_at   INTEGER NOT NULL, -- the last one
    used    INTEGER NOT NULL  -- slots that were ever given
);
CREATE INDEX chunks_week ON chunks (week, chunk);
CREATE INDEX chunks_to   ON chunks (to_at);
CREATE INDEX chunks_from ON chunks (from_at);

-- Starts (behind the beginning of the week) and durations by slot, four bytes each.
CREATE TABLE chunk_columns (
    chunk     INTEGER PRIMARY KEY,
    starts    BLOB NOT NULL,
    durations BLOB NOT NULL
);

-- The slots of a chunk that have a key, such as a direction, a number, or three
-- digits of one.
CREATE TABLE found (
    chunk INTEGER NOT NULL,
    key   BLOB    NOT NULL,
    slots BLOB    NOT NULL,
    PRIMARY KEY (chunk, key)
) WITHOUT ROWID;

CREATE TABLE places (
    place   INTEGER PRIMARY KEY,
    call_id TEXT NOT NULL,
    numbers TEXT NOT NULL, -- their digits
    name    TEXT NOT NULL  -- of the caller, folded
);
CREATE UNIQUE INDEX places_call ON places (call_id);

-- Calls whose records, or whether they are recorded, changed since they got their
-- places. Those of some hundred are looked at one by one.
CREATE TABLE unplaced (call_id TEXT PRIMARY KEY) WITHOUT ROWID;

-- Up to which record those of before have places; a row while some have none.
CREATE TABLE placing (upto_at INTEGER NOT NULL, upto_id TEXT NOT NULL);
INSERT INTO placing SELECT min(started_at) - 1, '' FROM records HAVING count(*) > 0;

-- Triggers, so that no way to a record forgets it. (Not OR IGNORE: the outer
-- statement's way with conflicts would win.)
-- +goose StatementBegin
CREATE TRIGGER records_put AFTER INSERT ON records BEGIN
    INSERT INTO unplaced SELECT new.call_id WHERE NOT EXISTS (SELECT 1 FROM unplaced WHERE call_id = new.call_id);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER records_changed AFTER UPDATE ON records BEGIN
    INSERT INTO unplaced SELECT new.call_id WHERE NOT EXISTS (SELECT 1 FROM unplaced WHERE call_id = new.call_id);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER records_gone AFTER DELETE ON records BEGIN
    INSERT INTO unplaced SELECT old.call_id WHERE NOT EXISTS (SELECT 1 FROM unplaced WHERE call_id = old.call_id);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER recordings_put AFTER INSERT ON recordings BEGIN
    INSERT INTO unplaced SELECT new.call_id WHERE NOT EXISTS (SELECT 1 FROM unplaced WHERE call_id = new.call_id);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER recordings_changed AFTER UPDATE ON recordings BEGIN
    INSERT INTO unplaced SELECT new.call_id WHERE NOT EXISTS (SELECT 1 FROM unplaced WHERE call_id = new.call_id);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER recordings_gone AFTER DELETE ON recordings BEGIN
    INSERT INTO unplaced SELECT old.call_id WHERE NOT EXISTS (SELECT 1 FROM unplaced WHERE call_id = old.call_id);
END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER recordings_gone;
DROP TRIGGER recordings_changed;
DROP TRIGGER recordings_put;
DROP TRIGGER records_gone;
DROP TRIGGER records_changed;
DROP TRIGGER records_put;
DROP TABLE placing;
DROP TABLE unplaced;
DROP TABLE places;
DROP TABLE found;
DROP TABLE chunk_columns;
DROP TABLE chunks;
