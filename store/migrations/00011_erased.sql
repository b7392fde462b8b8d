-- +goose Up

-- Recordings whose retention is over are looked for until they are erased: a
-- file that was given up as gone may appear later.
ALTER TABLE recordings ADD COLUMN erased INTEGER NOT NULL DEFAULT 0;
DROP INDEX recordings_ready;
CREATE INDEX recordings_kept ON recordings (at, call_id, id) WHERE erased = 0;

-- +goose Down
DROP INDEX recordings_kept;
CREATE INDEX recordings_ready ON recordings (at, call_id, id) WHERE state = 'ready';
ALTER TABLE recordings DROP COLUMN erased;
