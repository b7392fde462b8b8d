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

-- Up to which place in the sequence changes were dropped as too old. One that is
-- missing behind it was erased, and nothing else is missing for a reader.
CREATE TABLE pruned (seq INTEGER NOT NULL);
INSERT INTO pruned SELECT coalesce((SELECT min(seq) - 1 FROM changes), (SELECT seq FROM sqlite_sequence WHERE name = 'changes'), 0);

-- +goose Down
DROP TABLE pruned;
DROP TABLE quarantine;
