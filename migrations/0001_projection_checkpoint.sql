-- How far each projection has read each of its streams. A row moves in the transaction that writes the read model, and
-- only from the position and generation its owner knows: whoever finds it moved is not the owner any more.
CREATE TABLE projection_checkpoint (
    name text NOT NULL,
    stream text NOT NULL,
    position bigint NOT NULL DEFAULT 0 CHECK (position >= 0),
    -- Which stream of that name, and which message stood at the position: a checkpoint of another stream is noticed.
    incarnation timestamptz,
    hash text,
    -- Per subject tail the origin of the last value taken: [input sequence, ordinal].
    marks jsonb NOT NULL DEFAULT '{}',
    -- Raised by every rebuild, so that an owner from before it can write no more.
    generation bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (name, stream)
) WITH (fillfactor = 50);
