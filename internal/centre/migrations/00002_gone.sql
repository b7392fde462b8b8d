-- +goose Up

-- Calls that have no record any more, at their places among the changes of the tenant,
-- for readers that were told of the record. into_id is the call that it was part of; empty:
-- it was forgotten.
CREATE TABLE voipd.gone (
	tenant  text        NOT NULL,
	change  bigint      NOT NULL,
	pbx     text        NOT NULL,
	call_id text        NOT NULL,
	into_id text        NOT NULL,
	at      timestamptz NOT NULL,
	PRIMARY KEY (tenant, change)
);
ALTER TABLE voipd.gone ENABLE ROW LEVEL SECURITY;
ALTER TABLE voipd.gone FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON voipd.gone USING (tenant = (SELECT nullif(current_setting('voipd.tenant', true), '')));
GRANT SELECT, INSERT ON voipd.gone TO voipd_centre;

-- +goose Down
DROP TABLE voipd.gone;
