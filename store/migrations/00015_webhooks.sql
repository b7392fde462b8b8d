-- +goose Up

-- What voipd itself keeps of webhooks: those that were added by the API, and how
-- those of the configuration are.
CREATE TABLE webhooks (
    name       TEXT    PRIMARY KEY,
    url        TEXT    NOT NULL, -- empty: it stands in the configuration, and so do the next four
    kinds      TEXT    NOT NULL, -- of events, as JSON; []: every kind
    template   TEXT    NOT NULL,
    timeout    INTEGER NOT NULL, -- milliseconds; 0: as usual
    max_age    INTEGER NOT NULL, -- milliseconds; 0: as usual
    secret     TEXT    NOT NULL,
    old_secret TEXT    NOT NULL, -- signs beside it until old_until
    old_until  INTEGER NOT NULL, -- milliseconds since 1970
    paused     INTEGER NOT NULL, -- since when, milliseconds since 1970; 0: it is not
    failing    INTEGER NOT NULL, -- since when nothing is taken, milliseconds since 1970; 0: all is well
    told       INTEGER NOT NULL  -- webhook.failing was told
) WITHOUT ROWID;

-- +goose Down
DROP TABLE webhooks;
