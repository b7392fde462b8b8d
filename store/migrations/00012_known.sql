-- +goose Up

-- What the PBX showed last of its endpoints, and which numbers it has as extensions:
-- CEL and CDR, which do not say it, are read by it, also after a restart.
CREATE TABLE pbx_endpoints (
    name  TEXT PRIMARY KEY, -- "PJSIP/101"
    class TEXT NOT NULL     -- as in record.Channel
) WITHOUT ROWID;
CREATE TABLE pbx_numbers (
    number TEXT PRIMARY KEY,
    rang   INTEGER NOT NULL -- 1: it is known by nothing but that it rang
) WITHOUT ROWID;

-- +goose Down
DROP TABLE pbx_numbers;
DROP TABLE pbx_endpoints;
