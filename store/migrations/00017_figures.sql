-- +goose Up

-- How long each caller waited, by slot, milliseconds, four bytes each; and every record
-- gets its keys anew, since it has one for its operator now (placing.go).
ALTER TABLE chunk_columns ADD COLUMN waits BLOB NOT NULL DEFAULT x'';
DELETE FROM placing WHERE true;
INSERT INTO placing SELECT min(started_at) - 1, '' FROM records HAVING count(*) > 0;

-- +goose Down
ALTER TABLE chunk_columns DROP COLUMN waits;
