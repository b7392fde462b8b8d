-- +goose Up

-- What was erased, moved aside or copied, and by which rule or command.
CREATE TABLE audit (
    id     INTEGER PRIMARY KEY,
    at     INTEGER NOT NULL, -- milliseconds since 1970, UTC
    what   TEXT    NOT NULL, -- "forget", "keep_records", …
    about  TEXT    NOT NULL, -- a keyed hash of a number, a file; never a number
    counts TEXT    NOT NULL  -- JSON: how many of what
);

-- Calls and numbers that were forgotten, as keyed hashes: no reading of CEL or
-- CDR brings them back.
CREATE TABLE forgotten (
    hash BLOB    PRIMARY KEY,
    at   INTEGER NOT NULL -- of a number: calls that began later are kept
) WITHOUT ROWID;

-- Whole recordings in order of time, for their retention.
CREATE INDEX recordings_ready ON recordings (at, call_id, id) WHERE state = 'ready';

-- +goose Down
DROP INDEX recordings_ready;
DROP TABLE forgotten;
DROP TABLE audit;
