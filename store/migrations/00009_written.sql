-- +goose Up

-- When a record was first written, by this machine's clock: a PBX whose clock is
-- years behind must not make today's calls old.
ALTER TABLE records ADD COLUMN written INTEGER NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE records DROP COLUMN written;
