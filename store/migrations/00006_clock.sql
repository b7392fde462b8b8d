-- +goose Up

-- How the PBX's clock stood beside this machine's when they were last compared;
-- one row. What a clock did while voipd was not looking shows in the next
-- comparison. Times are milliseconds since 1970, UTC.
CREATE TABLE pbx_clock (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    pbx   INTEGER NOT NULL, -- what the PBX's clock said
    ours  INTEGER NOT NULL, -- what this machine's clock said then
    up    INTEGER NOT NULL, -- how long this machine was up then, milliseconds
    boot  TEXT    NOT NULL  -- which start of this machine that was; empty: not known
);

-- Stretches of the PBX's time in which its clock was set.
CREATE TABLE clock_leaps (
    id      INTEGER PRIMARY KEY,
    from_at INTEGER NOT NULL,
    to_at   INTEGER NOT NULL
);

-- +goose Down
DROP TABLE clock_leaps;
DROP TABLE pbx_clock;
