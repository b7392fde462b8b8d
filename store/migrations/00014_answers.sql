-- +goose Up

-- Answers to requests that came with an Idempotency-Key, for a day: the same
-- request gets the same one.
CREATE TABLE answers (
    key    BLOB    PRIMARY KEY, -- a hash
    at     INTEGER NOT NULL,    -- milliseconds since 1970
    body   BLOB    NOT NULL,    -- a keyed hash of the request's body
    status INTEGER NOT NULL,    -- 0: it was begun, and nothing more is known
    type   TEXT    NOT NULL,
    answer BLOB    NOT NULL
) WITHOUT ROWID;
CREATE INDEX answers_at ON answers (at);

-- +goose Down
DROP TABLE answers;
