-- +goose Up

-- The facts from which each record was made, as gzipped JSON lines: what
-- explains it, and what it can be told from again.
CREATE TABLE traces (
    call_id TEXT    PRIMARY KEY,
    at      INTEGER NOT NULL, -- when the call ended
    events  BLOB    NOT NULL
) WITHOUT ROWID;

CREATE INDEX traces_by_time ON traces (at);

-- +goose Down
DROP TABLE traces;
