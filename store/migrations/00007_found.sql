-- +goose Up

-- Nobody told of the recording; it was found on the disk by its name.
ALTER TABLE recordings ADD COLUMN found INTEGER NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE recordings DROP COLUMN found;
