-- +goose Up

-- One row a call. Times are milliseconds since 1970, UTC.
CREATE TABLE records (
    call_id       TEXT    PRIMARY KEY,
    started_at    INTEGER NOT NULL,
    direction     TEXT    NOT NULL,
    disposition   TEXT    NOT NULL,
    src_phone     TEXT    NOT NULL,
    src_phone_ext TEXT    NOT NULL,
    dst_phone     TEXT    NOT NULL,
    dst_phone_ext TEXT    NOT NULL,
    duration      INTEGER NOT NULL,
    rank          INTEGER NOT NULL, -- who told it; a lower one replaces a higher one
    details       TEXT    NOT NULL  -- JSON, without the recordings
) WITHOUT ROWID;

-- Each filter of the list has an index in the list's order, so that a page
-- costs the same whether there are a thousand rows or ten million.
CREATE INDEX records_by_time        ON records (started_at DESC, call_id DESC);
CREATE INDEX records_by_src         ON records (src_phone, started_at DESC, call_id DESC);
CREATE INDEX records_by_dst         ON records (dst_phone, started_at DESC, call_id DESC);
CREATE INDEX records_by_disposition ON records (disposition, started_at DESC, call_id DESC);
CREATE INDEX records_by_direction   ON records (direction, started_at DESC, call_id DESC);

-- The audio files of a call, in order of start. Their state changes after the
-- record is written.
CREATE TABLE recordings (
    call_id TEXT    NOT NULL REFERENCES records (call_id) ON DELETE CASCADE,
    n       INTEGER NOT NULL,
    id      TEXT    NOT NULL,
    path    TEXT    NOT NULL, -- as the PBX names it
    at      INTEGER NOT NULL,
    state   TEXT    NOT NULL,
    bytes   INTEGER NOT NULL,
    ms      INTEGER NOT NULL,
    talk    INTEGER NOT NULL,
    PRIMARY KEY (call_id, id)
) WITHOUT ROWID;

CREATE INDEX recordings_unsettled ON recordings (state) WHERE state IN ('announced', 'growing');

-- The facts of the calls still open, in order: what a restart replays.
CREATE TABLE journal (
    seq     INTEGER PRIMARY KEY,
    call_id TEXT    NOT NULL,
    event   TEXT    NOT NULL
);

CREATE INDEX journal_by_call ON journal (call_id);

-- Secrets that the daemon makes for itself.
CREATE TABLE secrets (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;

-- +goose Down
DROP TABLE secrets;
DROP TABLE journal;
DROP TABLE recordings;
DROP TABLE records;
