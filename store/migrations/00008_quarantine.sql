-- +goose Up

-- Facts that cannot be read, or that made voipd panic, with all others of their
-- call: set aside, so that they stop nothing, and kept for a bug report.
CREATE TABLE quarantine (
    seq     INTEGER PRIMARY KEY,
    call_id TEXT    NOT NULL,
    at      INTEGER NOT NULL, -- when they were set aside
    reason  TEXT    NOT NULL,
    stack   TEXT    NOT NULL,
    event   TEXT    NOT NULL
);

CREATE INDEX quarantine_by_call ON quarantine (call_id);

-- +goose Down
DROP TABLE quarantine;
