-- Lists of devices in other orders than by name.
CREATE INDEX devices_by_serial_number ON devices (organization_id, serial_number, id);
CREATE INDEX devices_by_created_at ON devices (organization_id, created_at, id);
CREATE INDEX devices_by_updated_at ON devices (organization_id, updated_at, id);
