-- +goose Up

-- Calls that went into others and have no record of their own: who tells them
-- apart again, because he saw less, does not make two of one.
CREATE TABLE absorbed (
    call_id TEXT PRIMARY KEY,
    into_id TEXT NOT NULL
) WITHOUT ROWID;

INSERT OR IGNORE INTO absorbed
SELECT j.value, r.call_id FROM records AS r, json_each(r.details, '$.absorbed') AS j
WHERE j.value NOT IN (SELECT call_id FROM records);

-- Stretches of time in which facts may have been missed. Times are milliseconds
-- since 1970, UTC.
CREATE TABLE gaps (
    id          INTEGER PRIMARY KEY,
    from_at     INTEGER NOT NULL,
    to_at       INTEGER, -- NULL: it still lasts
    why         TEXT    NOT NULL,
    repaired_at INTEGER  -- NULL: CEL and CDR have not been read for it
);

-- Moments to go on from, such as up to where a source was imported.
CREATE TABLE marks (
    name TEXT PRIMARY KEY,
    at   INTEGER NOT NULL
) WITHOUT ROWID;

-- +goose Down
DROP TABLE marks;
DROP TABLE gaps;
DROP TABLE absorbed;
