-- +goose Up

-- What was told to the outside, in order: the live stream and the webhooks
-- read it. AUTOINCREMENT: a number is never given twice, whatever was pruned.
CREATE TABLE changes (
    seq     INTEGER PRIMARY KEY AUTOINCREMENT,
    at      INTEGER NOT NULL, -- when it happened on the PBX, milliseconds since 1970
    written INTEGER NOT NULL,
    kind    TEXT    NOT NULL, -- "call.started", …
    call_id TEXT    NOT NULL,
    body    TEXT    NOT NULL  -- a JSON object
);

CREATE INDEX changes_by_time    ON changes (written);
CREATE INDEX changes_of_records ON changes (seq) WHERE kind LIKE 'record%';

-- The outbox: which change goes to which webhook, and how far it is.
CREATE TABLE deliveries (
    endpoint   TEXT    NOT NULL,
    seq        INTEGER NOT NULL REFERENCES changes (seq),
    call_id    TEXT    NOT NULL,
    written    INTEGER NOT NULL,
    state      TEXT    NOT NULL, -- waiting, delivered, expired, parked
    attempts   INTEGER NOT NULL,
    next_at    INTEGER NOT NULL, -- when to try next
    expires_at INTEGER NOT NULL, -- pointless from then on; 0: never
    status     INTEGER NOT NULL, -- HTTP status of the latest answer; 0: none came
    answer     TEXT    NOT NULL, -- beginning of the latest answer, or what went wrong
    PRIMARY KEY (seq, endpoint)
) WITHOUT ROWID;

CREATE INDEX deliveries_due     ON deliveries (endpoint, next_at, seq) WHERE state = 'waiting';
CREATE INDEX deliveries_of_call ON deliveries (endpoint, call_id, seq) WHERE state = 'waiting';
CREATE INDEX deliveries_waiting ON deliveries (seq) WHERE state = 'waiting';
CREATE INDEX deliveries_parked  ON deliveries (seq) WHERE state = 'parked';

-- +goose Down
DROP TABLE deliveries;
DROP TABLE changes;
