-- The centre's tables. Each has row-level security, also for its owner (FORCE): who
-- serves requests has the role voipd_centre in each transaction, and sees the rows of
-- the tenant that the transaction names, and no others.

-- +goose Up
-- +goose StatementBegin
DO $$
BEGIN
	IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'voipd_centre') THEN
		CREATE ROLE voipd_centre NOLOGIN;
	END IF;
	IF NOT pg_has_role('voipd_centre', 'MEMBER') THEN
		GRANT voipd_centre TO CURRENT_USER;
	END IF;
END
$$;
-- +goose StatementEnd

CREATE SCHEMA IF NOT EXISTS voipd;
GRANT USAGE ON SCHEMA voipd TO voipd_centre;

-- changes is the place of the latest change among those of the tenant. A transaction
-- that changes records takes its numbers by an update of this row: so nobody sees a
-- number before all lower ones are there, which those of a sequence do not promise.
-- pepper keys the hashes of forgotten calls.
CREATE TABLE voipd.tenants (
	tenant  text        PRIMARY KEY,
	created timestamptz NOT NULL DEFAULT now(),
	changes bigint      NOT NULL DEFAULT 0,
	pepper  bytea       NOT NULL
);

-- batch, id, instance, seq and mark are how far the PBX's records are here, written in
-- the transaction that writes the records.
CREATE TABLE voipd.pbxs (
	tenant   text        NOT NULL REFERENCES voipd.tenants,
	pbx      text        NOT NULL,
	created  timestamptz NOT NULL DEFAULT now(),
	batch    bigint      NOT NULL DEFAULT 0,
	id       text        NOT NULL DEFAULT '',
	instance text        NOT NULL DEFAULT '',
	seq      bigint      NOT NULL DEFAULT 0,
	mark     text        NOT NULL DEFAULT '',
	sync     boolean     NOT NULL DEFAULT false,
	seen     timestamptz,
	waiting  bigint      NOT NULL DEFAULT 0,
	oldest   timestamptz,
	version  text        NOT NULL DEFAULT '',
	PRIMARY KEY (tenant, pbx)
);

-- A token lets an app in, or, with a pbx, an edge. Only hashes are kept. The tenant
-- is not first here: it is what the hash is looked up for (voipd.token).
CREATE TABLE voipd.tokens (
	hash    bytea       PRIMARY KEY,
	tenant  text        NOT NULL REFERENCES voipd.tenants,
	name    text        NOT NULL,
	pbx     text,
	scopes  text[]      NOT NULL DEFAULT '{}',
	created timestamptz NOT NULL DEFAULT now(),
	ends    timestamptz,
	UNIQUE (tenant, name)
);

-- A code makes a machine an edge, once.
CREATE TABLE voipd.codes (
	hash   bytea       PRIMARY KEY,
	tenant text        NOT NULL,
	pbx    text        NOT NULL,
	ends   timestamptz NOT NULL,
	FOREIGN KEY (tenant, pbx) REFERENCES voipd.pbxs ON DELETE CASCADE
);

-- bucket is the month that the call's id tells, which never changes, and which another
-- edge that has the same call tells as well: the key of a partitioned table must hold it.
-- revision is the number of the batch that brought the record; change its place
-- among the changes of the tenant, and first that of the record when it came.
CREATE TABLE voipd.records (
	tenant        text        NOT NULL,
	pbx           text        NOT NULL,
	bucket        date        NOT NULL,
	call_id       text        NOT NULL,
	revision      bigint      NOT NULL,
	change        bigint      NOT NULL,
	first         bigint      NOT NULL,
	rank          integer     NOT NULL,
	started_at    timestamptz NOT NULL,
	direction     text        NOT NULL,
	disposition   text        NOT NULL,
	src_phone     text        NOT NULL,
	src_phone_ext text        NOT NULL,
	dst_phone     text        NOT NULL,
	dst_phone_ext text        NOT NULL,
	duration      integer     NOT NULL,
	details       text        NOT NULL,
	recordings    text        NOT NULL,
	sum           bigint      NOT NULL,
	keys          text[]      NOT NULL,
	numbers       text        NOT NULL,
	name          text        NOT NULL,
	PRIMARY KEY (tenant, call_id, pbx, bucket)
) PARTITION BY RANGE (bucket);
CREATE INDEX records_time ON voipd.records (tenant, started_at, call_id, pbx);
CREATE INDEX records_pbx ON voipd.records (tenant, pbx, started_at);
CREATE INDEX records_change ON voipd.records (tenant, change);

-- For calls whose ids tell no time, and those of a clock that is far ahead.
CREATE TABLE voipd.records_other PARTITION OF voipd.records DEFAULT;

CREATE TABLE voipd.secrets (
	name  text  PRIMARY KEY,
	value bytea NOT NULL
);
INSERT INTO voipd.secrets VALUES ('sessions', decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex'));

CREATE TABLE voipd.forgotten (
	tenant text        NOT NULL,
	call   bytea       NOT NULL, -- keyed hash of PBX and call id
	at     timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant, call)
);

-- +goose StatementBegin
DO $$
DECLARE
	t text;
BEGIN
	FOREACH t IN ARRAY ARRAY['tenants', 'pbxs', 'tokens', 'codes', 'records', 'forgotten'] LOOP
		EXECUTE format('ALTER TABLE voipd.%I ENABLE ROW LEVEL SECURITY', t);
		EXECUTE format('ALTER TABLE voipd.%I FORCE ROW LEVEL SECURITY', t);
		-- What was set in a transaction before is an empty text in the next one, not NULL.
		EXECUTE format('CREATE POLICY tenant ON voipd.%I USING (tenant = (SELECT nullif(current_setting(''voipd.tenant'', true), '''')))', t);
	END LOOP;
	ALTER TABLE voipd.secrets ENABLE ROW LEVEL SECURITY;
	ALTER TABLE voipd.secrets FORCE ROW LEVEL SECURITY;
	-- The admin's commands list all tenants, and tokens are looked up before their
	-- tenant is known. Records have no such policy.
	FOREACH t IN ARRAY ARRAY['tenants', 'pbxs', 'tokens', 'codes', 'secrets'] LOOP
		EXECUTE format('CREATE POLICY owner ON voipd.%I TO CURRENT_USER USING (true)', t);
	END LOOP;
END
$$;
-- +goose StatementEnd

GRANT SELECT ON public.voipd_centre_version TO voipd_centre;
GRANT SELECT, UPDATE ON voipd.tenants, voipd.pbxs TO voipd_centre;
GRANT SELECT, INSERT, UPDATE, DELETE ON voipd.records TO voipd_centre;
GRANT SELECT, INSERT ON voipd.forgotten TO voipd_centre;

-- token gives what a token may do.
CREATE FUNCTION voipd.token(wanted bytea, OUT tenant text, OUT name text, OUT pbx text, OUT scopes text[]) RETURNS SETOF record
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = voipd, pg_temp AS
	'SELECT tenant, name, pbx, scopes FROM voipd.tokens WHERE hash = wanted AND (ends IS NULL OR ends > now())';

-- secret keys what every process of the centre has to know.
CREATE FUNCTION voipd.secret(wanted text) RETURNS bytea
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = voipd, pg_temp AS
	'SELECT value FROM voipd.secrets WHERE name = wanted';

-- +goose StatementBegin
-- enrol uses a code up and makes a token of its PBX. Those it had go on for a day, so
-- that a machine that changes over loses nothing.
CREATE FUNCTION voipd.enrol(used bytea, fresh bytea, OUT tenant text, OUT pbx text) RETURNS SETOF record
LANGUAGE plpgsql SECURITY DEFINER SET search_path = voipd, pg_temp AS $$
#variable_conflict use_column
DECLARE
	c voipd.codes;
BEGIN
	DELETE FROM voipd.codes WHERE hash = used AND ends > now() RETURNING * INTO c;
	IF NOT FOUND THEN
		RETURN;
	END IF;
	UPDATE voipd.tokens SET ends = now() + interval '1 day' WHERE tenant = c.tenant AND pbx = c.pbx AND ends IS NULL;
	INSERT INTO voipd.tokens (hash, tenant, name, pbx) VALUES (fresh, c.tenant, 'edge ' || c.pbx || ' ' || encode(substr(fresh, 1, 4), 'hex'), c.pbx);
	RETURN QUERY SELECT c.tenant, c.pbx;
END
$$;

-- month makes the partition of a month, and moves there what came before it was made.
CREATE FUNCTION voipd.month(first date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = voipd, pg_temp AS $$
DECLARE
	name text := 'records_' || to_char(first, 'YYYY_MM');
BEGIN
	IF first <> date_trunc('month', first) THEN
		RAISE EXCEPTION '% is no first of a month', first;
	END IF;
	PERFORM pg_advisory_xact_lock(hashtext('voipd.month'));
	IF to_regclass('voipd.' || name) IS NOT NULL THEN
		RETURN;
	END IF;
	-- Before the rows move: nobody may add another one meanwhile.
	LOCK TABLE voipd.records_other IN ACCESS EXCLUSIVE MODE;
	EXECUTE format('CREATE TABLE voipd.%I (LIKE voipd.records INCLUDING ALL)', name);
	EXECUTE format('WITH moved AS (DELETE FROM voipd.records_other WHERE bucket = %L RETURNING *) INSERT INTO voipd.%I SELECT * FROM moved', first, name);
	EXECUTE format('ALTER TABLE voipd.records ATTACH PARTITION voipd.%I FOR VALUES FROM (%L) TO (%L)', name, first, (first + interval '1 month')::date);
END
$$;
-- +goose StatementEnd

REVOKE ALL ON FUNCTION voipd.token(bytea), voipd.secret(text), voipd.enrol(bytea, bytea), voipd.month(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION voipd.token(bytea), voipd.secret(text), voipd.enrol(bytea, bytea), voipd.month(date) TO voipd_centre;

-- +goose Down
DROP SCHEMA voipd CASCADE;
