-- The event store of an installation with event_store = "postgres"; empty in all others. One row a command, with the very
-- bytes that the relay puts into JetStream at the same sequence.
CREATE TABLE event_store (
    stream text NOT NULL,
    -- Without gaps from 1 in each stream: the sequence that the message has in JetStream.
    position bigint NOT NULL CHECK (position > 0),
    subject text NOT NULL,
    -- The position of the aggregate's message before it, 0 for its first.
    follows bigint NOT NULL CHECK (follows >= 0 AND follows < position),
    payload bytea NOT NULL,
    stored_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (stream, position),
    UNIQUE (subject, position),
    -- Two writers that loaded the same never both win.
    UNIQUE (subject, follows)
);

-- Stores a message if its aggregate's last one is at p_follows, and returns its position; NULL where it is not. The lock
-- goes with the commit, so positions are visible in their order: who sees n has seen everything below.
CREATE FUNCTION event_store_append(p_stream text, p_subject text, p_follows bigint, p_payload bytea) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    at bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(1095910739, hashtext(p_stream));
    IF coalesce((SELECT max(position) FROM event_store WHERE subject = p_subject), 0) <> p_follows THEN
        RETURN NULL;
    END IF;
    INSERT INTO event_store (stream, position, subject, follows, payload)
    SELECT p_stream, coalesce(max(position), 0) + 1, p_subject, p_follows, p_payload
    FROM event_store WHERE stream = p_stream
    RETURNING position INTO at;
    PERFORM pg_notify('event_store', '');
    RETURN at;
END
$$;

-- Whoever writes events does so by this function alone.
REVOKE EXECUTE ON FUNCTION event_store_append(text, text, bigint, bytea) FROM PUBLIC;

CREATE FUNCTION event_store_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the event store is append-only: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER event_store_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON event_store
FOR EACH STATEMENT EXECUTE FUNCTION event_store_refuse();

-- One row an event, in the shape that postgres-es reads, for auditors and for its tools.
CREATE VIEW events AS
SELECT split_part(subject, '.', 3) AS aggregate_type,
    split_part(subject, '.', 2) || '/' || split_part(subject, '.', 4) AS aggregate_id,
    (event ->> 'sequence')::bigint AS sequence,
    event ->> 'event_type' AS event_type,
    event ->> 'event_version' AS event_version,
    json_build_object(event ->> 'event_type', event -> 'payload') AS payload,
    event -> 'metadata' AS metadata,
    event ->> 'event_id' AS event_id,
    stream,
    position,
    stored_at AS timestamp
FROM event_store, json_array_elements(convert_from(payload, 'UTF8')::json) AS event;
