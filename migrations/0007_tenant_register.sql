CREATE TABLE organizations (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended')),
    suspended_reason text,
    ca_certificate text,
    ca_subject_key_id text,
    ca_valid_until timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    version bigint NOT NULL,
    position bigint NOT NULL
);

-- Name and address stay sealed with the person's key, as they are in the log.
CREATE TABLE users (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    email_sealed text,
    name_sealed text,
    access_role text NOT NULL,
    work_roles text[] NOT NULL DEFAULT '{}',
    active boolean NOT NULL DEFAULT true,
    erased boolean NOT NULL DEFAULT false,
    password_set_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    version bigint NOT NULL,
    position bigint NOT NULL
);
CREATE INDEX users_by_organization ON users (organization_id, created_at, id);
