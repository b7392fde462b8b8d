-- +goose Up

-- The calls of each person outside, and those that nobody answered. Whom a call is
-- with is what the expression says, in one spelling (missed.go has it as well): the
-- last ten digits of the number, or the whole name of who has none. A call that went
-- into another one unanswered is with nobody.
CREATE INDEX records_person ON records (CASE WHEN disposition <> 'answered' AND instr(CAST(details AS TEXT), '"mergedInto":"') > 0 THEN NULL WHEN replace(replace(replace(replace(replace(replace(replace(CASE direction WHEN 'in' THEN src_phone WHEN 'out' THEN dst_phone END, ' ', ''), '-', ''), '(', ''), ')', ''), '.', ''), '/', ''), '+', '') GLOB '*[^0-9]*' THEN nullif(lower(replace(replace(replace(replace(replace(replace(replace(CASE direction WHEN 'in' THEN src_phone WHEN 'out' THEN dst_phone END, ' ', ''), '-', ''), '(', ''), ')', ''), '.', ''), '/', ''), '+', '')), 'anonymous') ELSE nullif(substr(replace(replace(replace(replace(replace(replace(replace(CASE direction WHEN 'in' THEN src_phone WHEN 'out' THEN dst_phone END, ' ', ''), '-', ''), '(', ''), ')', ''), '.', ''), '/', ''), '+', ''), -10), '') END, started_at, direction, disposition, duration);
CREATE INDEX records_missed ON records (started_at, call_id, direction, disposition, CASE WHEN disposition <> 'answered' AND instr(CAST(details AS TEXT), '"mergedInto":"') > 0 THEN NULL WHEN replace(replace(replace(replace(replace(replace(replace(CASE direction WHEN 'in' THEN src_phone WHEN 'out' THEN dst_phone END, ' ', ''), '-', ''), '(', ''), ')', ''), '.', ''), '/', ''), '+', '') GLOB '*[^0-9]*' THEN nullif(lower(replace(replace(replace(replace(replace(replace(replace(CASE direction WHEN 'in' THEN src_phone WHEN 'out' THEN dst_phone END, ' ', ''), '-', ''), '(', ''), ')', ''), '.', ''), '/', ''), '+', '')), 'anonymous') ELSE nullif(substr(replace(replace(replace(replace(replace(replace(replace(CASE direction WHEN 'in' THEN src_phone WHEN 'out' THEN dst_phone END, ' ', ''), '-', ''), '(', ''), ')', ''), '.', ''), '/', ''), '+', ''), -10), '') END) WHERE direction = 'in' AND disposition <> 'answered';

-- Persons who need not be called back: for calls that began up to a time, which is
-- the PBX's, in milliseconds since 1970.
CREATE TABLE dismissed (
    person TEXT    PRIMARY KEY, -- as in records_person
    upto   INTEGER NOT NULL,
    at     INTEGER NOT NULL,    -- when it was said
    by     TEXT    NOT NULL,    -- name of the token
    note   TEXT    NOT NULL
) WITHOUT ROWID;

-- +goose Down
DROP TABLE dismissed;
DROP INDEX records_missed;
DROP INDEX records_person;
